"""The /docs page, written from this process's own OpenAPI description; nothing on it comes from elsewhere."""

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape

from modules.api_server.problems import catalogue

_CODE = re.compile(r"`([^`]+)`")
_METHODS = ("get", "post", "put", "patch", "delete")


def docs_page(folder: Path, described: dict[str, Any]) -> str:
    """Return the page as HTML."""
    environment = Environment(loader=FileSystemLoader(folder), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template("docs.html").render(
        title=described["info"]["title"],
        routes=_routes(described),
        schemas=described["components"]["schemas"],
        errors=catalogue(),
        name_of=_name_of,
        type_of=_type_of,
        prose=_prose,
    )


def _routes(described: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"method": method.upper(), "path": path, **operations[method]}
        for path, operations in described["paths"].items()
        for method in _METHODS
        if method in operations
    ]


def _prose(text: str | None) -> Markup:
    """Text in which `this` is code, as docstrings are written."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text or ""))))


def _name_of(schema: dict[str, Any]) -> Markup:
    names = [found["$ref"].rpartition("/")[2] for found in (schema, *schema.get("anyOf", [])) if "$ref" in found]
    return Markup(" or ").join(Markup('<a href="#body-{0}">{0}</a>').format(name) for name in names)


def _type_of(about: dict[str, Any]) -> Markup:
    if "$ref" in about:
        return _name_of(about)
    if "anyOf" in about:
        return Markup(" or ").join(_type_of(found) for found in about["anyOf"])
    if "enum" in about:
        return Markup(" | ").join(str(value) for value in about["enum"])
    kind = str(about.get("format") or about.get("type") or "any JSON")
    inner = about.get("items") or (about.get("additionalProperties") if kind == "object" else None)
    return Markup("{} of {}").format(kind, _type_of(inner)) if isinstance(inner, dict) and inner else Markup("{}").format(kind)
