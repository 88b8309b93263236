"""Every error answer, in one shape: RFC 9457 application/problem+json. `type` points at its paragraph on the /docs page."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from rapidfuzz import process
from starlette.exceptions import HTTPException

from modules.api_server.errors import GateRefused, InvalidJson, MethodNotAllowed
from modules.calls.errors import BadRequest, NotFound, VoicefleetError
from modules.conversation.editing import BrokenEdit
from modules.strict_yaml import YamlError

MEDIA_TYPE = "application/problem+json"
_HEADER_FIELDS = frozenset({"Idempotency-Key", "Last-Event-ID"})
_RETRY_AFTER_S = "2"


def catalogue() -> dict[str, tuple[int, str]]:
    """Return every code an answer can carry, with its status and what it means."""
    return {
        kind.code: (kind.status, (kind.__doc__ or "").strip().splitlines()[0])
        for kind in sorted(_tree(VoicefleetError), key=lambda kind: (kind.status, kind.code))
    }


def answer(error: VoicefleetError, errors: list[dict[str, str]] | None = None) -> JSONResponse:
    """Return `error` as a problem."""
    _, title = catalogue()[error.code]
    problem: dict[str, Any] = {
        "type": f"/docs#error-{error.code}",
        "title": title,
        "status": error.status,
        "detail": error.message,
        "code": error.code,
    }
    if isinstance(error, GateRefused):
        problem["refusal"] = error.refusal
    found: list[dict[str, Any]] = list(errors or ([_field_error(error.field, error.message)] if error.field else []))
    if isinstance(error, BrokenEdit):
        found = [_mistake(one) for one in error.mistakes]
    if found:
        problem["errors"] = found
    return JSONResponse(problem, error.status, headers=_headers(error), media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make `app` answer every error as a problem."""
    app.add_exception_handler(VoicefleetError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


async def _ours(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, VoicefleetError)
    return answer(error if error.status != 500 else VoicefleetError("Something broke on our side; the log has the details."))


async def _unexpected(_: Request, __: Exception) -> JSONResponse:
    return answer(VoicefleetError("Something broke on our side; the log has the details."))


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return answer(NotFound("There is nothing at this address; /docs lists what there is."))
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "")
        response = answer(MethodNotAllowed(f"This address answers {allowed or 'other methods'} only."))
        response.headers.update({"Allow": allowed} if allowed else {})
        return response
    return answer(BadRequest(str(error.detail)))


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    if any(found["type"] == "json_invalid" for found in error.errors()):
        return answer(InvalidJson("The body is not valid JSON."))
    errors = [_validation_error(found, _known_fields(request)) for found in error.errors()]
    fields = ", ".join(found["field"] for found in errors)
    return answer(BadRequest(f"{errors[0]['message']} ({fields})" if len(errors) == 1 else f"Please correct: {fields}."), errors)


def _validation_error(found: dict[str, Any], known: list[str]) -> dict[str, str]:
    place, *path = [str(part) for part in found["loc"]]
    field = ".".join(path) or place
    if found["type"] == "extra_forbidden":
        close = process.extractOne(field, known, score_cutoff=60)
        message = f"There is no field '{field}'." + (f" Did you mean '{close[0]}'?" if close else f" Known: {', '.join(known)}.")
    else:
        message = str(found["msg"]).removeprefix("Value error, ")
    if place != "body":
        return {"parameter": field, "field": field, "message": message}
    return {"pointer": "".join(f"/{_escaped(part)}" for part in path), "field": field, "message": message}


def _field_error(field: str, message: str) -> dict[str, str]:
    if field in _HEADER_FIELDS:
        return {"header": field, "field": field, "message": message}
    return {"pointer": f"/{_escaped(field)}", "field": field, "message": message}


def _mistake(found: YamlError) -> dict[str, Any]:
    place = {"file": f"{found.path.parent.name}/{found.path.name}", "line": found.line, "column": found.column or None}
    return {**place, "field": found.field, "message": found.reason}


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")


def _known_fields(request: Request) -> list[str]:
    body = getattr(request.scope.get("route"), "body_field", None)
    model = getattr(getattr(body, "field_info", None), "annotation", None)
    return sorted(getattr(model, "model_fields", {}))


def _headers(error: VoicefleetError) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="voicefleet"'
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = _RETRY_AFTER_S
    return headers


def _tree(kind: type[VoicefleetError]) -> Iterator[type[VoicefleetError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)
