"""Nothing of a fleet outlives it: a tiny process that kills every part when the fleet's own process is gone, however it went.

`watch` reads process groups from a pipe whose other end only the fleet holds; the end of the pipe is the fleet's end.
`enter` puts a part into its own group, tells the watcher before the part's program starts, and becomes that program, so
there is no moment in which a part is unknown. Standard library only: it is started as a file, without importing the package.
"""

import os
import signal
import sys
from typing import NoReturn

GONE = b"-"
HERE = b"+"


def watch(pipe: int) -> None:
    """Keep the list of groups until the pipe ends, then kill what is left of them."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    with os.fdopen(pipe, "rb") as lines:
        for line in lines:
            group = int(line[1:])
            (groups.add if line[:1] == HERE else groups.discard)(group)
    for group in groups:
        kill_group(group)


def enter(pipe: int, command: list[str]) -> NoReturn:
    """Become `command` in a group of its own that the watcher knows."""
    os.setsid()
    os.write(pipe, HERE + b"%d\n" % os.getpid())
    os.close(pipe)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        os._exit(127)


def kill_group(group: int) -> None:
    """SIGKILL to a group that may have ended already."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


if __name__ == "__main__":
    if sys.argv[1] == "watch":
        watch(int(sys.argv[2]))
    else:
        enter(int(sys.argv[2]), sys.argv[3:])
