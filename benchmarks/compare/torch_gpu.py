#!/usr/bin/env python3
"""Times Ossau and PyTorch on the same GPU: full gradients and SGD steps of logistic regression.

    torch_gpu.py [--ossau build/gpu/bin/gpu_gradient_bench] [--out FILE] [--only TEXT]...
                 [--size 4e9] [--samples 11]
    torch_gpu.py --device cpu --small    # walks through all of it without a GPU; proves nothing

It needs Python and PyTorch and nothing else: the data are generated, from a fixed seed.  Ossau's
program runs before PyTorch and again after it, with the GPU to itself each time; the mean of both
counts, and both are in the JSON, so that a GPU that grew hot or busy meanwhile shows.

What a row times

gradient/dense/d=D       One pass over all rows: scores, mean log loss, gradient of the weights and
                         the intercept.  As many rows as Ossau says it took, otherwise --size bytes.
step/dense/rows=B/d=D    One SGD step with a batch of B rows, update included: the time of an epoch
                         divided by its steps, taken from groups of consecutive steps.
step/sparse/rows=B/d=M   The same where a row is 40 different ones among a million features, their
                         numbers log-uniform: floor(10^(6u)).

PyTorch: nn.Linear or nn.EmbeddingBag(mode="sum"), BCEWithLogitsLoss, SGD, float32 without TF32.

What is fair about it, and what is not

* The best form of PyTorch is the one that counts.  Every case is tried eager, compiled, as a CUDA
  graph of several steps and as both; sparse rows with sparse and with dense gradients; full passes
  also in chunks that stay in the cache between forward and backward.  Compiling, capturing and
  warming up are not timed.  Every form first has to give the eager form's numbers; one that fails,
  or gives others, is listed with the reason and does not count.
* Times are CUDA events around work that lasts 5 ms at least: the median of the samples and its
  quartiles.  Data are in GPU memory before the clock starts, in each program's own layout.
* PyTorch's batches are rows drawn by an index on the GPU; shuffling that index is not timed.  Ossau
  draws tiles of 64 rows, in an order that it computes as it goes, within its time.
* PyTorch keeps float32 weights and adds up in whatever order is fast; Ossau keeps float64 weights
  and gives the same bits on every processor.  PyTorch has the lighter task.
* The loss is computed in each program and read in neither.
* Ossau's rows are its own, of the same shape and distribution, not the same numbers.
"""

from __future__ import annotations

import argparse
import datetime
import json
import multiprocessing
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "peers"))

try:
    from torch_gpu_peer import WIDE, Case, forms_of, serve
except ModuleNotFoundError as error:
    sys.exit(f"error: {error}: torch_gpu.py needs PyTorch (pip install torch)")

OSSAU = Path("build/gpu/bin/gpu_gradient_bench")
OSSAU_LIMIT_S, FORM_LIMIT_S, CLOSING_S = 600.0, 300.0, 30.0
BATCHES = (1024, 16384)
WIDE_ROWS = 1_000_000  # their indices are past the L2 cache as well

CASES = [
    *(Case("gradient", "dense", d) for d in (28, 100, 784)),
    *(Case("step", "dense", d, batch) for d in (28, 100, 784) for batch in BATCHES),
    *(Case("step", "sparse", WIDE, batch) for batch in BATCHES),
]


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


# --- Ossau's times ------------------------------------------------------------------------------

ALIASES = {"sparse_ones": "sparse", "pass": "gradient", "full_gradient": "gradient"}


def named_rows(value: object) -> Iterator[dict]:
    """Whatever has a name and seconds, wherever it stands in the JSON."""
    if isinstance(value, dict):
        if isinstance(value.get("name"), str) and isinstance(value.get("seconds"), (int, float)):
            yield value
        else:
            for inner in value.values():
                yield from named_rows(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from named_rows(inner)


def parts_of(name: str) -> frozenset[str]:
    words = name.lower().replace(",", "").replace("batch=", "rows=").split("/")
    return frozenset(ALIASES.get(word, word) for word in words)


def find_row(rows: list[dict], case: Case) -> dict | None:
    """The row with all parts of the case's name and the fewest others."""
    wanted = parts_of(case.name)
    matching = [row for row in rows if wanted <= parts_of(row["name"])]
    return min(matching, key=lambda row: len(parts_of(row["name"])), default=None)


def rows_in(row: dict | None) -> int | None:
    """Over how many rows Ossau's full pass went, if it says so."""
    if row is None:
        return None
    named = [part[5:] for part in parts_of(row["name"]) if part.startswith("rows=")]
    count = row.get("rows", named[0] if named else None)
    return int(count) if count is not None and str(count).isdigit() else None


def run_ossau(program: Path) -> list[dict]:
    command = [str(program), "--json"]
    say(" ".join(command))
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=OSSAU_LIMIT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SystemExit(f"error: {error}") from error
    if done.returncode != 0:
        raise SystemExit(f"error: {program} ended with {done.returncode}: {done.stderr[-2000:]}")
    text = done.stdout
    start = min((at for at in (text.find("{"), text.find("[")) if at >= 0), default=0)
    try:
        rows = list(named_rows(json.loads(text[start:])))
    except json.JSONDecodeError as error:
        raise SystemExit(f"error: {program} --json prints no JSON: {error}") from error
    if not rows:
        raise SystemExit(f"error: {program} --json names nothing with its seconds")
    return rows


# --- PyTorch's process --------------------------------------------------------------------------


class Peer:
    """PyTorch in a process of its own.  A failed capture may leave CUDA unusable, so whoever fails
    is replaced; and once it is closed, Ossau has the GPU to itself."""

    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.process = None
        self.pipe = None

    def start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, self.options), daemon=True)
        self.process.start()
        theirs.close()  # so that its death is an end of file here

    def close(self) -> None:
        if self.process is None:
            return
        self.pipe.close()
        self.process.join(CLOSING_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.process = None

    def ask(self, request: tuple | None) -> dict:
        if self.process is None:
            self.start()
        try:
            self.pipe.send(request)
            if self.pipe.poll(FORM_LIMIT_S):
                answer = self.pipe.recv()
            else:
                self.process.kill()
                answer = {"error": f"no answer within {FORM_LIMIT_S:.0f} s"}
        except (EOFError, OSError):
            answer = {"error": "its process ended"}
        if "error" in answer:
            self.close()
        return answer


# --- The whole ----------------------------------------------------------------------------------


def count_of(case: Case, ossau: list[dict], options: argparse.Namespace) -> int:
    """Rows: as many as Ossau's pass took, where it says so, but enough for a group of steps."""
    least = options.group * max(BATCHES)
    if case.layout == "sparse":
        return least if options.small else max(WIDE_ROWS, least)
    said = rows_in(find_row(ossau, Case("gradient", "dense", case.features)))
    count = int(options.size) // (4 * case.features) if said is None or options.small else said
    return count if case.kind == "gradient" else max(count, least)


def measure(
    peer: Peer, cases: list[Case], ossau: list[dict], options: argparse.Namespace
) -> list[dict]:
    done = {}
    for case in sorted(cases, key=lambda case: (case.layout, case.features)):  # by data
        count = count_of(case, ossau, options)
        say(f"{case.name}, of {count:,} rows")
        forms = []
        for form in forms_of(case, options.device):
            forms.append({"form": form.name, **peer.ask((case, form, count))})
            say(f"  {form_text(forms[-1])}")
        done[case] = {"name": case.name, "rows": count, "features": case.features,
                      "batch": case.batch, "forms": forms}  # fmt: skip
    return [done[case] for case in cases]


def conclude(case: Case, answer: dict, readings: list[list[dict]]) -> dict:
    """Adds Ossau's time, PyTorch's best form and the ratio, as far as there are any."""
    ours = [row for row in (find_row(rows, case) for rows in readings) if row]
    if case.kind == "gradient":  # a pass over other rows is no comparison
        ours = [row for row in ours if rows_in(row) in (None, answer["rows"])]
    if ours:
        answer["ossau_readings_s"] = [row["seconds"] for row in ours]
        answer["ossau_s"] = statistics.mean(answer["ossau_readings_s"])
    timed = [form for form in answer["forms"] if "seconds" in form]
    if timed:
        best = min(timed, key=lambda form: form["seconds"])
        answer["form"], answer["peer_s"] = best["form"], best["seconds"]
    if ours and timed:
        answer["ratio"] = answer["peer_s"] / answer["ossau_s"]
    return answer


# --- Output -------------------------------------------------------------------------------------

HEAD = """| work | Ossau | PyTorch | its best form | PyTorch / Ossau | all forms |
|---|---:|---:|---|---:|---|
"""


def seconds_text(value: float) -> str:
    for unit, scale in (("us", 1e6), ("ms", 1e3)):
        if value * scale < 1000:
            return f"{value * scale:.3g} {unit}"
    return f"{value:.3g} s"


def form_text(form: dict) -> str:
    if "error" in form:
        return f"{form['form']}: failed"
    spread = f"{seconds_text(form['low'])} to {seconds_text(form['high'])}"
    return f"{form['form']}: {seconds_text(form['seconds'])} ({spread})"


def row_text(case: dict) -> str:
    ours = seconds_text(case["ossau_s"]) if "ossau_s" in case else ""
    theirs = seconds_text(case["peer_s"]) if "peer_s" in case else "no form works"
    ratio = f"**{case['ratio']:.2f}**" if "ratio" in case else ""
    forms = "; ".join(form_text(form) for form in case["forms"])
    return f"| {case['name']} | {ours} | {theirs} | {case.get('form', '')} | {ratio} | {forms} |\n"


def render(results: dict) -> str:
    lines = [f"{results['date']}, {results['machine']}, {results['program']}\n\n", HEAD]
    lines += [row_text(case) for case in results["cases"]]
    failed = [
        f"- {case['name']}, {form['form']}: {form['error']}\n"
        for case in results["cases"]
        for form in case["forms"]
        if "error" in form
    ]
    return "".join(lines + (["\nWithout a result:\n\n", *failed] if failed else []))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ossau", type=Path, help=f"the program that times Ossau ({OSSAU})")
    parser.add_argument("--out", type=Path, help="results as JSON")
    parser.add_argument("--only", action="append", default=[], help="rows whose name has this")
    parser.add_argument("--size", type=float, default=4e9, help="bytes of dense rows")
    parser.add_argument("--samples", type=int, default=11, help="of each form")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--small", action="store_true", help="tiny data; proves nothing")
    options = parser.parse_args()
    if options.samples < 11 and not options.small:
        parser.error("--samples: fewer than 11 say too little")
    if options.samples < 3:
        parser.error("--samples: quartiles need 3")
    options.group = 2 if options.small else 16  # steps of one graph
    if options.small:
        options.size = 4e6
    return options


def compare(peer: Peer, options: argparse.Namespace) -> dict:
    program = options.ossau or OSSAU
    asked = options.ossau is not None or program.exists()
    if not asked:
        say(f"{program} is not there: PyTorch alone is measured")
    about = peer.ask(None)
    if "error" in about:
        raise SystemExit(f"error: {about['error']}")
    peer.close()
    wanted = [
        case
        for case in CASES
        if not options.only or any(text in case.name for text in options.only)
    ]
    readings = [run_ossau(program)] if asked else []
    answers = measure(peer, wanted, readings[0] if readings else [], options)
    peer.close()
    readings += [run_ossau(program)] if asked else []
    return {
        "date": datetime.date.today().isoformat(),
        **about,
        "device": options.device,
        "small": options.small,
        "ossau": str(program) if asked else None,
        "cases": [
            conclude(case, answer, readings) for case, answer in zip(wanted, answers, strict=True)
        ],
    }


def main() -> None:
    options = arguments()
    peer = Peer(options)
    try:
        results = compare(peer, options)
    finally:
        peer.close()
    if options.out is not None:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(results, indent=1) + "\n")
    print(render(results), end="")


if __name__ == "__main__":
    main()
