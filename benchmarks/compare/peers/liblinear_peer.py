"""LIBLINEAR: trust-region Newton on the primal (-s 0), the intercept not penalised (-R)."""

from __future__ import annotations

import sys
import time
from importlib import metadata
from pathlib import Path

import numpy as np
from liblinear.liblinear import parameter, problem
from liblinear.liblinearutil import train

import data
from protocol import Options, serve


class LiblinearPeer:
    def __init__(self, folder: Path):
        part = data.load(folder, "train")
        self.rows = part.rows
        self.held_out = data.load(folder, "held_out")
        self.held_out_x = self.held_out.matrix()
        # -B 1 appends the intercept's column here, outside of the time.
        self.problem = problem(part.label.astype(np.float64), part.matrix(), 1)
        self.features = part.features

    def describe(self, options: Options) -> dict:
        return {"program": f"LIBLINEAR {metadata.version('liblinear-official')}"}

    def fit(self, options: Options) -> dict:
        """A budget of k is a tolerance of 2^-k."""
        c = 1 / (self.rows * float(options["l2"]))
        epsilon = 2.0 ** -int(options["budget"])
        settings = parameter(f"-s 0 -R -B 1 -q -c {c:.17g} -e {epsilon:.17g}")
        start = time.perf_counter()
        model = train(self.problem, settings)
        seconds = time.perf_counter() - start
        weights = np.array(model.w[: self.features + 1])
        sign = 1.0 if model.get_labels()[0] == 1 else -1.0
        scores = sign * (self.held_out_x @ weights[:-1] + weights[-1])
        return {"seconds": seconds, "loss": self.held_out.log_loss(scores)}


if __name__ == "__main__":
    peer = LiblinearPeer(Path(sys.argv[1]))
    serve({"describe": peer.describe, "fit": peer.fit})
