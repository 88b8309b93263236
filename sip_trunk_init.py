"""One-shot: makes livekit-server's stored trunks and dispatch rule equal the configuration, then ends. Safe to repeat, and to
run many times at once. The same as `./voicefleet trunks ensure`, with log lines instead of a table.

Calls that go out need nothing stored: their trunk travels with each call. `--store-outbound` stores those trunks too, for
other programs that share this livekit-server.
"""

import argparse
import asyncio
import sys

from config import Settings, load
from modules.call_queue_manager import connect
from modules.calls.errors import VoicefleetError
from modules.conversation.answered import NumbersUnknown, answered
from modules.metrics_logger import configure, get_logger
from modules.sip_management.client import AWAY, sip_client, why
from modules.sip_management.ensure import dry_run, ensure
from modules.sip_management.plan import Change
from modules.sip_management.trunks import TrunksUnusable, configured
from modules.sip_management.wanted import wanted

log = get_logger("sip_trunk_init")


async def main(store_outbound: bool, dry: bool) -> int:
    settings = load()
    configure(settings.log_format, settings.log_level)
    try:
        anything = bool(configured(settings))
        if not anything:
            log.info("trunks.none", meaning="no trunk is configured; no call can be made")
        return await _ensure(settings, store_outbound=store_outbound, dry=dry)
    except TrunksUnusable as error:
        log.error("trunks.unusable", error=error.message)
        return 2
    except NumbersUnknown as error:  # calls that go out do not wait for that; the monitor goes on trying
        log.error("trunks.not_ensured", error=error.message)
        return 0
    except VoicefleetError as error:
        log.error("redis.away", error=error.message, next="check that Redis runs and REDIS_URL names it")
    except AWAY as error:
        if not anything:
            return 0
        log.error("livekit.away", error=why(error), next="check that livekit-server runs with Redis and LIVEKIT_URL names it")
    return 1


async def _ensure(settings: Settings, *, store_outbound: bool, dry: bool) -> int:
    wishes = wanted(settings, answered(settings), store_outbound=store_outbound)
    fleet = settings.livekit_agent_name
    async with sip_client(settings) as lkapi:
        changes = await dry_run(lkapi, wishes.wishes, fleet)
        if any(change.doing != "keep" for change in changes) and not dry:
            store = await connect(settings.redis_url)
            try:
                changes = await ensure(lkapi, store, wishes.wishes, fleet)
            finally:
                await store.close()
    for problem in wishes.problems:
        log.warning("trunks.problem", problem=problem)
    for change in changes:
        _tell(change, dry=dry)
    return 0


def _tell(change: Change, *, dry: bool) -> None:
    told = {"noun": change.noun, "name": change.name, "id": change.id, "fields": list(change.fields)}
    if change.refused:
        log.error("trunks.refused", **told, reason=change.refused, next="./voicefleet trunks status shows what is in the way")
    else:
        log.info("trunks.would" if dry else "trunks.did", did=change.doing, **told)
    if change.extra_ids:
        log.warning("trunks.doubled", name=change.name, extra_ids=list(change.extra_ids), next="delete what nothing uses")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store-outbound", action="store_true", help="store the outbound trunks too")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    given = parser.parse_args()
    sys.exit(asyncio.run(main(given.store_outbound, given.dry_run)))
