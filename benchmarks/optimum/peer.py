"""A peer: holds one data set and fits it as it is told, a command a line.

    peer.py NAME FOLDER
    fit form=F tolerance=T l2=L threads=N solution=FILE

Answers hold `seconds`, of the fit alone; the weights and the intercept go to FILE as float64.
"""

from __future__ import annotations

import sys
import time
import warnings
from importlib import metadata
from pathlib import Path

import numpy as np
from scipy import sparse

sys.path.insert(0, str(Path(__file__).parent.parent / "compare/peers"))

import reference  # noqa: E402
from protocol import Options, serve  # noqa: E402

MOST_ITERATIONS = 10_000
MOST_DENSE_COLUMNS = 5_000  # of those that make a Hessian


class Peer:
    forms: tuple[str, ...] = ()
    package = ""

    def __init__(self, folder: Path):
        self.x, self.label = reference.load(folder)

    @property
    def rows(self) -> int:
        return len(self.label)

    def describe(self, options: Options) -> dict:
        name = f"{type(self).__name__} {metadata.version(self.package)}"
        return {"program": name, "forms": [form for form in self.forms if self.can(form)]}

    def can(self, form: str) -> bool:
        return True

    def features(self, form: str):
        """As the program takes it soonest; float32 where it keeps it."""
        return self.x.astype(np.float32 if form.endswith("float32") else np.float64)

    def fit(self, options: Options) -> dict:
        from threadpoolctl import threadpool_limits

        form, threads = options["form"].replace("_", " "), int(options["threads"])
        x = self.features(form)
        with threadpool_limits(threads), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the gap is looked at elsewhere
            run = self.prepare(x, form, float(options["l2"]), float(options["tolerance"]), threads)
            start = time.perf_counter()
            model = run()
            seconds = time.perf_counter() - start
        np.asarray(self.point(model), dtype=np.float64).tofile(options["solution"])
        return {"seconds": seconds}


class ScikitLearn(Peer):
    forms = ("lbfgs float32", "lbfgs float64", "newton-cholesky float64", "newton-cg float64")
    package = "scikit-learn"

    def can(self, form: str) -> bool:
        return "cholesky" not in form or (
            self.x.shape[1] <= MOST_DENSE_COLUMNS and not sparse.issparse(self.x)
        )

    def prepare(self, x, form, l2, tolerance, threads):
        from sklearn.linear_model import LogisticRegression

        solver = form.split()[0]
        model = LogisticRegression(
            C=1 / (self.rows * l2), solver=solver, tol=tolerance, max_iter=MOST_ITERATIONS
        )
        return lambda: model.fit(x, self.label)

    def point(self, model):
        return np.append(model.coef_[0], model.intercept_[0])


class Glum(Peer):
    forms = ("irls-ls float64", "irls-ls float32")
    package = "glum"

    def can(self, form: str) -> bool:
        return self.x.shape[1] <= MOST_DENSE_COLUMNS

    def prepare(self, x, form, l2, tolerance, threads):
        from glum import GeneralizedLinearRegressor

        model = GeneralizedLinearRegressor(
            family="binomial", alpha=l2, l1_ratio=0, solver="irls-ls", gradient_tol=tolerance,
            max_iter=200,
        )  # fmt: skip
        y = self.label.astype(x.dtype)
        return lambda: model.fit(x, y)

    def point(self, model):
        return np.append(model.coef_, model.intercept_)


class Liblinear(Peer):
    forms = ("trust-region Newton (-s 0)",)
    package = "liblinear-official"

    def prepare(self, x, form, l2, tolerance, threads):
        from liblinear.liblinear import parameter, problem
        from liblinear.liblinearutil import train

        # -B 1 appends the intercept's column, outside of the time; -R leaves it out of the penalty.
        rows = problem(self.label.astype(np.float64), x, 1)
        c = 1 / (self.rows * l2)
        settings = parameter(f"-s 0 -R -B 1 -q -c {c:.17g} -e {tolerance:.17g}")
        return lambda: train(rows, settings)

    def point(self, model):
        weights = np.array(model.w[: self.x.shape[1] + 1])
        return weights if model.get_labels()[0] == 1 else -weights


class SnapMl(Peer):
    forms = ("primal float32", "dual float32")
    package = "snapml"

    def prepare(self, x, form, l2, tolerance, threads):
        from snapml import LogisticRegression

        model = LogisticRegression(
            regularizer=self.rows * l2, dual=form.startswith("dual"), tol=tolerance, n_jobs=threads,
            max_iter=MOST_ITERATIONS, fit_intercept=True,
        )  # fmt: skip
        y = self.label.astype(np.float32)
        return lambda: model.fit(x, y)

    def point(self, model):
        return np.append(np.ravel(model.coef_), np.ravel(model.intercept_))


PEERS = {"scikit-learn": ScikitLearn, "glum": Glum, "LIBLINEAR": Liblinear, "Snap ML": SnapMl}

if __name__ == "__main__":
    peer = PEERS[sys.argv[1]](Path(sys.argv[2]))
    serve({"describe": peer.describe, "fit": peer.fit})
