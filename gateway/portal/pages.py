"""How pages are rendered and which headers they carry."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
HERE = Path(__file__).parent


def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A rendered page; every value is escaped."""
    return HTMLResponse(_templates().get_template(template).render(values), status, HEADERS)


def points(count: int) -> str:
    """12,345 with thin groups; a minus sign that reads as one."""
    return f"{count:,}".replace("-", "\N{MINUS SIGN}")


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(points=points)
    return environment
