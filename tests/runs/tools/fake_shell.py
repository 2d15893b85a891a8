"""A shell whose answers are written down, and which remembers what it was asked."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from runs.tools import Finished, Job


class FakeShell:
    def __init__(self, **answers: Finished) -> None:
        self.answers = answers
        self.asked: list[tuple[list[str], dict[str, str]]] = []

    def __call__(self, argv: list[str], env: Mapping[str, str], timeout_s: float) -> Finished:
        self.asked.append((argv, dict(env)))
        for word, answer in self.answers.items():
            if any(argument.strip("-") == word for argument in argv):
                return answer
        raise AssertionError(f"nobody told the shell what to answer to {argv}")


def said(stdout: str = "", stderr: str = "", code: int = 0) -> Finished:
    return Finished(code, stdout, stderr)


def job_in(workdir: Path, *, seconds: float = 60, users: int | None = None, **words: Any) -> Job:
    script = workdir / "script"
    duration = timedelta(seconds=seconds)
    return Job("7", script, workdir, "http://site.example", duration, users, 6565, **words)


def executable(path: Path) -> Path:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def bring(job: Job, files: Mapping[str, str]) -> None:
    """Files of a run, beside its script."""
    for name, text in files.items():
        path = job.workdir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
