"""Who may use the trunk: a list of SIP users with one user and a made-up password, and the trunk that asks for it."""

import secrets
import string
from typing import Any

from modules.sip_management.twilio.found_or_made import LIST, USER, USERS_OF_TRUNK, FoundOrMade


async def list_of_users(client: Any, things: FoundOrMade) -> str | None:
    """Keep or make the list; return its SID, None in a dry run."""
    lists = await client.sip.credential_lists.list_async()
    found = things.ours(LIST, {one.sid: one.friendly_name for one in lists})

    async def make() -> str:
        return str((await client.sip.credential_lists.create_async(friendly_name=things.ledger.marker)).sid)

    return await things.either(LIST, things.ledger.marker, "list of SIP users", found, make)


async def user(client: Any, things: FoundOrMade, users: str | None, *, has_password: bool) -> tuple[str, str | None]:
    """Keep or make the user; return its name and password, None where the one in .env goes on being right."""
    username = f"vf-{things.ledger.name}"[:32]
    credentials: Any = client.sip.credential_lists(users).credentials if users else None
    known = {one.username: one.sid for one in await credentials.list_async()} if credentials else {}
    sid = known.get(username)
    if sid and has_password:
        things.keep(USER, username, "SIP user", sid)
        return username, None
    password = _password()

    async def make() -> str:
        if sid:  # nobody knows its password any more: an earlier run was cut before it reached .env
            await credentials(sid).update_async(password=password)
            return str(sid)
        return str((await credentials.create_async(username=username, password=password)).sid)

    await things.make(USER, username, "SIP user", make)
    return username, password


async def asked_by(client: Any, things: FoundOrMade, trunk: str | None, users: str | None) -> None:
    """Let the trunk ask for the users of that list."""
    attached: Any = client.trunking.v1.trunks(trunk).credentials_lists if trunk else None
    known = [one.sid for one in await attached.list_async()] if attached else []

    async def make() -> str:
        return str((await attached.create_async(credential_list_sid=users)).sid)

    found = users if users and users in known else None
    await things.either(USERS_OF_TRUNK, things.ledger.marker, "the trunk asks for that user", found, make)


def _password() -> str:
    """Make a password as Twilio wants it: 12 characters or more, small and capital letters, a digit."""
    alphabet = string.ascii_letters + string.digits
    while True:
        made = "".join(secrets.choice(alphabet) for _ in range(28))
        if any(sign.isdigit() for sign in made) and made.upper() != made != made.lower():
            return made
