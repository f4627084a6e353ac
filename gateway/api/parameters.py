"""Query parameters that a route does not know are refused, on every route: one that is misspelt would be ignored and believed."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from gateway.values.errors import Invalid


async def refuse_unknown_parameters(request: Request) -> None:
    """A dependency of the whole app."""
    route = request.scope.get("route")
    if not request.query_params or not isinstance(route, APIRoute):
        return
    known = frozenset(_names(route.dependant))
    for name in request.query_params:
        if name not in known:
            near = get_close_matches(name, known, 1)
            advice = f"do you mean {near[0]}?" if near else f"it takes {', '.join(sorted(known)) or 'none'}"
            raise Invalid(f"this route knows no query parameter {name[:80]!r}: {advice}", field=f"query.{name[:80]}")


def _names(dependant: Dependant) -> Iterator[str]:
    for parameter in dependant.query_params:
        shape = parameter.field_info.annotation
        if isinstance(shape, type) and issubclass(shape, BaseModel):
            yield from (field.alias or name for name, field in shape.model_fields.items())
        else:
            yield parameter.alias
    for below in dependant.dependencies:
        yield from _names(below)
