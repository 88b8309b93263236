"""What has to be done so that livekit-server holds exactly what is wished: compared and put in order. No I/O."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from livekit import api

from modules.sip_management.marks import Source, differences, mark_of, marked
from modules.sip_management.shelves import Noun, Thing, id_of

Doing = Literal["create", "update", "keep", "delete"]


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing to be stored under `name`. `trunks` are the names of the inbound trunks a rule is for.

    An optional thing is only corrected where it is stored already.
    """

    noun: Noun
    name: str
    thing: Thing = field(repr=False)
    trunks: tuple[str, ...] = ()
    optional: bool = False
    source: Source = "configuration"


@dataclass(frozen=True, slots=True)
class Change:
    """What to do about one name. `thing` is what is wished; for a deletion, what is there.

    `fields` differ from what is stored. `extra_ids` are others of the same name, left for a person to judge. `refused` is why
    livekit-server would not do it.
    """

    doing: Doing
    noun: Noun
    name: str
    id: str
    thing: Thing = field(repr=False)
    before: Thing | None = field(default=None, repr=False)
    fields: tuple[str, ...] = ()
    extra_ids: tuple[str, ...] = ()
    trunks: tuple[str, ...] = ()
    refused: str = ""


def plan(stored: Mapping[Noun, Sequence[Thing]], wishes: Iterable[Wish], fleet: str, *, prune: bool) -> list[Change]:
    """Return the changes in the order in which they can be done, with what is right already as "keep".

    With `prune`, what this fleet once made from its configuration and nobody wishes any more is deleted.
    """
    wishes = list(wishes)
    changes = [change for wish in wishes if (change := _change(stored, wish, fleet))]
    named = {(wish.noun, wish.name) for wish in wishes}
    gone = [one for one in deletions(stored, fleet) if (one.noun, one.name) not in named and _configured(one.thing)]
    return [*(gone if prune else []), *_in_order(changes)]


def deletions(
    stored: Mapping[Noun, Sequence[Thing]], fleet: str, noun: Noun | None = None, name: str | None = None
) -> list[Change]:
    """Return the deletion of all that this fleet made, or of what has this name or id."""
    found = [
        Change("delete", kind, thing.name, id_of(kind, thing), thing, thing)
        for kind, things in stored.items()
        for thing in things
        if noun in (None, kind) and name in (None, thing.name, id_of(kind, thing)) and _is_of(thing, fleet)
    ]
    return sorted(found, key=lambda change: change.noun is not Noun.RULE)


def resolved(rule: Thing, trunks: Iterable[str], ids: Mapping[str, str]) -> Thing:
    """Return a copy of a rule with the ids of its trunks; those without an id are left out."""
    copy = api.SIPDispatchRuleInfo()
    copy.CopyFrom(rule)  # type: ignore[arg-type]  # only rules have trunks
    if trunks:
        copy.trunk_ids[:] = [ids[name] for name in trunks if ids.get(name)]
    return copy


def ids_by_name(stored: Iterable[Thing]) -> dict[str, str]:
    """Return the id that goes with each inbound trunk's name: ours where there are several."""
    return {thing.name: id_of(Noun.INBOUND, thing) for thing in sorted(stored, key=_ours_last)}


def _change(stored: Mapping[Noun, Sequence[Thing]], wish: Wish, fleet: str) -> Change | None:
    thing = wish.thing
    if wish.noun is Noun.RULE and wish.trunks:
        thing = resolved(thing, wish.trunks, ids_by_name(stored[Noun.INBOUND]))
    thing = marked(thing, wish.name, fleet, wish.source)
    same = sorted((one for one in stored[wish.noun] if one.name == wish.name), key=lambda one: _order(wish.noun, one))
    if not same:
        return None if wish.optional else Change("create", wish.noun, wish.name, "", thing, trunks=wish.trunks)
    first, extra = same[0], tuple(id_of(wish.noun, one) for one in same[1:])
    fields = tuple(differences(first, thing))
    refused = _not_ours(first, wish, fleet)
    doing: Doing = "update" if fields and not refused else "keep"
    return Change(doing, wish.noun, wish.name, id_of(wish.noun, first), thing, first, fields, extra, wish.trunks, refused)


def _not_ours(stored: Thing, wish: Wish, fleet: str) -> str:
    """Why a thing of this name is left alone. A configured name is ours even where its mark was lost."""
    mark = mark_of(stored)
    if mark and (mark.fleet, mark.source) != (fleet, wish.source):
        return f"the {wish.noun} of this name was made by fleet '{mark.fleet}' from its {mark.source}; choose another name"
    if mark is None and wish.source == "request":
        return f"a {wish.noun} of this name is stored already, and another program made it; choose another name"
    return ""


def _in_order(changes: list[Change]) -> list[Change]:
    """Trunks before the rules that name them; among trunks, who gives a number away before who gets it."""
    waiting = [change for change in changes if change.noun is Noun.INBOUND]
    others = [change for change in changes if change.noun is Noun.OUTBOUND]
    rules = [change for change in changes if change.noun is Noun.RULE]
    ordered: list[Change] = []
    while waiting:
        free = next((one for one in waiting if not _held_by_others(one, waiting)), None)
        if free is None:  # a swap: nobody can begin, so one goes and comes back
            free = waiting[0]
            ordered.append(replace(free, doing="delete", thing=free.before or free.thing))
            waiting.append(replace(free, doing="create", id="", before=None))
        else:
            ordered.append(free)
        waiting.remove(free)
    made = {change.name for change in ordered if change.doing == "create"}
    return [*ordered, *others, *(_with_new_ids(rule, made) for rule in rules)]


def _with_new_ids(rule: Change, made: set[str]) -> Change:
    """A rule for a trunk that is made first is written too, however right it looks now."""
    if rule.doing != "keep" or rule.refused or not made & set(rule.trunks):
        return rule
    return replace(rule, doing="update", fields=("trunk_ids",))


def _held_by_others(change: Change, waiting: list[Change]) -> bool:
    held = {number for other in waiting if other is not change and other.before for number in _numbers(other.before)}
    return change.doing != "keep" and bool(held & set(_numbers(change.thing)))


def _numbers(thing: Thing) -> Sequence[str]:
    return thing.numbers


def _order(noun: Noun, thing: Thing) -> tuple[bool, int, str]:
    """Ours first, then the oldest. livekit-server 1.13 leaves the times empty, so the id makes the order certain."""
    return mark_of(thing) is None, thing.created_at.ToNanoseconds(), id_of(noun, thing)


def _configured(thing: Thing) -> bool:
    mark = mark_of(thing)
    return mark is not None and mark.source == "configuration"


def _is_of(thing: Thing, fleet: str) -> bool:
    mark = mark_of(thing)
    return mark is not None and mark.fleet == fleet


def _ours_last(thing: Thing) -> bool:
    return mark_of(thing) is not None
