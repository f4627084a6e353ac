"""Query parameters that a route does not know are refused, on every route: one that is misspelt would be ignored and believed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from fastapi.dependencies.models import Dependant
from pydantic import BaseModel

from gateway.values.errors import Invalid


def known_parameters(dependant: Dependant) -> frozenset[str]:
    """The query parameters that a route takes."""
    return frozenset(_names(dependant))


def refuse_others(sent: Iterable[str], known: frozenset[str]) -> None:
    """Raises Invalid for the first name that is not among the known ones."""
    for name in sent:
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
