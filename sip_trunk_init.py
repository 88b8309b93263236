"""One-shot: makes livekit-server's stored trunk equal the configuration, then ends.

By default nothing has to be stored: SIP_TRUNK_HOSTNAME, SIP_AUTH_USERNAME, SIP_AUTH_PASSWORD and SIP_FROM_NUMBER travel with
each call. `--store` stores them as a trunk, for other programs that share this livekit-server. Safe to repeat. Do not run
two of these at once.
"""

import argparse
import asyncio
import sys

import aiohttp
from livekit import api

from config import Settings, load
from modules.metrics_logger import configure, get_logger
from modules.sip_management.ensure import ensure, outbound_trunks
from modules.sip_management.findings import OUTBOUND, look, wanted_outbound

log = get_logger("sip_trunk_init")


async def main(store: bool) -> int:
    settings = load()
    configure(settings.log_format, settings.log_level)
    if not (settings.sip_outbound_trunk_id or settings.sip_trunk_hostname):
        log.info("trunks.none", meaning="no carrier is configured; only simulated calls are possible")
        return 0
    key, secret = settings.livekit_api_key, settings.livekit_api_secret.get_secret_value()
    async with api.LiveKitAPI(settings.http_url, key, secret) as lkapi:
        try:
            return await (_store(settings, lkapi) if store else _check(settings, lkapi))
        except (api.ServerError, aiohttp.ClientError, TimeoutError) as error:
            log.error("livekit.away", error=str(error), next="check that livekit-server runs and LIVEKIT_URL names it")
            return 1


async def _check(settings: Settings, lkapi: api.LiveKitAPI) -> int:
    findings = await look(settings, lkapi)
    for finding in findings:
        (log.info if finding.ok else log.warning)("trunks.checked", what=finding.what, ok=finding.ok, detail=finding.detail)
    return 0 if all(finding.ok for finding in findings if finding.what != "carrier") else 1


async def _store(settings: Settings, lkapi: api.LiveKitAPI) -> int:
    wanted = wanted_outbound(settings)
    if wanted is None:
        log.error("trunks.incomplete", next="set SIP_TRUNK_HOSTNAME and SIP_FROM_NUMBER")
        return 2
    done = await ensure(outbound_trunks(lkapi), OUTBOUND, wanted)
    log.info("trunks.stored", did=done.did, trunk_id=done.id)
    if done.extra_ids:
        log.warning("trunks.doubled", extra_ids=list(done.extra_ids), next="delete these by hand when nothing uses them")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", action="store_true", help="store the trunk in livekit-server")
    sys.exit(asyncio.run(main(parser.parse_args().store)))
