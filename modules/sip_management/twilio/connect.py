"""`connect twilio`: look at the account, make what is missing, in an order in which a cut at any place can be gone on from.

Whatever is there already is kept. A number on somebody else's trunk, or a trunk of another name, is never touched.
"""

import secrets
import string
from dataclasses import dataclass
from typing import Any

from modules.calls.numbers import mask
from modules.sip_management.twilio import countries
from modules.sip_management.twilio.errors import TwilioTrouble
from modules.sip_management.twilio.found_or_made import LIST, NUMBER, ORIGINATION, TRUNK, USER, USERS_OF_TRUNK, FoundOrMade
from modules.sip_management.twilio.ledger import Ledger
from modules.sip_management.twilio.steps import Did, Step, Tell

_CONSOLE = "https://console.twilio.com/us1/develop"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted. `number` "" is the account's only one; `sip_host` "" makes no origination, so nobody can call in.

    `countries` are looked at, `opened` are opened where they are closed; ISO codes. `has_password`: .env holds one.
    """

    number: str = ""
    sip_host: str = ""
    countries: frozenset[str] = frozenset()
    opened: frozenset[str] = frozenset()
    has_password: bool = False


@dataclass(frozen=True, slots=True)
class Connected:
    """The four values of the trunk. `password` None: the one in .env is still right."""

    hostname: str
    username: str
    password: str | None
    from_number: str


async def connect(client: Any, ledger: Ledger, wish: Wish, tell: Tell, *, dry_run: bool = False) -> Connected:
    """Set the account up, telling each step. Raises TwilioTrouble; what was made by then is in the ledger."""
    return await _Connecting(client, ledger, wish, tell, dry_run).run()


class _Connecting:
    def __init__(self, client: Any, ledger: Ledger, wish: Wish, tell: Tell, dry_run: bool) -> None:
        self._client = client
        self._ledger = ledger
        self._wish = wish
        self._tell = tell
        self._things = FoundOrMade(ledger, tell, dry_run)

    async def run(self) -> Connected:
        await self._account()
        number = await self._number()
        trunks = await self._client.trunking.v1.trunks.list_async()
        known = self._things.ours(TRUNK, {one.sid: one.friendly_name for one in trunks})
        self._not_anothers(number, known)
        users = await self._users()
        username, password = await self._user(users)
        trunk = await self._things.either(TRUNK, self._ledger.marker, f"trunk {self._domain}", known, self._make_trunk)
        await self._users_of(trunk, users)
        await self._origination(trunk)
        await self._attach(trunk, number)
        for country in sorted(self._wish.countries | self._wish.opened):
            await countries.look_at(self._client, country, self._things, open_it=country in self._wish.opened)
        return Connected(self._domain, username, password, number.phone_number)

    @property
    def _domain(self) -> str:
        return f"{self._ledger.name}.pstn.twilio.com"

    async def _account(self) -> None:
        account = await self._client.api.v2010.accounts(self._client.account_sid).fetch_async()
        if account.status != "active":
            raise TwilioTrouble(f"This Twilio account is {account.status}.", "console.twilio.com says what Twilio wants first")
        if account.type == "Trial":
            self._tell(Step(
                "account", Did.LOOK, "a trial account: it calls only numbers verified at Twilio, four at once, ten minutes each",
                f"verify the phone you will call: {_CONSOLE}/phone-numbers/manage/verified",
            ))  # fmt: skip
        else:
            self._tell(Step("account", Did.KEPT, "active"))

    async def _number(self) -> Any:
        """Return the number to call from, of those the account has."""
        numbers = [one for one in await self._client.incoming_phone_numbers.list_async() if one.capabilities.get("voice")]
        wanted = self._wish.number
        found = [one for one in numbers if one.phone_number == wanted] if wanted else numbers
        shown = ", ".join(mask(one.phone_number) for one in numbers[:5])
        if not numbers:
            fix = f"buy one at {_CONSOLE}/phone-numbers/manage/search, then run the same command again"
            raise TwilioTrouble("The account has no number that can call.", fix)
        if not found:
            raise TwilioTrouble(f"{mask(wanted)} is not a number of this account; it has {shown}.", "choose one with --number")
        if len(found) > 1:
            raise TwilioTrouble(f"The account has {len(found)} numbers: {shown}.", "choose one with --number")
        return found[0]

    def _not_anothers(self, number: Any, trunk: str | None) -> None:
        """Refuse before anything is made: a number that another trunk answers for would be taken away from it."""
        if number.trunk_sid and number.trunk_sid != trunk:
            raise TwilioTrouble(
                f"{mask(number.phone_number)} belongs to another trunk ({number.trunk_sid}).",
                "choose another with --number, or detach it at console.twilio.com first",
            )

    async def _users(self) -> str | None:
        lists = await self._client.sip.credential_lists.list_async()
        found = self._things.ours(LIST, {one.sid: one.friendly_name for one in lists})
        return await self._things.either(LIST, self._ledger.marker, "list of SIP users", found, self._make_list)

    async def _make_list(self) -> str:
        made = await self._client.sip.credential_lists.create_async(friendly_name=self._ledger.marker)
        return str(made.sid)

    async def _user(self, users: str | None) -> tuple[str, str | None]:
        """Return user and password; the password is None where the one in .env goes on being right."""
        username = f"vf-{self._ledger.name}"[:32]
        credentials: Any = self._client.sip.credential_lists(users).credentials if users else None
        known = {one.username: one.sid for one in await credentials.list_async()} if credentials else {}
        sid = known.get(username)
        if sid and self._wish.has_password:
            self._things.keep(USER, username, "SIP user", sid)
            return username, None
        password = _password()

        async def make() -> str:
            if sid:  # nobody knows its password any more: an earlier run was cut before it reached .env
                await credentials(sid).update_async(password=password)
                return str(sid)
            return str((await credentials.create_async(username=username, password=password)).sid)

        await self._things.make(USER, username, "SIP user", make)
        return username, password

    async def _make_trunk(self) -> str:
        made = await self._client.trunking.v1.trunks.create_async(
            friendly_name=self._ledger.marker, domain_name=self._domain, transfer_mode="enable-all"
        )
        return str(made.sid)

    async def _users_of(self, trunk: str | None, users: str | None) -> None:
        attached: Any = self._client.trunking.v1.trunks(trunk).credentials_lists if trunk else None
        known = [one.sid for one in await attached.list_async()] if attached else []

        async def make() -> str:
            return str((await attached.create_async(credential_list_sid=users)).sid)

        found = users if users and users in known else None
        await self._things.either(USERS_OF_TRUNK, self._ledger.marker, "the trunk asks for that user", found, make)

    async def _origination(self, trunk: str | None) -> None:
        if not self._wish.sip_host:
            self._tell(Step("origination", Did.KEPT, "none: this trunk only calls out; --sip-host lets it call in"))
            return
        url = f"sip:{self._wish.sip_host}"
        urls: Any = self._client.trunking.v1.trunks(trunk).origination_urls if trunk else None
        found = {one.sid: one for one in await urls.list_async()} if urls else {}
        ours = self._things.ours(ORIGINATION, {sid: one.friendly_name for sid, one in found.items()})

        async def make() -> str:
            if ours:
                await urls(ours).update_async(sip_url=url)
                return ours
            made = await urls.create_async(weight=1, priority=1, enabled=True, friendly_name=self._ledger.marker, sip_url=url)
            return str(made.sid)

        right = ours if ours and found[ours].sip_url == url else None
        await self._things.either(ORIGINATION, self._ledger.marker, f"calls that come in go to {url}", right, make)

    async def _attach(self, trunk: str | None, number: Any) -> None:
        numbers: Any = self._client.trunking.v1.trunks(trunk).phone_numbers if trunk else None

        async def make() -> str:
            return str((await numbers.create_async(phone_number_sid=number.sid)).sid)

        found = number.sid if trunk and number.trunk_sid == trunk else None
        # Attaching takes a voice application away from the number; disconnecting gives it back.
        before = {"number_sid": number.sid, "voice_application_sid": number.voice_application_sid or None}
        detail = f"number {mask(number.phone_number)}"
        if number.voice_url or number.voice_application_sid:
            detail += ", which Twilio answered by a program until now"
        await self._things.either(NUMBER, mask(number.phone_number), detail, found, make, **before)


def _password() -> str:
    """Make a password as Twilio wants it: 12 characters or more, small and capital letters, a digit."""
    alphabet = string.ascii_letters + string.digits
    while True:
        made = "".join(secrets.choice(alphabet) for _ in range(28))
        if any(sign.isdigit() for sign in made) and made.upper() != made != made.lower():
            return made
