"""Runs another program for the set-up: no standard input, output kept, its last lines shown when it fails."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_TAIL_LINES = 15


class CommandFailed(Exception):
    """A program the set-up ran ended with an error; the message is the end of its output."""


def run(args: Sequence[str | Path], env: Mapping[str, str] | None = None, timeout_s: float | None = None) -> str:
    """The program's output. Output and errors come as one text; `env` is added to this process's own."""
    command = [str(arg) for arg in args]
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
            check=False,
            encoding="utf-8",
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CommandFailed(f"{command[0]}: {error}") from error
    if done.returncode != 0:
        tail = "\n".join(done.stdout.strip().splitlines()[-_TAIL_LINES:])
        raise CommandFailed(f"{command[0]} ended with {done.returncode}\n{tail}")
    return done.stdout
