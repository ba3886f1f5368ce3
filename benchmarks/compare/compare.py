#!/usr/bin/env python3
"""Times Ossau and its peers in turn on the same data; run.sh makes what it needs and calls it.

    compare.py --worker OSSAU_WORKER --data FOLDER [--out FILE] [--rounds 5] [--only TEXT]...
               [--publish]
    compare.py --table FILE
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import measure
import table
from cases import CASES, PEERS, Case
from workers import Worker, WorkerError

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parent / "results"


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


class Choices:
    """Forms and budgets found before, so that a repeated run need not search."""

    def __init__(self, path: Path, fresh: bool):
        self.path = path
        self.known = {} if fresh or not path.exists() else json.loads(path.read_text())

    def get(self, key: str) -> dict | None:
        return self.known.get(key)

    def put(self, key: str, found: dict) -> dict:
        self.known[key] = found
        self.path.write_text(json.dumps(self.known, indent=1))
        return found


class Comparison:
    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.threads = os.cpu_count() or 1
        self.choices = Choices(options.data / "choices.json", options.fresh)
        self.skipped: list[str] = []
        self.cases: list[dict] = []
        self.commit = commit()  # as it is when the run begins
        self.simd = ""
        self.first: dict[str, dict] = {}  # Ossau's answer to each of its commands

    def run(self, cases: list[Case]) -> None:
        for data in dict.fromkeys(case.data for case in cases):
            ours = self.start("ossau", data)
            self.simd = ours.program["simd"]
            for peer in PEERS:
                chosen = [case for case in cases if (case.data, case.peer) == (data, peer)]
                if chosen:
                    self.with_peer(ours, peer, data, chosen)
            ours.stop()

    def start(self, name: str, data: str) -> Worker:
        folder = str(self.options.data / data)
        if name == "ossau":
            command = [str(self.options.worker), folder, str(self.threads)]
        else:
            command = [sys.executable, str(HERE / "peers" / f"{name}_peer.py"), folder]
        return Worker(name, command, self.options.data / f"{name}.log")

    def with_peer(self, ours: Worker, name: str, data: str, cases: list[Case]) -> None:
        peer = None
        for case in cases:
            try:
                if peer is None or peer.process.poll() is not None:  # or killed for its silence
                    peer = self.start(name, data)
            except WorkerError as error:
                self.skip(f"{name} on {data}: {error}")
                return
            result = {"name": case.name, "peer": name, "target": case.target, "fit": case.fit}
            result["program"] = peer.program["program"]
            try:
                result |= self.measure(ours, peer, case, result)
            except WorkerError as error:
                result["skipped"] = str(error)
            self.cases.append(result)
            say(table.row(result).strip())
        peer.stop()

    def measure(self, ours: Worker, peer: Worker, case: Case, result: dict) -> dict:
        first = self.first_answer(ours, case)
        goal = None
        if case.fit:
            goal = (first["loss"] * (1 + measure.LOSS_TOLERANCE), first["seconds"])
            result |= {"ossau_s": first["seconds"], "ossau_loss": first["loss"]}
        choice = self.choose(peer, case, goal)
        rounds = self.options.rounds
        measured = measure.alternate(ours, case.ours, first["seconds"], peer, choice, rounds)
        self.check_same_work(case, measured)
        return {"form": choice.form, "command": choice.command, "ossau": case.ours} | measured

    def first_answer(self, ours: Worker, case: Case) -> dict:
        key = f"{case.data} {case.ours}"
        if key not in self.first:
            self.first[key] = measure.ask(ours, case.ours)
        return self.first[key]

    def check_same_work(self, case: Case, measured: dict) -> None:
        """Passes and epochs leave nearly the same loss, or they were not the same work."""
        a, b = measured["ossau_loss"], measured["peer_loss"]
        if not case.fit and b is not None and abs(a - b) > 1e-3 * a:
            self.skip(f"{case.name}: log losses differ, Ossau's {a:.5f}, {case.peer}'s {b:.5f}")

    def choose(self, peer: Worker, case: Case, goal: tuple[float, float] | None) -> measure.Choice:
        """The best form; for a fit also the budget.  goal: the loss, and Ossau's seconds to it."""
        key = f"{case.name} | {peer.program['program']} | {sorted(case.forms.items())}"
        if goal is not None:
            key += f" | {goal[0]:.8f}"
        found = self.choices.get(key) or self.choices.put(key, self.search(peer, case, goal))
        for line in found["refused"]:
            self.skip(f"{case.name}, {peer.name}, {line}")
        if "failed" in found:
            raise WorkerError(found["failed"])
        return measure.Choice(**found["choice"])

    @staticmethod
    def search(peer: Worker, case: Case, goal: tuple[float, float] | None) -> dict:
        try:
            if goal is None:
                choice, refused = measure.choose_form(peer, case)
            else:
                choice, refused = measure.choose_fit(peer, case, *goal)
        except WorkerError as error:
            return {"failed": str(error), "refused": []}
        return {"choice": vars(choice), "refused": refused}

    def skip(self, line: str) -> None:
        first = line.splitlines()[0][:200]
        self.skipped.append(first)
        say(f"skipped: {first}")

    def results(self) -> dict:
        return {
            "date": datetime.date.today().isoformat(),
            "machine": machine_name(),
            "commit": self.commit,
            "simd": self.simd,
            "threads": self.threads,
            "cases": self.cases,
            "skipped": self.skipped,
        }


def machine_name() -> str:
    names = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return f"{names[0] if names else os.uname().machine}, {os.cpu_count()} cores"


def slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def commit() -> str:
    command = ["git", "-C", str(HERE), "describe", "--always", "--dirty", "--exclude=*"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip() or "unknown"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worker", type=Path, help="the program ossau_worker")
    parser.add_argument("--data", type=Path, help="what generate_data wrote")
    parser.add_argument("--out", type=Path, help="results as JSON")
    parser.add_argument("--rounds", type=int, default=5, help="at least so many pairs of runs")
    parser.add_argument("--only", action="append", default=[], help="rows whose name has this")
    parser.add_argument("--fresh", action="store_true", help="search for forms and budgets again")
    parser.add_argument("--publish", action="store_true", help="renew results/ and the README")
    parser.add_argument("--table", type=Path, help="print an earlier run's table, measure nothing")
    options = parser.parse_args()
    if options.table is None and not (options.worker and options.data):
        parser.error("--worker and --data are needed (benchmarks/compare/run.sh gives them)")
    return options


def main() -> None:
    options = arguments()
    if options.table is not None:
        print(table.render(json.loads(options.table.read_text())), end="")
        return
    wanted = [
        case
        for case in CASES
        if not options.only or any(text in f"{case.name} {case.peer}" for text in options.only)
    ]
    comparison = Comparison(options)
    comparison.run(wanted)
    results = comparison.results()
    if options.publish:
        options.out = RESULTS / f"{results['date']}-{slug(results['machine'])}-compare.json"
        page = HERE / "README.md"
        page.write_text(table.renew(page.read_text(), results))
    if options.out is not None:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(results, indent=1) + "\n")
    print(table.render(results), end="")


if __name__ == "__main__":
    main()
