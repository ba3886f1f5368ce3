"""XGBoost's linear booster: gblinear with the updater `shotgun`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import xgboost

import data
from protocol import Options, serve


class XgboostPeer:
    def __init__(self, folder: Path):
        train = data.load(folder, "train")
        self.held_out = data.load(folder, "held_out")
        self.train_matrix = xgboost.DMatrix(train.matrix("float32"), label=train.label)
        self.held_out_matrix = xgboost.DMatrix(self.held_out.matrix("float32"))
        self.running: xgboost.Booster | None = None  # its rounds are timed one by one

    def describe(self, options: Options) -> dict:
        return {"program": f"XGBoost {xgboost.__version__}"}

    def booster(self, options: Options) -> xgboost.Booster:
        parameters = {
            "booster": "gblinear",
            "updater": options.get("updater", "shotgun"),
            "objective": "binary:logistic",
            "base_score": 0.5,
            # Normalised by the number of rows, like l2 here.
            "reg_lambda": float(options.get("l2", 0)),
            "learning_rate": float(options.get("rate", 0.5)),
            "nthread": int(options["threads"]),
            "verbosity": 0,
        }
        return xgboost.Booster(parameters, [self.train_matrix])

    def round(self, options: Options) -> dict:
        """One round of boosting: gradients of all rows, then one step in every feature."""
        if self.running is None:
            self.running = self.booster(options)
            self.running.update(self.train_matrix, 0)  # makes the columns, once
        self.running.set_param("nthread", options["threads"])
        start = time.perf_counter()
        self.running.update(self.train_matrix, 1)
        return {"seconds": time.perf_counter() - start}

    def fit(self, options: Options) -> dict:
        booster = self.booster(options)
        start = time.perf_counter()
        for i in range(int(options["budget"])):
            booster.update(self.train_matrix, i)
        seconds = time.perf_counter() - start
        scores = booster.predict(self.held_out_matrix, output_margin=True)
        return {"seconds": seconds, "loss": self.held_out.log_loss(scores)}


if __name__ == "__main__":
    peer = XgboostPeer(Path(sys.argv[1]))
    serve({"describe": peer.describe, "round": peer.round, "fit": peer.fit})
