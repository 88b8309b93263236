"""Starts Voicefleet on a machine that has Python and nothing else of ours. Standard library only.

    python start_optimized.py [demo|setup|test|up] [arguments of that command]

It sets up what is missing (see `modules/setup`), then hands over to the project's own environment. Progress goes to
standard error. Any Python from 3.7 on can read this file: an unfit one looks for a fit one and hands over to it.
"""

from __future__ import annotations

import os
import subprocess
import sys

OLDEST, BEYOND = (3, 11), (3, 13)
VERBS = ("demo", "setup", "test", "up")
ROOT = os.path.dirname(os.path.abspath(__file__))


def main(args: list[str]) -> int:
    """Runs one verb and returns its exit code."""
    if args[:1] in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    verb, rest = (args[0], args[1:]) if args else ("demo", [])
    if verb not in VERBS:
        print(
            f"missing: a known command\nwhy:     there is no {verb!r}\ntype:    one of {', '.join(VERBS)}",
            file=sys.stderr,
        )
        return 2
    if not OLDEST <= sys.version_info[:2] < BEYOND:
        return hand_over_to_fit_python(args)
    os.chdir(ROOT)
    sys.path.insert(0, ROOT)
    from modules.setup import SetupProblem

    try:
        return run(verb, rest)
    except SetupProblem as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130


def run(verb: str, args: list[str]) -> int:
    """Sets up what the verb needs, then runs it."""
    from modules.setup.everything import set_up
    from modules.setup.places import venv_python
    from modules.setup.progress import Progress

    if verb == "test":
        from modules.setup.check_run import run_checks

        return run_checks(args)
    progress = Progress()
    set_up(progress)
    if verb == "setup" and not args:
        progress.say("everything is here. Try: ./start_scripts/demo.sh")
        return 0
    return become([str(venv_python()), "-m", "modules", verb, *args])


def hand_over_to_fit_python(args: list[str]) -> int:
    """Runs this file again with a Python that fits, when the machine has one."""
    names = [["python3.11"], ["python3.12"], ["python3"], ["python"], ["py", "-3.11"], ["py", "-3.12"]]
    for command in names:
        if fits(command):
            return become([*command, os.path.join(ROOT, "start_optimized.py"), *args])
    have = ".".join(str(part) for part in sys.version_info[:3])
    fix = {"darwin": "brew install python@3.12", "win32": "winget install Python.Python.3.12"}
    print("missing: Python 3.11 or 3.12", file=sys.stderr)
    print(f"why:     this is Python {have}, and PATH has no other that fits", file=sys.stderr)
    print(f"type:    {fix.get(sys.platform, 'sudo apt-get install python3.11 python3.11-venv')}", file=sys.stderr)
    return 1


def fits(command: list[str]) -> bool:
    """Whether this command runs a Python of a version we support."""
    probe = f"import sys; sys.exit(not {OLDEST!r} <= sys.version_info[:2] < {BEYOND!r})"
    try:
        return subprocess.run([*command, "-c", probe], stderr=subprocess.DEVNULL, check=False).returncode == 0
    except OSError:
        return False


def become(command: list[str]) -> int:
    """Replaces this process, so that signals and exit codes are the command's own. Windows has no such thing."""
    if sys.platform == "win32":
        return subprocess.run(command, check=False).returncode
    sys.stdout.flush()
    sys.stderr.flush()
    os.execvp(command[0], command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
