"""Choosing a peer's best form and budget, and timing Ossau and the peer in turn."""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import dataclass

from cases import Case
from workers import Worker, WorkerError

# A fit counts as equally good within this share of the loss: what the last digits of float32
# scores and the whole steps of budgets make of it.
LOSS_TOLERANCE = 1e-4
LONGEST_S = 90.0  # of one answer; slower forms are out
LONGEST_FIT_S = 20.0  # no longer fits are tried ...
FIT_SHARE, SHORT_FIT_S = 200.0, 2.0  # ... nor any beyond 200 times Ossau's time and 2 s
LONGEST_CASE_S = 15.0  # beyond, three rounds have to do
FEWEST_ROUNDS = 3
BURST_S, MOST_REPEATS = 0.3, 20  # quick work is repeated: training does not start from sleep
PAUSE_S = 0.02  # the other's threads stop spinning


@dataclass
class Choice:
    """A peer's best way to do a case."""

    form: str
    command: str
    seconds: float
    loss: float | None = None


def ask(worker: Worker, command: str) -> dict:
    time.sleep(PAUSE_S)
    return worker.ask(command, LONGEST_S)


def in_bursts(command: str, seconds: float) -> str:
    """The command, repeated where one run is quick."""
    return f"{command} repeat={max(1, min(MOST_REPEATS, int(BURST_S / seconds)))}"


def candidates(case: Case) -> list[tuple[str, str]]:
    threads = sorted({1, os.cpu_count() or 1}) if case.threaded else [1]
    return [
        (f"{form}, {count} thread{'s' if count > 1 else ''}", f"{command} threads={count}")
        for form, command in case.forms.items()
        for count in threads
    ]


def choose_form(worker: Worker, case: Case) -> tuple[Choice, list[str]]:
    """The fastest form, each tried cold and then in a burst, and what could not be tried."""
    best, refused = None, []
    for form, command in candidates(case):
        try:
            answer = ask(worker, command)
            if best is None or answer["seconds"] < 3 * best.seconds:
                answer = ask(worker, in_bursts(command, answer["seconds"]))
        except WorkerError as error:
            refused.append(f"{form}: {error}")
            continue
        if best is None or answer["seconds"] < best.seconds:
            best = Choice(form, command, answer["seconds"], answer.get("loss"))
    if best is None:
        raise WorkerError("; ".join(refused))
    return best, refused


def least_budget(worker: Worker, command: str, loss: float, limit_s: float) -> int:
    """The least budget whose fit reaches `loss`, found by doubling and halving."""
    tried: dict[int, dict] = {}

    def reaches(budget: int) -> bool:
        tried[budget] = ask(worker, f"{command} budget={budget}")
        return tried[budget]["loss"] <= loss

    low, high = 0, 1
    while not reaches(high):
        losses = [answer["loss"] for answer in tried.values()]
        rising = len(losses) > 3 and losses[-1] > losses[-2] > losses[-3]
        if rising or tried[high]["seconds"] > limit_s / 2:
            most = tried[high]["seconds"]
            raise WorkerError(f"held-out loss {min(losses):.5f} at best within {most:.1f} s")
        low, high = high, 2 * high
    while high - low > max(1, high // 16):
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return high


def choose_fit(
    worker: Worker, case: Case, loss: float, our_seconds: float
) -> tuple[Choice, list[str]]:
    """The form that reaches `loss` soonest.  More threads need the same budget."""
    limit_s = min(LONGEST_FIT_S, max(SHORT_FIT_S, FIT_SHARE * our_seconds))
    best, refused, budgets = None, [], {}
    for form, command in candidates(case):
        base = command.rsplit(" threads=", 1)[0]
        if budgets.get(base, 1) is None:
            continue  # one thread did not reach it either
        try:
            if base not in budgets:
                budgets[base] = None
                if best is not None:  # what takes twice as long is no candidate
                    limit_s = min(limit_s, 4 * best.seconds)
                budgets[base] = least_budget(worker, command, loss, limit_s)
            answer = ask(worker, f"{command} budget={budgets[base]}")
        except WorkerError as error:
            refused.append(f"{form}: {error}")
            continue
        if best is None or answer["seconds"] < best.seconds:
            name = f"{form}, budget {budgets[base]}"
            command = f"{command} budget={budgets[base]}"
            best = Choice(name, command, answer["seconds"], answer["loss"])
    if best is None:
        raise WorkerError("; ".join(refused))
    return best, refused


def warm_up(worker: Worker, command: str, seconds: float) -> str:
    """The command as it is to be timed.  seconds: of an earlier run; long work warms itself up."""
    if seconds < SHORT_FIT_S / 2:
        seconds = ask(worker, command)["seconds"]
    return in_bursts(command, seconds)


def alternate(
    ours: Worker, our_command: str, our_seconds: float, peer: Worker, choice: Choice, rounds: int
) -> dict:
    """Ossau, peer, Ossau, peer ...; at least `rounds` pairs, three times as many of quick ones."""
    our_command = warm_up(ours, our_command, our_seconds)
    their_command = warm_up(peer, choice.command, choice.seconds)
    pairs, losses = [], (None, None)
    start = time.perf_counter()
    while True:
        a, b = ask(ours, our_command), ask(peer, their_command)
        pairs.append((a["seconds"], b["seconds"]))
        losses = (a.get("loss"), b.get("loss"))
        spent = time.perf_counter() - start
        if len(pairs) >= 3 * rounds or (len(pairs) >= rounds and spent > 2):
            break
        if len(pairs) >= min(FEWEST_ROUNDS, rounds) and spent > LONGEST_CASE_S:
            break
    ratios = [theirs / our for our, theirs in pairs]
    return {
        "rounds": len(pairs),
        "ossau_s": statistics.median(our for our, _ in pairs),
        "peer_s": statistics.median(theirs for _, theirs in pairs),
        "ratio": statistics.median(ratios),
        "least_ratio": min(ratios),
        "largest_ratio": max(ratios),
        "ossau_loss": losses[0],
        "peer_loss": losses[1],
    }
