"""The data sets: real ones from OSSAU_REFERENCE_DATA and scikit-learn's wheel, and generated ones.

Each is features as float32, the numbers that every program gets, and labels {0, 1}.  Numeric columns
are standardised and categories become one column each, as a person would; sparse data stay as they
are.  What is written is a folder that compare/data_files.hpp describes.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse

Rows = tuple[np.ndarray | sparse.csr_matrix, np.ndarray]


@dataclass(frozen=True)
class DataSet:
    name: str
    make: Callable[[], Rows]
    large: bool = False  # minutes, and gigabytes of memory
    l1: float = 0  # with it, the penalty is l1 alone


class MissingData(Exception):
    """The real data is not on this machine."""


def real(name: str) -> Path:
    folder = os.environ.get("OSSAU_REFERENCE_DATA")
    path = Path(folder or "/") / name
    if folder is None or not path.exists():
        raise MissingData(f"OSSAU_REFERENCE_DATA has no {name}")
    return path


# ---- Encoding


def standardised(x: np.ndarray) -> np.ndarray:
    x = np.asarray(x, dtype=np.float64)
    scale = x.std(axis=0)
    return (x - x.mean(axis=0)) / np.where(scale > 0, scale, 1)


def encoded(columns: list[list[str]]) -> np.ndarray:
    """Columns of numbers standardised, all others as one column of 0 and 1 for each value."""
    parts = []
    for cells in columns:
        try:
            parts.append(standardised(np.array([float(c) for c in cells])[:, None]))
        except ValueError:
            values = sorted(set(cells))
            place = {value: j for j, value in enumerate(values)}
            one_hot = np.zeros((len(cells), len(values)))
            one_hot[np.arange(len(cells)), [place[c] for c in cells]] = 1
            parts.append(one_hot)
    return np.hstack(parts)


def table(path: Path, label: int, positive: str, header: bool, drop: tuple[int, ...] = ()) -> Rows:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", newline="") as file:
        rows = [[c.strip() for c in row] for row in csv.reader(file) if row]
    rows = rows[1:] if header else rows
    label %= len(rows[0])
    kept = [j for j in range(len(rows[0])) if j != label and j not in drop]
    y = np.array([row[label] == positive for row in rows], dtype=np.uint8)
    return encoded([[row[j] or "0" for row in rows] for j in kept]), y


def libsvm(path: Path) -> Rows:
    from sklearn.datasets import load_svmlight_file

    x, y = load_svmlight_file(str(path))
    return sparse.csr_matrix(x), (y > 0).astype(np.uint8)


def bundled(name: str, positive: Callable[[np.ndarray], np.ndarray]) -> Callable[[], Rows]:
    def make() -> Rows:
        import sklearn.datasets

        x, y = getattr(sklearn.datasets, f"load_{name}")(return_X_y=True)
        return standardised(x), positive(y).astype(np.uint8)

    return make


# ---- Generated


def labels(rng: np.random.Generator, scores: np.ndarray) -> np.ndarray:
    return (rng.random(len(scores)) < 1 / (1 + np.exp(-scores))).astype(np.uint8)


def normal(rows: int, columns: int, seed: int, correlation: float = 0.5) -> Rows:
    """Neighbouring columns correlated, every fourth with a weight."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, columns), dtype=np.float32)
    for j in range(1, columns):
        x[:, j] = correlation * x[:, j - 1] + np.sqrt(1 - correlation**2) * x[:, j]
    weights = np.where(np.arange(columns) % 4 == 0, rng.normal(0, 0.5, columns), 0)
    return x, labels(rng, x @ weights - 1)


def ill_conditioned(rows: int, columns: int, seed: int, condition: float) -> Rows:
    """A covariance whose eigenvalues fall from 1 to 1 / condition."""
    rng = np.random.default_rng(seed)
    basis, _ = np.linalg.qr(rng.standard_normal((columns, columns)))
    root = (np.geomspace(1, 1 / condition, columns) ** 0.5)[:, None] * basis.T
    x = np.empty((rows, columns), dtype=np.float32)
    for begin in range(0, rows, 20_000):
        end = min(rows, begin + 20_000)
        x[begin:end] = rng.standard_normal((end - begin, columns)) @ root
    x = x / x.std(axis=0)
    return x, labels(rng, x @ rng.normal(0, 2 / np.sqrt(columns), columns))


def collinear() -> Rows:
    x, y = normal(20_000, 30, 3)
    rng = np.random.default_rng(4)
    near = x[:, :10] + 1e-3 * rng.standard_normal((len(x), 10))
    return standardised(np.hstack([x, near, x[:, 10:15]])), y  # five columns twice


def badly_scaled() -> Rows:
    x, y = normal(20_000, 30, 5)
    return x * np.geomspace(1e-3, 1e3, 30), y


def separable() -> Rows:
    rng = np.random.default_rng(6)
    x = rng.standard_normal((5_000, 20))
    return x, (x @ rng.standard_normal(20) > 0).astype(np.uint8)


def rare_categories() -> Rows:
    """Three numbers and four columns of 500 categories whose frequencies fall as 1 / rank."""
    rng = np.random.default_rng(7)
    rows = 50_000
    share = 1 / np.arange(1, 501)
    parts, scores = [sparse.csr_matrix(rng.standard_normal((rows, 3)))], np.full(rows, -1.0)
    for _ in range(4):
        value = rng.choice(500, rows, p=share / share.sum())
        scores += rng.normal(0, 1, 500)[value]
        one_hot = (np.ones(rows), (np.arange(rows), value))
        parts.append(sparse.csr_matrix(one_hot, shape=(rows, 500)))
    return sparse.csr_matrix(sparse.hstack(parts)), labels(rng, scores)


def few_positives() -> Rows:
    rng = np.random.default_rng(8)
    x = rng.standard_normal((200_000, 20))
    return x, labels(rng, x @ rng.normal(0, 0.5, 20) - 7)


def more_columns_than_rows() -> Rows:
    rng = np.random.default_rng(9)
    x = rng.standard_normal((200, 2_000))
    return standardised(x), labels(rng, x[:, :5] @ np.array([2, -2, 1, 1, -1]))


def words(rows: int, columns: int, length: int, seed: int, ones: bool) -> Rows:
    """Rows of different columns whose frequencies fall as 1 / rank."""
    rng = np.random.default_rng(seed)
    index = (columns ** rng.random((rows, length))).astype(np.int64) - 1
    index.sort(axis=1)
    kept = np.ones(index.shape, dtype=bool)
    kept[:, 1:] = index[:, 1:] != index[:, :-1]
    start = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    place = index[kept]
    value = np.ones(len(place)) if ones else rng.exponential(0.3, len(place)) + 0.05
    x = sparse.csr_matrix((value, place, start), shape=(rows, columns))
    weights = np.where(rng.random(columns) < 0.1, rng.normal(0, 1, columns), 0)
    return x, labels(rng, x @ weights)


def squares_of_higgs() -> Rows:
    x, y = higgs()
    i, j = np.triu_indices(x.shape[1])
    return standardised(np.hstack([x, x[:, i] * x[:, j]])), y


# ---- Real


def higgs() -> Rows:
    rows = np.loadtxt(real("higgs_sample/binary.train"))
    return standardised(rows[:, 1:]), (rows[:, 0] > 0).astype(np.uint8)


def churn() -> Rows:
    return table(Path(__file__).parents[2] / "examples/churn/mlc_churn.csv", 0, "1", header=True)


SETS = [
    DataSet("churn", churn),
    DataSet("higgs", higgs),
    DataSet("higgs squares", squares_of_higgs),
    DataSet("fertility", lambda: table(real("fertility/fertility_numeric.csv.gz"), 0, "1", True)),
    DataSet("adult", lambda: table(real("adult_csv/adult-train.csv"), -1, ">50K", False)),
    DataSet("telco", lambda: table(real("telco_churn/Telco-Customer-Churn.csv"), -1, "Yes", True,
                                   drop=(0,))),
    DataSet("workshop", lambda: table(real("workshop/data_training.csv"), 0, "1", False)),
    DataSet("a9a", lambda: libsvm(real("a9a/a9a"))),
    DataSet("agaricus", lambda: libsvm(real("agaricus/agaricus.txt.train"))),
    DataSet("breast cancer", bundled("breast_cancer", lambda y: y == 1)),
    DataSet("digits, odd", bundled("digits", lambda y: y % 2 == 1)),
    DataSet("wine", bundled("wine", lambda y: y == 0)),
    DataSet("normal 100k x 100", lambda: normal(100_000, 100, 1)),
    DataSet("correlated 100k x 50", lambda: normal(100_000, 50, 2, 0.99)),
    DataSet("collinear", collinear),
    DataSet("badly scaled", badly_scaled),
    DataSet("separable", separable),
    DataSet("rare categories", rare_categories),
    DataSet("few positives", few_positives),
    DataSet("200 x 2,000", more_columns_than_rows),
    DataSet("condition 1e4, 20k x 300", lambda: ill_conditioned(20_000, 300, 10, 1e4)),
    DataSet("words 50k x 20k", lambda: words(50_000, 20_000, 60, 11, ones=False)),
    DataSet("8.25M x 28", lambda: normal(8_250_000, 28, 12), large=True),
    DataSet("300k x 2,000, condition 1e4", lambda: ill_conditioned(300_000, 2_000, 13, 1e4),
            large=True),
    DataSet("1M x 40 of 1M", lambda: words(1_000_000, 1_000_000, 40, 14, ones=True), large=True),
]  # fmt: skip


def write(folder: Path, rows: Rows) -> None:
    """The last file written is the header: a folder that has one is whole."""
    x, y = rows
    folder.mkdir(parents=True, exist_ok=True)
    is_sparse = sparse.issparse(x)
    if is_sparse:
        x.sort_indices()
        x.indptr.astype(np.int64).tofile(folder / "train.row_start")
        x.indices.astype(np.uint32).tofile(folder / "train.index")
        x.data.astype(np.float32).tofile(folder / "train.value")
    else:
        np.ascontiguousarray(x, dtype=np.float32).tofile(folder / "train.values")
    y.astype(np.uint8).tofile(folder / "train.label")
    header = {"sparse": is_sparse, "features": int(x.shape[1]), "train_rows": int(x.shape[0]),
              "held_out_rows": 0, "seed": 0}  # fmt: skip
    (folder / "header.json").write_text(json.dumps(header))
