#!/usr/bin/env python3
"""Times Ossau and its peers to the same true distance from the optimum (README.md here).

    optimum.py --worker FILE --data FOLDER [--only TEXT]... [--large] [--rounds N] [--out FILE]
    optimum.py --table FILE        prints results as a table
    optimum.py --profile FILE      prints them as a performance profile, SVG
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "compare"))

import profile_svg  # noqa: E402
import reference  # noqa: E402
import sets  # noqa: E402
from workers import Worker, WorkerError  # noqa: E402

GAP = 1e-6  # true and relative, checked outside of every program
PEERS = ("scikit-learn", "glum", "LIBLINEAR", "Snap ML")
TOLERANCES = [10.0**-k for k in range(2, 13)]
LONGEST_S = 600.0  # of one fit of Ossau's
SLOWEST = 20.0  # times Ossau's time, or this many seconds at least: slower forms of peers are out
PATIENCE_S = 5.0


class Judge:
    """Tells how far a solution is from the optimum."""

    def __init__(self, folder: Path, l2: float):
        self.objective = reference.Objective(folder, l2)
        self.least = reference.minimum(self.objective)

    def gap(self, solution: Path) -> float:
        value = self.objective.value(np.fromfile(solution))
        self.least = min(self.least, value)
        return (value - self.least) / self.least


def fit(
    worker: Worker, command: str, solution: Path, judge: Judge, limit_s: float = LONGEST_S
) -> tuple[float, float, dict]:
    """Seconds, the true gap, and the answer."""
    answer = worker.ask(f"{command} solution={solution}", limit_s)
    return answer["seconds"], judge.gap(solution), answer


class Peer:
    """A program and the process that it runs in: a new one where the last was stopped."""

    def __init__(self, name: str, folder: Path):
        self.name = name
        self.command = [sys.executable, str(HERE / "peer.py"), name, str(folder)]
        self.log = folder / f"{name.replace(' ', '_')}.log"
        self.running: Worker | None = None

    def worker(self) -> Worker:
        if self.running is None or self.running.process.poll() is not None:
            self.running = Worker(self.name, self.command, self.log)
        return self.running

    def stop(self) -> None:
        if self.running is not None:
            self.running.stop()


def best_command(peer: Peer, l2: float, limit_s: float, judge: Judge, solution: Path):
    """The form, threads and loosest tolerance that reach the gap soonest, and why others do not."""
    best, refused = None, []
    worker = peer.worker()
    threads = sorted({1, os.cpu_count() or 1})
    for form in worker.program["forms"]:
        for count in threads:
            why = None
            for tolerance in TOLERANCES:
                command = f"fit form={form.replace(' ', '_')} tolerance={tolerance:g} l2={l2!r} threads={count}"
                try:
                    seconds, gap, _ = fit(worker, command, solution, judge, limit_s)
                except WorkerError as error:
                    why = str(error)
                    worker = peer.worker()  # another one where this was stopped
                    break
                if gap <= GAP:
                    if best is None or seconds < best[1]:
                        best = (command, seconds, f"{form}, {count} threads", gap)
                    why = None
                    break
                why = f"gap {gap:.1e} with tolerance {tolerance:g}"
                if seconds > limit_s:
                    why += f" after {seconds:.0f} s"
                    break
            if why is not None:
                refused.append(f"{form}: {why}")
                break  # more threads do not come nearer
    return best, refused


def alternate(workers: dict[str, tuple[Worker, str]], solution: Path, rounds: int) -> dict:
    """Everybody in turn; the medians."""
    seconds: dict[str, list[float]] = {name: [] for name in workers}
    for _ in range(rounds):
        for name, (worker, command) in workers.items():
            time.sleep(0.02)  # others' threads stop spinning
            answer = worker.ask(f"{command} solution={solution}", LONGEST_S)
            seconds[name].append(answer["seconds"])
    return {name: statistics.median(times) for name, times in seconds.items()}


def run_set(data_set: sets.DataSet, options: argparse.Namespace) -> dict:
    folder = options.data / data_set.name.replace(" ", "_").replace(",", "")
    if not (folder / "header.json").exists():
        sets.write(folder, data_set.make())
    header = json.loads((folder / "header.json").read_text())
    l2 = 1 / header["train_rows"]
    judge = Judge(folder, l2)
    solution = folder / "solution.f64"
    result = {"name": data_set.name, "rows": header["train_rows"], "features": header["features"],
              "sparse": header["sparse"], "l2": l2, "peers": {}}  # fmt: skip
    started: list[Worker | Peer] = []
    try:
        threads = os.cpu_count() or 1
        ours = Worker("Ossau", [str(options.worker), str(folder), str(threads)], folder / "ossau.log")
        started.append(ours)
        command = f"solve l2={l2!r}"
        seconds, gap, answer = fit(ours, command, solution, judge)
        result |= {"method": answer["method"], "claimed_gap": answer["gap"], "gap": gap,
                   "certified": answer["certified"], "passes": answer["passes"],
                   "gram_passes": answer["gram_passes"],
                   "pass_s": ours.ask("pass repeat=5", LONGEST_S)["seconds"]}  # fmt: skip
        limit_s = max(PATIENCE_S, SLOWEST * seconds)
        entrants = {"Ossau": (ours, command)}
        for name in PEERS:
            entry = result["peers"].setdefault(name, {})
            peer = Peer(name, folder)
            started.append(peer)
            try:
                best, entry["refused"] = best_command(peer, l2, limit_s, judge, solution)
            except WorkerError as error:
                entry["refused"] = [str(error)]
                continue
            entry["program"] = peer.worker().program["program"]
            if best is not None:
                entry |= {"form": best[2], "gap": best[3]}
                entrants[name] = (peer.worker(), best[0])
        medians = alternate(entrants, solution, options.rounds)
    finally:
        for worker in started:
            worker.stop()
    result["seconds"] = medians.pop("Ossau")
    for name, median in medians.items():
        result["peers"][name]["seconds"] = median
    return result


def machine() -> str:
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    names = [line.split(":", 1)[1].strip() for line in text.splitlines() if "model name" in line]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"


def commit() -> str:
    command = ["git", "-C", str(HERE), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def best_peer(result: dict) -> tuple[str, float] | None:
    times = {name: peer["seconds"] for name, peer in result["peers"].items() if "seconds" in peer}
    return min(times.items(), key=lambda item: item[1]) if times else None


def short(seconds: float) -> str:
    if seconds < 1e-3:
        return f"{1e6 * seconds:.0f} us"
    return f"{1e3 * seconds:.2g} ms" if seconds < 0.1 else f"{seconds:.2f} s"


def render(results: dict) -> str:
    lines = [f"{results['date']}, {results['machine']}, Ossau {results['commit']}\n\n",
             "| set | Ossau | reads + Grams, true gap | in full passes | best peer | | times faster |\n"
             "|---|---:|---|---:|---:|---|---:|\n"]  # fmt: skip
    ratios = []
    for r in results["sets"]:
        best = best_peer(r)
        size = f"{r['name']} ({r['rows']:,} x {r['features']:,}{', sparse' if r['sparse'] else ''})"
        ours = f"{r['method']} {r['passes']} + {r['gram_passes']}, {r['gap']:.0e}"
        theirs, form, ratio = "", "none reached it", ""
        if best is not None:
            ratios.append(best[1] / r["seconds"])
            theirs, ratio = short(best[1]), f"**{ratios[-1]:.2g}**"
            form = f"{best[0]}, {r['peers'][best[0]]['form']}"
        in_passes = r["seconds"] / r["pass_s"]
        lines.append(f"| {size} | {short(r['seconds'])} | {ours} | {in_passes:.0f} | {theirs} | {form} "
                     f"| {ratio} |\n")  # fmt: skip
    mean = statistics.geometric_mean(ratios) if ratios else float("nan")
    lines.append(f"\nGeometric mean over {len(ratios)} sets: {mean:.2f} times the best peer.\n")
    lines += [f"- skipped: {line}\n" for line in results["skipped"]]
    return "".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worker", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--table", type=Path)
    parser.add_argument("--profile", type=Path)
    options = parser.parse_args()
    if options.table:
        print(render(json.loads(options.table.read_text())), end="")
        return
    if options.profile:
        print(profile_svg.render(json.loads(options.profile.read_text())), end="")
        return
    results = {"date": date.today().isoformat(), "machine": machine(), "commit": commit(),
               "sets": [], "skipped": []}  # fmt: skip
    for data_set in sets.SETS:
        wanted = any(text in data_set.name for text in options.only) or not options.only
        if not wanted or (data_set.large and not options.large):
            continue
        try:
            results["sets"].append(run_set(data_set, options))
            print(f"{data_set.name}: {short(results['sets'][-1]['seconds'])}", file=sys.stderr)
        except (sets.MissingData, WorkerError) as error:
            results["skipped"].append(f"{data_set.name}: {error}")
            print(results["skipped"][-1], file=sys.stderr)
        if options.out:
            options.out.write_text(json.dumps(results, indent=1) + "\n")
    print(render(results), end="")


if __name__ == "__main__":
    main()
