"""A program of one recorder, for tests to kill: python -m tests.sql.recording_process REDIS_URL DATABASE_URL [LOGS_DIR]."""

import asyncio
import signal
import sys
from pathlib import Path

from modules.call_history import Recorder, open_history
from modules.call_queue_manager import connect


async def main(redis_url: str, database_url: str, logs_dir: str = "") -> None:
    """Record until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    store = await connect(redis_url, blocking_s=1)
    history = await open_history(database_url)
    try:
        await Recorder(store, history, logs_dir=Path(logs_dir) if logs_dir else None).run(stop)
    finally:
        await history.close()
        await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
