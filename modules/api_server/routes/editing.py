"""Saving and deleting personalities and prompts. What has mistakes is refused with each of them and changes nothing.

If-Match says which version is replaced, so that two editors cannot overwrite each other; without it only what is not there yet
is written. The log says who saved what, and nothing of what is in it.
"""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header, Response

from modules.api_server.guard import Edits
from modules.api_server.parts import Using
from modules.api_server.routes.personalities import Id, PersonalityView, PromptView, view
from modules.api_server.schemas import PersonalityBody, PromptBody
from modules.calls.errors import Conflict
from modules.conversation.editing import Expected, NewPrompt
from modules.metrics_logger import get_logger

log = get_logger(__name__)
router = APIRouter(tags=["personalities"])
IfMatch = Annotated[
    str | None, Header(alias="If-Match", max_length=200, description="The ETag of the version that is replaced; * for any.")
]
IfNoneMatch = Annotated[
    str | None, Header(alias="If-None-Match", max_length=200, description="* to write only where nothing is.")
]


@router.put("/v1/personalities/{personality_id}", responses={201: {"model": PersonalityView}})
async def save_personality(
    personality_id: Id, body: PersonalityBody, principal: Edits, parts: Using, response: Response,
    if_match: IfMatch = None, if_none_match: IfNoneMatch = None,
) -> PersonalityView:  # fmt: skip
    """Save a personality or a split: its `text`, or its `content` into the text there is, comments kept. 201 for a new one."""
    expected = _expected(if_match, if_none_match)
    new = personality_id not in parts.personalities.ids()
    page = await asyncio.to_thread(parts.editor.save_personality, personality_id, body.new, expected)
    log.info("personality.saved", personality=personality_id, new=new, etag=page.etag, key_id=principal.key_id)
    _answered(response, page.etag, f"/v1/personalities/{personality_id}" if new else "")
    return view(parts, personality_id, page)


@router.delete("/v1/personalities/{personality_id}", status_code=204)
async def delete_personality(personality_id: Id, principal: Edits, parts: Using, if_match: IfMatch = None) -> None:
    """Delete a personality that nothing else is made from. Its last good version stays in DATA_DIR for a while."""
    if personality_id == parts.settings.default_personality:
        raise Conflict("This is DEFAULT_PERSONALITY; name another there first.")
    await asyncio.to_thread(parts.editor.delete_personality, personality_id, _expected(if_match, None))
    log.info("personality.deleted", personality=personality_id, key_id=principal.key_id)


@router.put("/v1/prompts/{key}", responses={201: {"model": PromptView}})
async def save_prompt(
    key: Id, body: PromptBody, principal: Edits, parts: Using, response: Response,
    if_match: IfMatch = None, if_none_match: IfNoneMatch = None,
) -> PromptView:  # fmt: skip
    """Save a prompt's text and, where given, its declared variables and notes in prompts.yaml. 201 for a new one."""
    expected = _expected(if_match, if_none_match)
    before = await asyncio.to_thread(parts.editor.prompt, key)
    page = await asyncio.to_thread(
        parts.editor.save_prompt, NewPrompt(key, body.text, body.variables, body.notes), expected
    )  # fmt: skip
    log.info("prompt.saved", prompt=key, new=before is None, etag=page.etag, key_id=principal.key_id)
    _answered(response, page.etag, "" if before else f"/v1/prompts/{key}")
    return PromptView(key=key, **page.entry.model_dump(), used_by=[], text=page.text)


@router.delete("/v1/prompts/{key}", status_code=204)
async def delete_prompt(key: Id, principal: Edits, parts: Using, if_match: IfMatch = None) -> None:
    """Delete a prompt that nobody speaks from."""
    await asyncio.to_thread(parts.editor.delete_prompt, key, _expected(if_match, None))
    log.info("prompt.deleted", prompt=key, key_id=principal.key_id)


def _expected(if_match: str | None, if_none_match: str | None) -> Expected:
    etag = if_match.strip().removeprefix("W/").strip('"') if if_match is not None else None
    return Expected(etag=etag, absent=if_none_match is not None)


def _answered(response: Response, etag: str, made: str) -> None:
    response.headers["ETag"] = f'"{etag}"'
    if made:
        response.status_code = 201
        response.headers["Location"] = made
