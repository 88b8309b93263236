"""`python -m modules.api_server`: one API process. SIGTERM ends event streams, lets requests finish, closes and exits 0."""

import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

import uvicorn
from pydantic import ValidationError

from config import Settings
from modules.api_server.app import create_app
from modules.calls.errors import VoicefleetError
from modules.metrics_logger import configure

DRAIN_S = 10


class _Server(uvicorn.Server):
    """Uvicorn that ends open event streams when it is asked to leave, and leaves with 0."""

    def __init__(self, config: uvicorn.Config, leaving: Callable[[], None]) -> None:
        super().__init__(config)
        self._leaving = leaving

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave on SIGTERM and SIGINT; a second one forces."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: self._leave())
        yield

    def _leave(self) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True
        self._leaving()


def main() -> int:
    """Read the settings, serve until told to stop."""
    try:
        settings = Settings()  # type: ignore[call-arg]  # its values come from the environment
    except ValidationError as error:
        print(f"The settings cannot be used:\n{error}", file=sys.stderr)
        return 2
    configure(settings.log_format, settings.log_level)
    try:
        app = create_app(settings)
    except VoicefleetError as error:  # trunks.yaml is broken
        print(f"The settings cannot be used: {error.message}", file=sys.stderr)
        return 2
    config = uvicorn.Config(
        app, host=settings.api_host, port=settings.api_port, log_config=None, access_log=False, server_header=False,
        timeout_graceful_shutdown=DRAIN_S, http="h11", ws="none", lifespan="on",
    )  # fmt: skip
    server = _Server(config, leaving=lambda: app.state.fan_out.close())
    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
