"""The objective in float64, outside of every program, and its minimum by Newton's method."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve

MOST_HESSIAN_COLUMNS = 3_000
BLOCK_ROWS = 100_000


class Objective:
    """Mean log loss + l2 / 2 |w|^2, the intercept last and free."""

    def __init__(self, folder: Path, l2: float):
        self.x, self.label = load(folder)
        self.l2 = l2
        self.sign = np.where(self.label == 1, 1.0, -1.0)

    @property
    def size(self) -> int:
        return self.x.shape[1] + 1

    def blocks(self):
        for begin in range(0, len(self.sign), BLOCK_ROWS):
            rows = slice(begin, begin + BLOCK_ROWS)
            block = self.x[rows]
            yield rows, block if sparse.issparse(block) else np.asarray(block, dtype=np.float64)

    def scores(self, point: np.ndarray) -> np.ndarray:
        scores = np.empty(len(self.sign))
        for rows, x in self.blocks():
            scores[rows] = x @ point[:-1] + point[-1]
        return scores

    def value(self, point: np.ndarray) -> float:
        loss = np.mean(np.logaddexp(0, -self.sign * self.scores(point)))
        return float(loss + self.l2 / 2 * point[:-1] @ point[:-1])

    def transposed(self, rows_of: np.ndarray) -> np.ndarray:
        """X' r and the sum of r."""
        total = np.zeros(self.size)
        for rows, x in self.blocks():
            total[:-1] += x.T @ rows_of[rows]
        total[-1] = rows_of.sum()
        return total

    def gradient(self, point: np.ndarray, scores: np.ndarray) -> np.ndarray:
        residual = -self.sign / (1 + np.exp(self.sign * scores)) / len(self.sign)
        gradient = self.transposed(residual)
        gradient[:-1] += self.l2 * point[:-1]
        return gradient

    def hessian(self, curvature: np.ndarray) -> np.ndarray:
        matrix = np.zeros((self.size, self.size))
        for rows, x in self.blocks():
            x = x.toarray() if sparse.issparse(x) else x
            weighted = x * curvature[rows, None]
            matrix[:-1, :-1] += weighted.T @ x
            matrix[-1, :-1] += weighted.sum(axis=0)
        matrix[:-1, -1] = matrix[-1, :-1]
        matrix[-1, -1] = curvature.sum()
        matrix[np.arange(self.size - 1), np.arange(self.size - 1)] += self.l2
        return matrix


def load(folder: Path):
    header = json.loads((folder / "header.json").read_text())

    def array(name: str, dtype) -> np.ndarray:
        return np.fromfile(folder / f"train.{name}", dtype=dtype)

    label = array("label", np.uint8)
    if not header["sparse"]:
        return array("values", np.float32).reshape(len(label), -1), label
    start, index = array("row_start", np.int64), array("index", np.uint32).astype(np.int32)
    value = array("value", np.float32).astype(np.float64)
    return sparse.csr_matrix((value, index, start), shape=(len(label), header["features"])), label


def newton_step(objective: Objective, gradient: np.ndarray, curvature: np.ndarray) -> np.ndarray:
    if objective.size <= MOST_HESSIAN_COLUMNS:
        matrix = objective.hessian(curvature)
        for damping in (0, 1e-14, 1e-12, 1e-10):
            try:
                damped = matrix + damping * np.trace(matrix) / objective.size * np.eye(objective.size)
                return -cho_solve(cho_factor(damped), gradient)
            except np.linalg.LinAlgError:
                continue
    return conjugate_gradients(objective, gradient, curvature)


def conjugate_gradients(objective, gradient, curvature, most=3_000) -> np.ndarray:
    squares = objective.x.multiply(objective.x) if sparse.issparse(objective.x) else objective.x**2
    diagonal = np.append(squares.T @ curvature + objective.l2, curvature.sum())
    step, residual = np.zeros(objective.size), -gradient
    scaled = residual / diagonal
    along, size = scaled.copy(), residual @ scaled
    first = size
    for _ in range(most):
        product = objective.transposed(curvature * objective.scores(along))
        product[:-1] += objective.l2 * along[:-1]
        length = size / (along @ product)
        step += length * along
        residual -= length * product
        scaled = residual / diagonal
        size, before = residual @ scaled, size
        if size <= 1e-16 * first:
            break
        along = scaled + size / before * along
    return step


def minimum(objective: Objective, most: int = 60) -> float:
    """The least value, to about 1e-12 of it: half the decrement of Newton's last step."""
    share = objective.label.mean()
    point = np.zeros(objective.size)
    point[-1] = np.log(share / (1 - share))
    value = objective.value(point)
    for _ in range(most):
        scores = objective.scores(point)
        odds = np.exp(-np.abs(scores))
        curvature = odds / (1 + odds) ** 2 / len(scores)
        gradient = objective.gradient(point, scores)
        step = newton_step(objective, gradient, curvature)
        if -gradient @ step <= 1e-12 * value:
            break
        t = 1.0
        while objective.value(point + t * step) > value + 1e-4 * t * (gradient @ step) and t > 1e-10:
            t /= 2
        point = point + t * step
        value = objective.value(point)
    return value
