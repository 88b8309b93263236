"""The order of a whole set-up: Python environment, programs, `.env`. Safe to repeat; a second run only looks."""

from modules.setup.desktop_parts import get_chromium, get_flite
from modules.setup.env_file import complete_env_file
from modules.setup.exclusive import exclusive
from modules.setup.livekit_server import get_livekit_server
from modules.setup.places import PROJECT, cache_dir
from modules.setup.progress import Progress
from modules.setup.python_env import make_python_env
from modules.setup.redis_server import get_redis_server


def set_up(progress: Progress) -> None:
    """What running needs."""
    with exclusive(PROJECT / ".cache" / "setup.lock", progress):
        make_python_env(progress)
        _get_programs(progress)
        complete_env_file(progress)


def set_up_for_tests(progress: Progress) -> None:
    """What the tests need. They bring their own secrets, so `.env` is not touched."""
    with exclusive(PROJECT / ".cache" / "setup.lock", progress):
        make_python_env(progress, dev=True)
        _get_programs(progress)
        get_chromium(progress)


def _get_programs(progress: Progress) -> None:
    with exclusive(cache_dir() / "setup.lock", progress):
        get_redis_server(progress)
        get_livekit_server(progress)
        get_flite(progress)
