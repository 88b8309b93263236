"""`disconnect twilio`: undoes what the ledger names, newest first. What others changed or joined since is left, and told.

Each thing leaves the ledger as soon as it is gone, so a run that was cut goes on where it stopped.
"""

from collections.abc import Awaitable
from typing import Any

from modules.sip_management.twilio.countries import set_country
from modules.sip_management.twilio.errors import NOT_FOUND, TwilioTrouble
from modules.sip_management.twilio.found_or_made import COUNTRY, LIST, NUMBER, ORIGINATION, TRUNK, USER, USERS_OF_TRUNK
from modules.sip_management.twilio.ledger import Ledger
from modules.sip_management.twilio.release import Releases, release_or_keep
from modules.sip_management.twilio.steps import Did, Step, Tell

_BY_HAND = "delete it at console.twilio.com when nothing uses it"


async def disconnect(
    client: Any, ledger: Ledger, tell: Tell, releases: Releases = lambda _: False, *, dry_run: bool = False
) -> bool:
    """Undo, telling each step; return whether everything of ours is gone. Raises TwilioTrouble.

    `releases` is asked about a number that was bought; without it the number stays in the account.
    """
    whole = await _Disconnecting(client, ledger, tell, dry_run).run()
    await release_or_keep(client, ledger, tell, releases, dry_run=dry_run)
    return whole


class _Disconnecting:
    def __init__(self, client: Any, ledger: Ledger, tell: Tell, dry_run: bool) -> None:
        self._client = client
        self._ledger = ledger
        self._tell = tell
        self._dry_run = dry_run
        self._left = False

    async def run(self) -> bool:
        trunk = await self._our_trunk()
        await self._number(trunk)
        if trunk and await self._shared(trunk):
            self._leave(TRUNK, f"trunk {trunk.domain_name}: it carries what this command did not attach", _BY_HAND)
        else:
            await self._trunk(trunk)
            await self._users()
        for kind in [kind for kind in self._ledger.things if kind.startswith(COUNTRY)]:
            await self._country(kind)
        return not self._left

    async def _our_trunk(self) -> Any:
        """Return our trunk where it is still there and still ours by SID or name."""
        if TRUNK not in self._ledger.things:
            return None
        trunks = {one.sid: one for one in await self._client.trunking.v1.trunks.list_async()}
        by_name = next((one for one in trunks.values() if one.friendly_name == self._ledger.marker), None)
        return trunks.get(self._ledger.sid(TRUNK) or "") or by_name

    async def _shared(self, trunk: Any) -> bool:
        """Whether somebody else has renamed our trunk, or attached things of their own to it."""
        there = self._client.trunking.v1.trunks(trunk.sid)
        users = {one.sid for one in await there.credentials_lists.list_async()} - {self._ledger.sid(LIST)}
        urls = {one.sid for one in await there.origination_urls.list_async() if one.friendly_name != self._ledger.marker}
        ours = self._ledger.things.get(NUMBER, {}).get("number_sid")
        numbers = {one.sid for one in await there.phone_numbers.list_async()} - {ours}
        intended = LIST in self._ledger.things and not self._ledger.sid(LIST)
        return trunk.friendly_name != self._ledger.marker or bool(numbers or urls or (users and not intended))

    async def _number(self, trunk: Any) -> None:
        known = self._ledger.things.get(NUMBER)
        if known is None:
            return
        numbers = {one.sid: one for one in await self._client.incoming_phone_numbers.list_async()}
        number: Any = numbers.get(known["number_sid"])
        attached = number is not None and trunk is not None and number.trunk_sid == trunk.sid
        # An earlier run may have been cut between detaching it and giving its program back.
        program = known.get("voice_application_sid")
        unanswered = program and number is not None and not (number.trunk_sid or number.voice_application_sid)
        if not (attached or unanswered):
            self._gone(NUMBER, f"number {known['name']} is not on our trunk any more")
            return

        async def undo() -> None:
            if attached:
                await self._client.trunking.v1.trunks(trunk.sid).phone_numbers(number.sid).delete_async()
            if program:
                await self._client.incoming_phone_numbers(number.sid).update_async(voice_application_sid=program)

        await self._undo(NUMBER, f"number {known['name']} is detached, and answered as before", undo())

    async def _trunk(self, trunk: Any) -> None:
        """Delete the trunk; what hangs on it (its users, its origination) goes with it."""
        if trunk:
            delete = self._client.trunking.v1.trunks(trunk.sid).delete_async()
            await self._undo(TRUNK, f"trunk {trunk.domain_name} (Twilio keeps that name for 30 days)", delete)
        elif TRUNK in self._ledger.things:
            self._gone(TRUNK, "the trunk was gone already")
        for kind in (USERS_OF_TRUNK, ORIGINATION):
            if kind in self._ledger.things and not self._dry_run:
                self._ledger.forget(kind)

    async def _users(self) -> None:
        if LIST not in self._ledger.things:
            return
        lists = {one.sid: one for one in await self._client.sip.credential_lists.list_async()}
        by_name = next((one for one in lists.values() if one.friendly_name == self._ledger.marker), None)
        found = lists.get(self._ledger.sid(LIST) or "") or by_name
        if found is None:
            self._gone(LIST, "the list of SIP users was gone already")
            self._forget(USER)
            return
        username = self._ledger.things.get(USER, {}).get("name")
        users = self._client.sip.credential_lists(found.sid).credentials
        known = {one.username: one.sid for one in await users.list_async()}
        if others := known.keys() - {username}:
            if username in known:
                await self._undo(USER, "SIP user", users(known[username]).delete_async())
            self._leave(LIST, f"list of SIP users: {len(others)} in it are not ours", _BY_HAND)
            return
        await self._undo(LIST, "list of SIP users, with its user", self._client.sip.credential_lists(found.sid).delete_async())
        self._forget(USER)

    async def _country(self, kind: str) -> None:
        country = kind.removeprefix(COUNTRY)
        permission = await self._client.voice.v1.dialing_permissions.countries(country).fetch_async()
        if permission.low_risk_numbers_enabled:
            await self._undo(kind, f"calls to {country} are closed again", set_country(self._client, permission, opened=False))
        else:
            self._gone(kind, f"calls to {country} were closed already")

    async def _undo(self, kind: str, detail: str, work: Awaitable[Any]) -> None:
        if self._dry_run:
            if hasattr(work, "close"):
                work.close()
            self._tell(Step(_name(kind), Did.WOULD_UNDO, detail))
            return
        try:
            await work
        except TwilioTrouble as error:
            if error.code != NOT_FOUND:
                raise
        self._ledger.forget(kind)
        self._tell(Step(_name(kind), Did.UNDONE, detail))

    def _gone(self, kind: str, detail: str) -> None:
        self._forget(kind)
        self._tell(Step(_name(kind), Did.KEPT, detail))

    def _forget(self, kind: str) -> None:
        if not self._dry_run:
            self._ledger.forget(kind)

    def _leave(self, kind: str, detail: str, fix: str) -> None:
        self._left = True
        self._tell(Step(_name(kind), Did.LEFT, detail, fix))


def _name(kind: str) -> str:
    return kind.partition(":")[0].replace("_", " ")
