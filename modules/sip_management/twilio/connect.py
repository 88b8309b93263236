"""`connect twilio`: look at the account, make what is missing, in an order in which a cut at any place can be gone on from.

Whatever is there already is kept. A number on somebody else's trunk, or a trunk of another name, is never touched.
"""

from dataclasses import dataclass
from typing import Any

from modules.calls.numbers import mask
from modules.sip_management.twilio import countries
from modules.sip_management.twilio.errors import TwilioTrouble
from modules.sip_management.twilio.found_or_made import NUMBER, ORIGINATION, TRUNK, FoundOrMade
from modules.sip_management.twilio.ledger import Ledger
from modules.sip_management.twilio.number import Number, choose
from modules.sip_management.twilio.purchase import Agrees
from modules.sip_management.twilio.steps import Did, Step, Tell
from modules.sip_management.twilio.users import asked_by, list_of_users, user

_CONSOLE = "https://console.twilio.com/us1/develop"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted. `number` "" is the account's only one; `sip_host` "" makes no origination, so nobody can call in.

    `buys` is a country or a number to buy; an account without numbers is offered one of `home`. `countries` are looked at,
    `opened` are opened where they are closed; ISO codes. `has_password`: .env holds one.
    """

    number: str = ""
    buys: str = ""
    home: str = "US"
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


async def connect(
    client: Any, ledger: Ledger, wish: Wish, tell: Tell, agrees: Agrees | None = None, *, dry_run: bool = False
) -> Connected:
    """Set the account up, telling each step. Raises TwilioTrouble; what was made by then is in the ledger.

    `agrees` is asked before a number is bought that nobody named.
    """
    return await _Connecting(client, ledger, wish, tell, agrees, dry_run).run()


class _Connecting:
    def __init__(self, client: Any, ledger: Ledger, wish: Wish, tell: Tell, agrees: Agrees | None, dry_run: bool) -> None:
        self._client = client
        self._ledger = ledger
        self._wish = wish
        self._tell = tell
        self._agrees = agrees
        self._things = FoundOrMade(ledger, tell, dry_run)

    async def run(self) -> Connected:
        await self._account()
        number = await choose(self._client, self._things, self._wish.number, self._wish.buys, self._wish.home, self._agrees)
        trunks = await self._client.trunking.v1.trunks.list_async()
        known = self._things.ours(TRUNK, {one.sid: one.friendly_name for one in trunks})
        self._not_anothers(number, known)
        users = await list_of_users(self._client, self._things)
        username, password = await user(self._client, self._things, users, has_password=self._wish.has_password)
        trunk = await self._things.either(TRUNK, self._ledger.marker, f"trunk {self._domain}", known, self._make_trunk)
        await asked_by(self._client, self._things, trunk, users)
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

    def _not_anothers(self, number: Number, trunk: str | None) -> None:
        """Refuse before anything is made: a number that another trunk answers for would be taken away from it."""
        if number.trunk_sid and number.trunk_sid != trunk:
            raise TwilioTrouble(
                f"{mask(number.phone_number)} belongs to another trunk ({number.trunk_sid}).",
                "choose another with --number, or detach it at console.twilio.com first",
            )

    async def _make_trunk(self) -> str:
        made = await self._client.trunking.v1.trunks.create_async(
            friendly_name=self._ledger.marker, domain_name=self._domain, transfer_mode="enable-all"
        )
        return str(made.sid)

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

    async def _attach(self, trunk: str | None, number: Number) -> None:
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
