"""The processes that compare.py asks in turn; one that is not asked waits for its next line."""

from __future__ import annotations

import json
import select
import subprocess
from pathlib import Path


class WorkerError(Exception):
    """What a worker could not do, in one line."""


class Worker:
    def __init__(self, name: str, command: list[str], log: Path):
        self.name = name
        self.log = log
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
            )
        try:
            self.program = self.ask("describe", timeout_s=300)  # data are loaded first
        except WorkerError:
            self.stop()
            raise

    def ask(self, command: str, timeout_s: float) -> dict:
        """Throws WorkerError when it fails, dies or says nothing for so long."""
        try:
            self.process.stdin.write(f"{command}\n".encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # its last words are in the log
        ready, _, _ = select.select([self.process.stdout], [], [], timeout_s)
        if not ready:
            self.process.kill()
            self.process.wait()
            raise WorkerError(f"no answer to `{command}` in {timeout_s:.0f} s")
        line = self.process.stdout.readline()
        if not line:
            raise WorkerError(self.last_words())
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer

    def last_words(self) -> str:
        self.process.wait()
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"ended with status {self.process.returncode}"

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
