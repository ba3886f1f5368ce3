"""scikit-learn: LogisticRegression's solvers and SGDClassifier."""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression, SGDClassifier
from threadpoolctl import threadpool_limits

import data
from protocol import Options, serve


class SklearnPeer:
    def __init__(self, folder: Path):
        train = data.load(folder, "train")
        self.held_out = data.load(folder, "held_out")
        # newton-cholesky and lbfgs keep float32 where they get it: half the memory traffic.
        self.x = {"float32": train.matrix(np.float32)}
        self.y = np.array(train.label)
        self.held_out_x = self.held_out.matrix(np.float32)

    def describe(self, options: Options) -> dict:
        return {"program": f"scikit-learn {sklearn.__version__}"}

    def features(self, dtype: str):
        if dtype not in self.x:
            self.x[dtype] = self.x["float32"].astype(dtype)
        return self.x[dtype]

    def fit(self, options: Options) -> dict:
        x = self.features(options.get("dtype", "float32"))
        train = self.sgd if options["solver"] == "sgd" else self.logistic_regression
        with threadpool_limits(int(options["threads"])), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a budget that ends before convergence is meant
            start = time.perf_counter()
            model = train(x, options)
            seconds = time.perf_counter() - start
        scores = model.decision_function(self.held_out_x)
        return {"seconds": seconds, "loss": self.held_out.log_loss(scores)}

    def logistic_regression(self, x, options: Options) -> LogisticRegression:
        c = 1 / (len(self.y) * float(options["l2"]))
        budget = int(options["budget"])  # iterations
        model = LogisticRegression(C=c, solver=options["solver"], max_iter=budget, tol=1e-10)
        return model.fit(x, self.y)

    def sgd(self, x, options: Options) -> SGDClassifier:
        model = SGDClassifier(
            loss="log_loss",
            alpha=float(options["l2"]),
            max_iter=int(options["budget"]),  # epochs
            tol=None,
            random_state=0,
            learning_rate=options.get("schedule", "optimal"),
            eta0=float(options.get("rate", 0.01)),
            average=options.get("average") == "yes",
        )
        return model.fit(x, self.y)


if __name__ == "__main__":
    peer = SklearnPeer(Path(sys.argv[1]))
    serve({"describe": peer.describe, "fit": peer.fit})
