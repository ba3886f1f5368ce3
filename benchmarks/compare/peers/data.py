"""The arrays that generate_data wrote (benchmarks/compare/data_files.hpp), memory-mapped."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse


@dataclass
class Part:
    """Rows of one data set: `values` [rows, features] where dense, else `row_start` and `index`."""

    label: np.ndarray  # uint8 [rows]
    features: int
    values: np.ndarray | None = None  # float32
    row_start: np.ndarray | None = None  # int64 [rows + 1]
    index: np.ndarray | None = None  # uint32; every value is 1

    @property
    def rows(self) -> int:
        return len(self.label)

    def matrix(self, dtype=np.float64):
        """The features as numpy or, where sparse, scipy holds them."""
        if self.values is not None:
            return np.array(self.values, dtype=dtype)
        ones = np.ones(len(self.index), dtype=dtype)
        shape = (self.rows, self.features)
        return sparse.csr_matrix(
            (ones, self.index.astype(np.int32), self.row_start.astype(np.int32)), shape=shape
        )

    def log_loss(self, scores: np.ndarray) -> float:
        """Mean log loss of raw scores."""
        margins = np.where(self.label == 1, -scores, scores).astype(np.float64)
        return float(np.mean(np.logaddexp(0.0, margins)))


def load(folder: Path, part: str) -> Part:
    header = json.loads((folder / "header.json").read_text())

    def array(name: str, dtype) -> np.ndarray:
        return np.memmap(folder / f"{part}.{name}", dtype=dtype, mode="r")

    label, features = array("label", np.uint8), header["features"]
    if header["sparse"]:
        row_start, index = array("row_start", np.int64), array("index", np.uint32)
        return Part(label, features, row_start=row_start, index=index)
    return Part(label, features, values=array("values", np.float32).reshape(-1, features))
