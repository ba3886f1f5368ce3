"""PyTorch: nn.Linear or nn.EmbeddingBag, BCEWithLogitsLoss, SGD."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

import data
from protocol import Options, serve

INITIAL = 0.01  # weights of a pass, as in ossau_worker


class DenseRows:
    """Rows in a tensor, shuffled beforehand: a batch is a contiguous slice."""

    def __init__(self, part: data.Part):
        self.x = torch.from_numpy(np.array(part.values))
        self.y = torch.from_numpy(part.label.astype(np.float32))
        self.features = part.features

    def model(self, form: str) -> nn.Module:
        return nn.Linear(self.features, 1)

    def scores(self, model: nn.Module, begin: int, end: int) -> torch.Tensor:
        return model(self.x[begin:end]).squeeze(1)

    def gathered(self, model: nn.Module, rows: torch.Tensor) -> torch.Tensor:
        return model(self.x.index_select(0, rows)).squeeze(1)


class SparseRows:
    """Indices [rows, entries]: every row has as many."""

    def __init__(self, part: data.Part):
        entries = int(part.row_start[1])
        assert part.row_start[-1] == entries * part.rows
        index = np.array(part.index, dtype=np.int64).reshape(-1, entries)
        self.index = torch.from_numpy(index)
        self.narrow_index = self.index.to(torch.int32)
        self.y = torch.from_numpy(part.label.astype(np.float32))
        self.features = part.features
        self.form = ""

    def model(self, form: str) -> nn.Module:
        self.form = form
        return BagModel(self.features, sparse="sparse" in form)

    def scores(self, model: nn.Module, begin: int, end: int) -> torch.Tensor:
        index = self.narrow_index if "int32" in self.form else self.index
        return model(index[begin:end])


class BagModel(nn.Module):
    def __init__(self, features: int, sparse: bool):
        super().__init__()
        self.bag = nn.EmbeddingBag(features, 1, mode="sum", sparse=sparse)
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, index: torch.Tensor) -> torch.Tensor:
        return self.bag(index).squeeze(1) + self.bias


def fill(model: nn.Module, value: float) -> None:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(value)


def make_sgd(model: nn.Module, options: Options) -> torch.optim.Optimizer:
    form = options.get("optimizer", "plain")
    kinds = {"plain": {"foreach": False}, "foreach": {"foreach": True}, "fused": {"fused": True}}
    return torch.optim.SGD(model.parameters(), lr=float(options["rate"]), **kinds[form])


class TorchPeer:
    def __init__(self, folder: Path):
        part = data.load(folder, "train")
        self.rows = DenseRows(part) if part.values is not None else SparseRows(part)
        self.count = part.rows
        self.loss = nn.BCEWithLogitsLoss()
        self.compiled: nn.Module | None = None

    def describe(self, options: Options) -> dict:
        return {"program": f"PyTorch {torch.__version__}"}

    def gradient_pass(self, options: Options) -> dict:
        """Forward and backward over all rows; in chunks, gradients are accumulated."""
        torch.set_num_threads(int(options["threads"]))
        model = self.rows.model(options.get("form", ""))
        fill(model, INITIAL)
        chunk = int(options.get("chunk", self.count))
        scores = self.compiled_scores() if "compile" in options.get("form", "") else None
        start = time.perf_counter()
        total = 0.0
        for begin in range(0, self.count, chunk):
            end = min(begin + chunk, self.count)
            out = self.rows.scores(model, begin, end) if scores is None else scores(model)
            loss = self.loss(out, self.rows.y[begin:end]) * ((end - begin) / self.count)
            loss.backward()
            total += loss.item()
        return {"seconds": time.perf_counter() - start, "loss": total}

    def compiled_scores(self):
        if self.compiled is None:
            self.compiled = torch.compile(lambda model: self.rows.scores(model, 0, self.count))
        return self.compiled

    def epoch(self, options: Options) -> dict:
        torch.set_num_threads(int(options["threads"]))
        model = self.rows.model(options.get("form", ""))
        fill(model, 0.0)
        optimizer = make_sgd(model, options)
        gather = options.get("rows") == "index_select"
        steps = self.gathered_steps if gather else self.sliced_steps
        start = time.perf_counter()
        steps(model, optimizer, int(options["batch"]))
        seconds = time.perf_counter() - start
        with torch.no_grad():
            loss = self.loss(self.rows.scores(model, 0, self.count), self.rows.y).item()
        return {"seconds": seconds, "loss": loss}

    def sliced_steps(self, model: nn.Module, optimizer, batch: int) -> None:
        for begin in range(0, self.count, batch):
            end = min(begin + batch, self.count)
            optimizer.zero_grad()
            self.loss(self.rows.scores(model, begin, end), self.rows.y[begin:end]).backward()
            optimizer.step()

    def gathered_steps(self, model: nn.Module, optimizer, batch: int) -> None:
        for rows in torch.randperm(self.count).split(batch):
            optimizer.zero_grad()
            self.loss(self.rows.gathered(model, rows), self.rows.y[rows]).backward()
            optimizer.step()


if __name__ == "__main__":
    peer = TorchPeer(Path(sys.argv[1]))
    serve({"describe": peer.describe, "pass": peer.gradient_pass, "epoch": peer.epoch})
