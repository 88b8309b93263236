"""The page at /, its files, signing in and out with a key, and /docs. The page itself uses nothing but the public API."""

from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from modules.api_server.docs_page import docs_page
from modules.api_server.errors import NotSignedIn
from modules.api_server.keys import KeyRing
from modules.api_server.parts import Now
from modules.api_server.session import COOKIE, LASTS, Sessions

router = APIRouter(include_in_schema=False)
FOLDER = Path(__file__).parent.parent / "web"
_LONGEST_KEY = 512


@router.get("/")
async def page() -> HTMLResponse:
    """The page: without data in it, so it needs no key."""
    return HTMLResponse((FOLDER / "index.html").read_text("utf-8"))


@router.post("/sign-in")
async def sign_in(request: Request, now: Now, key: Annotated[str, Form(max_length=_LONGEST_KEY)]) -> Response:
    """Swap a key for a cookie that no script can read."""
    ring: KeyRing = request.app.state.ring
    sessions: Sessions = request.app.state.sessions
    principal = await ring.check(key.strip(), now)
    if principal is None:
        raise NotSignedIn("This is not a valid API key.")
    response = Response(status_code=HTTPStatus.NO_CONTENT)
    response.set_cookie(COOKIE, sessions.sign(principal, now), max_age=int(LASTS.total_seconds()), **_cookie(request))
    return response


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """Forget the cookie."""
    response = Response(status_code=HTTPStatus.NO_CONTENT)
    response.delete_cookie(COOKIE, **_cookie(request))
    return response


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """Every route, its fields, and every error, from this process's own OpenAPI description. Loads nothing from elsewhere."""
    return HTMLResponse(docs_page(FOLDER, request.app.openapi()))


def _cookie(request: Request) -> dict[str, Any]:
    return {"httponly": True, "samesite": "strict", "secure": request.url.scheme == "https", "path": "/"}
