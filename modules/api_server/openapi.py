"""What /openapi.json says beyond what the routes say by themselves: the one shape of errors, and a dry run's answer."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from modules.api_server.problems import MEDIA_TYPE


class FieldProblem(BaseModel):
    """One thing to correct: `pointer` into the body, `parameter` of the query or path, `header`, or a place in a file."""

    field: str
    message: str
    pointer: str | None = None
    parameter: str | None = None
    header: str | None = None
    file: str | None = None
    line: int | None = None
    column: int | None = None


class Problem(BaseModel):
    """RFC 9457. `code` is stable for programs; `type` is its paragraph on /docs."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    refusal: str | None = None
    errors: list[FieldProblem] | None = None


_PROBLEM = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
_MEANINGS = {
    "401": "No valid API key.",
    "403": "The key has not the scope, or the gate refuses the call.",
    "404": "Nothing has this id.",
    "409": "The request contradicts what is already so.",
    "412": "Somebody has saved another version since; read again.",
    "422": "Something in the request must change; `errors` names the fields.",
    "428": "If-Match must say which version is replaced.",
    "503": "Redis or the database cannot be reached; nothing was accepted.",
}


def describe(app: FastAPI) -> None:
    """Give `app` its OpenAPI description, made once when first asked for."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app)
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]  # FastAPI's documented way


def _described(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    schemas = schema["components"]["schemas"]
    schemas |= Problem.model_json_schema(ref_template="#/components/schemas/{model}").pop("$defs")
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    problem.pop("$defs")
    schemas["Problem"] = problem
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for operations in schema["paths"].values():
        for operation in operations.values():
            _show_problems(operation)
    return schema


def _show_problems(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    if "security" not in operation:
        return
    inputs = "requestBody" in operation or "parameters" in operation
    for status, meaning in _MEANINGS.items():
        if status in ("409", "422") and not inputs:
            continue
        if status in ("412", "428") and not any(found["name"] == "If-Match" for found in operation.get("parameters", [])):
            continue
        if status == "404" and not any(found["in"] == "path" for found in operation.get("parameters", [])):
            continue
        responses[status] = {"description": meaning} | _PROBLEM
