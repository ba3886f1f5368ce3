"""What is compared: the work, who does it, in which of a peer's forms, and what is aimed at."""

from __future__ import annotations

from dataclasses import dataclass

PEERS = ("torch", "xgboost", "sklearn", "liblinear", "vw")


@dataclass(frozen=True)
class Case:
    name: str
    data: str
    peer: str
    ours: str  # a command of ossau_worker
    forms: dict[str, str]  # the peer's: name -> command; its best one counts
    target: float | None = None  # Ossau's speed over the peer's
    threaded: bool = True  # the peer is tried with 1 and with all threads
    fit: bool = False  # to the held-out loss that Ossau reaches; the peer's budget is searched


# C = 1 in the words of scikit-learn and LIBLINEAR, their default: l2 = 1 / (C rows).
L2 = {"narrow": 1e-5, "dense": 1e-6, "sparse": 1e-5}

# Configured by hand for a held-out loss near the best that anybody reaches; rates are `auto`
# unless named.
OSSAU_FIT = {
    "narrow": "fit budget=3 batch=256 momentum=0.9 schedule=cosine",
    "dense": "fit budget=3 batch=4096 momentum=0.9 schedule=cosine",
    "sparse": "fit budget=4 batch=16384 rate=1 momentum=0.99 schedule=cosine",
}

_DENSE_STEPS = {
    f"{rows}, {optimizer} SGD": f"rows={rows} optimizer={optimizer}"
    for rows in ("slices", "index_select")
    for optimizer in ("plain", "foreach", "fused")
}
_BAGS = {
    f"sparse={'sparse' in form}, {form.split('-')[1]} indices": f"form={form}"
    for form in ("sparse-int64", "sparse-int32", "dense-int64", "dense-int32")
}


def _epochs(data: str, forms: dict[str, str], target: float) -> list[Case]:
    cases = []
    for batch, rate in ((1024, 0.01), (16384, 0.1)):
        task = f"epoch batch={batch} rate={rate}"
        commands = {name: f"{task} {options}" for name, options in forms.items()}
        name = f"{data}: epoch, batch {batch:,}"
        cases.append(Case(name, data, "torch", task, commands, target))
    return cases


def _passes() -> list[Case]:
    return [
        Case("dense: full gradient", "dense", "torch", "pass",
             {"nn.Linear": "pass", "torch.compile": "pass form=compile"}, 3.0),
        Case("dense: full gradient, accumulated", "dense", "torch", "pass",
             {f"chunks of {rows:,} rows": f"pass chunk={rows}" for rows in (4096, 16384, 65536)}),
        Case("sparse: full gradient", "sparse", "torch", "pass",
             {name: f"pass {options}" for name, options in _BAGS.items()}),
        Case("sparse: shotgun round", "sparse", "xgboost", "pass", {"shotgun": "round"}, 1.3),
    ]  # fmt: skip


# Name -> peer, its forms, whether threads make a difference, and on which data.
_SGD = {
    "constant 0.01, averaged": "solver=sgd schedule=constant rate=0.01 average=yes",
    "constant 0.001, averaged": "solver=sgd schedule=constant rate=0.001 average=yes",
    "optimal (its default)": "solver=sgd",
}
_VW = {"online": "", "online, not penalised": "penalised=no"}
_ALL, _DENSE = ("narrow", "dense", "sparse"), ("narrow", "dense")
_SOLVERS = (
    ("scikit-learn lbfgs", "sklearn", {"lbfgs": "solver=lbfgs"}, True, _ALL),
    # On sparse data it would need a matrix of features x features.
    ("scikit-learn newton-cholesky", "sklearn",
     {"newton-cholesky": "solver=newton-cholesky"}, True, _DENSE),
    ("scikit-learn SGDClassifier", "sklearn", _SGD, False, _ALL),
    ("LIBLINEAR", "liblinear", {"-s 0 (trust-region Newton)": ""}, False, _ALL),
    ("XGBoost gblinear", "xgboost", {"shotgun": ""}, True, _ALL),
    # Dense is 100 million numbers as text.
    ("Vowpal Wabbit", "vw", _VW, False, ("narrow", "sparse")),
)  # fmt: skip


def _fits() -> list[Case]:
    cases = []
    for data in _ALL:
        l2 = f"l2={L2[data]}"
        for solver, peer, forms, threaded, where in _SOLVERS:
            commands = {form: f"fit {l2} {options}".strip() for form, options in forms.items()}
            case = Case(f"{data}: fit, {solver}", data, peer, f"{OSSAU_FIT[data]} {l2}", commands,
                        threaded=threaded, fit=True)  # fmt: skip
            if data in where:
                cases.append(case)
    return cases


CASES = [
    *_passes(),
    *_epochs("dense", _DENSE_STEPS, 3.0),
    *_epochs("sparse", _BAGS, 6.0),
    *_fits(),
]
