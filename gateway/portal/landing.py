"""Where a person arrives who knows only the host, or whose link is wrong: a page that says what is here and where to go on.

Programs are answered as ever: only who asks for HTML gets pages. What stands behind a `?` at the front page says where a person
comes from and is no parameter: these are plain routes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import FileResponse
from starlette.exceptions import HTTPException

from gateway.portal.pages import HEADERS, HERE, page

router = APIRouter(include_in_schema=False)
PAGES = ["GET", "HEAD"]


def get_landing_page(_request: Request) -> Response:
    """What this is, for members, shops and auditors. Reads nothing, so that it is there whatever else is not."""
    return page("landing.html")


def get_favicon(_request: Request) -> FileResponse:
    """The sign in a browser's tab."""
    return FileResponse(HERE / "favicon.svg", headers={**HEADERS, "Cache-Control": "max-age=86400"}, media_type="image/svg+xml")


router.add_route("/", get_landing_page, PAGES)
router.add_route("/favicon.ico", get_favicon, PAGES)


def install(app: FastAPI) -> None:
    """Pages for people where nothing is; everybody else is answered by the handler that was there before."""
    before = cast(Callable[[Request, Exception], Response], app.exception_handlers[HTTPException])

    async def nothing_here(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 404 and request.method in PAGES and asks_for_pages(request.headers.get("accept", "")):
            text = f"There is nothing at {request.url.path[:200]}. The link may be mistyped or cut off."
            return page("message.html", 404, title="This page does not exist", text=text)
        return before(request, error)

    app.add_exception_handler(HTTPException, nothing_here)


def asks_for_pages(accept: str) -> bool:
    """Whether HTML is named, as browsers do, and not less wanted than JSON; `*/*` names nothing."""
    wanted = {}
    for part in accept.lower().split(","):
        kind, *parameters = (each.strip() for each in part.split(";"))
        weight = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        wanted[kind] = float(weight) if weight.replace(".", "", 1).isdigit() else 0.0
    html = max(wanted.get("text/html", 0.0), wanted.get("application/xhtml+xml", 0.0))
    return html > 0 and html >= wanted.get("application/json", 0.0)
