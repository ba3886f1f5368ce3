"""How a worker talks with compare.py: a command a line in, a line of JSON out.

A command is a task's name and NAME=VALUE pairs, for example `epoch batch=1024 threads=2`.  With
repeat=N the task is done N times in a row, and the answer's `seconds` is their median.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
from collections.abc import Callable

Options = dict[str, str]
Task = Callable[[Options], dict]


def repeat(task: Task, options: Options) -> dict:
    answers = [task(options) for _ in range(int(options.pop("repeat", 1)))]
    return answers[-1] | {"seconds": statistics.median(answer["seconds"] for answer in answers)}


def serve(tasks: dict[str, Task]) -> None:
    """Answers until standard input ends."""
    # What a library prints must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        name, *pairs = line.split()
        options = dict(pair.split("=", 1) for pair in pairs)
        try:
            answer = tasks[name](options) if name == "describe" else repeat(tasks[name], options)
        except Exception as error:  # compare.py tells what was refused, and goes on
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)
