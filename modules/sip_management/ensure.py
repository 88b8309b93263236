"""Makes what livekit-server stores equal what is wished, one process at a time. It reads before it writes."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from livekit import api

from modules.call_queue_manager import Store, exclusive, keys
from modules.sip_management.plan import Change, Wish, deletions, ids_by_name, plan, resolved
from modules.sip_management.shelves import Noun, everything, id_of, shelves

_REFUSALS = frozenset({"invalid_argument", "already_exists", "failed_precondition", "not_found"})


async def ensure(lkapi: api.LiveKitAPI, store: Store, wishes: Iterable[Wish], fleet: str, *, prune: bool = True) -> list[Change]:
    """Do what plan.py says and return it, with the ids. One refused change does not keep the others from being made.

    Raises Unavailable where Redis cannot be reached or somebody else keeps the lock; livekit's ServerError, aiohttp's
    ClientError and TimeoutError where livekit-server does not answer.
    """
    async with exclusive(store, keys.TRUNKS_LOCK) as still_alone:
        stored = await everything(lkapi)
        changes = plan(stored, wishes, fleet, prune=prune)
        return await _carry_out(lkapi, changes, ids_by_name(stored[Noun.INBOUND]), still_alone)


async def delete(
    lkapi: api.LiveKitAPI, store: Store, fleet: str, noun: Noun | None = None, name: str | None = None
) -> list[Change]:
    """Delete what this fleet made: all of it, or what has this name or id. Raises as `ensure` does."""
    async with exclusive(store, keys.TRUNKS_LOCK) as still_alone:
        return await _carry_out(lkapi, deletions(await everything(lkapi), fleet, noun, name), {}, still_alone)


async def dry_run(lkapi: api.LiveKitAPI, wishes: Iterable[Wish], fleet: str, *, prune: bool = True) -> list[Change]:
    """Return what `ensure` would do now. Changes nothing and needs no lock."""
    return plan(await everything(lkapi), wishes, fleet, prune=prune)


async def _carry_out(
    lkapi: api.LiveKitAPI, changes: list[Change], ids: dict[str, str], still_alone: Callable[[], Awaitable[None]]
) -> list[Change]:
    done = []
    for change in changes:
        if change.doing != "keep":
            await still_alone()
        done.append(await _do(lkapi, change, ids))
    return done


async def _do(lkapi: api.LiveKitAPI, change: Change, ids: dict[str, str]) -> Change:
    if change.refused:
        return change
    shelf = shelves(lkapi)[change.noun]
    try:
        match change.doing:
            case "delete":
                await shelf.delete(change.id)
                ids.pop(change.name, None)
            case "create" | "update":
                thing = resolved(change.thing, change.trunks, ids) if change.trunks else change.thing
                if change.doing == "create":
                    change = replace(change, id=id_of(change.noun, await shelf.create(thing)))
                else:
                    await shelf.replace(change.id, thing)
    except api.ServerError as error:
        if str(error.code) not in _REFUSALS:
            raise
        return replace(change, refused=error.message or str(error.code))
    except ValueError as error:
        return replace(change, refused=str(error))
    if change.noun is Noun.INBOUND and change.doing != "delete":
        ids[change.name] = change.id
    return change
