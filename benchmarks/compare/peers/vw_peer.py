"""Vowpal Wabbit, which trains from files only: its binary cache is made outside of the time."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

import numpy as np
from vowpalwabbit import Workspace

import data
from protocol import Options, serve


def write_text(part: data.Part, path: Path) -> None:
    with path.open("w") as file:
        for i in range(part.rows):
            file.write("1 |f " if part.label[i] else "-1 |f ")
            if part.values is None:
                row = part.index[part.row_start[i] : part.row_start[i + 1]]
                file.write(" ".join(map(str, row.tolist())))
            else:
                row = part.values[i].tolist()
                file.write(" ".join(f"{j}:{x:.8g}" for j, x in enumerate(row)))
            file.write("\n")


class VwPeer:
    def __init__(self, folder: Path):
        for left in folder.glob("vw-*"):  # by one that was stopped halfway
            shutil.rmtree(left)
        self.folder = Path(tempfile.mkdtemp(dir=folder, prefix="vw-"))
        self.held_out = data.load(folder, "held_out")
        train = data.load(folder, "train")
        # Twice the features of room for the hash, as its users give it.
        self.bits = max(18, (2 * train.features - 1).bit_length())
        write_text(train, self.folder / "train.txt")
        write_text(self.held_out, self.folder / "held_out.txt")
        self.run("--passes 1", "train.txt", cache=True)  # writes the cache
        (self.folder / "train.txt").unlink()

    def describe(self, options: Options) -> dict:
        return {"program": f"Vowpal Wabbit {metadata.version('vowpalwabbit')}"}

    def run(self, arguments: str, file: str, cache: bool) -> float:
        path = self.folder / file
        source = f"--cache_file {self.folder / 'train.cache'}" if cache else ""
        if not (cache and (self.folder / "train.cache").exists()):
            source += f" -d {path}"
        start = time.perf_counter()
        workspace = Workspace(f"--quiet --no_stdin -b {self.bits} {source} {arguments}")
        workspace.finish()
        return time.perf_counter() - start

    def fit(self, options: Options) -> dict:
        """A budget of k is k passes over the cache."""
        model = self.folder / "model"
        l2 = 0.0 if options.get("penalised") == "no" else float(options["l2"])
        passes = f"--passes {options['budget']} --holdout_off -f {model}"
        arguments = f"--loss_function logistic --l2 {l2:.17g} {passes}"
        seconds = self.run(arguments, "train.txt", cache=True)
        scores = self.folder / "scores"
        self.run(f"-t -i {model} -r {scores}", "held_out.txt", cache=False)
        raw = np.array([float(line.split()[0]) for line in scores.read_text().splitlines() if line])
        return {"seconds": seconds, "loss": self.held_out.log_loss(raw)}


if __name__ == "__main__":
    peer = VwPeer(Path(sys.argv[1]))
    serve({"describe": peer.describe, "fit": peer.fit})
    shutil.rmtree(peer.folder)
