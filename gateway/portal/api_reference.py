"""The API's description as a plain page: readable offline and without scripts. The same facts for programs are at /openapi.json."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from fastapi import APIRouter, FastAPI, Request, Response

from gateway.portal.pages import page

router = APIRouter(include_in_schema=False)
_MAKING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a field of a shape. `kind` tells its bounds, too."""

    name: str
    kind: str
    required: bool
    about: str
    example: str


@dataclass(frozen=True, slots=True)
class AnswerReference:
    """`shape` or `kind` of what is good; `codes` of a problem."""

    status: str
    about: str
    kind: str
    codes: list[str]


@dataclass(frozen=True, slots=True)
class RouteReference:
    method: str
    path: str
    operation_id: str
    about: str
    parameters: list[Field]
    body: str
    body_example: str
    answers: list[AnswerReference]


@dataclass(frozen=True, slots=True)
class ShapeReference:
    """A body, an answer, or a part of one; `fields` is empty of what is one of a few values, or has nothing to say."""

    name: str
    kind: str
    about: str
    fields: list[Field]


@router.get("/docs")
def get_api_reference(request: Request) -> Response:
    """Every route, by subject."""
    return _made_once(request, _reference_page)


@router.get("/openapi.json")
def get_api_description(request: Request) -> Response:
    """The same for programs."""
    return _made_once(request, lambda description: Response(json.dumps(description), media_type="application/json"))


def _made_once(request: Request, make: Callable[[dict[str, Any]], Response]) -> Response:
    """Anybody may ask, and it is large: made for the first who asks, and kept for as long as the process lives."""
    kept: dict[str, Response] = request.app.state.described
    path = request.url.path
    with _MAKING:
        if path not in kept:
            kept[path] = make(cast(FastAPI, request.app).openapi())
    return Response(kept[path].body, headers=dict(kept[path].headers))


def _reference_page(description: dict[str, Any]) -> Response:
    shapes = shape_references(description)
    names = frozenset(shape.name for shape in shapes)
    return page("api_reference.html", title=description["info"]["title"], groups=reference(description), shapes=shapes, names=names)


def reference(description: dict[str, Any]) -> dict[str, list[RouteReference]]:
    """Routes by their tag, in the order of the description."""
    groups: dict[str, list[RouteReference]] = {}
    for path, methods in description["paths"].items():
        for method, route in methods.items():
            tag = route.get("tags", ["other"])[0]
            groups.setdefault(tag, []).append(_route(method, path, route))
    return groups


def shape_references(description: dict[str, Any]) -> list[ShapeReference]:
    """Every shape that bodies and answers are made of, by name."""
    return [
        ShapeReference(name, "" if "properties" in shape else kind_of(shape), shape.get("description", ""), _fields(shape))
        for name, shape in sorted(description["components"]["schemas"].items())
    ]


def kind_of(schema: dict[str, Any]) -> str:
    """A schema and its bounds in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    for among in ("anyOf", "oneOf"):
        if among in schema:
            return " or ".join(kind_of(one) for one in schema[among])
    if "enum" in schema:
        return " | ".join(str(one) for one in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    kind = str(schema.get("type", "anything"))
    if kind == "array":
        kind = f"list of {kind_of(schema.get('items', {}))}"
    elif schema.get("format"):
        kind = schema["format"]
    return " ".join([kind, *_bounds(schema)])


def _bounds(schema: dict[str, Any]) -> Iterator[str]:
    least = schema.get("minimum", schema.get("minLength", schema.get("minItems")))
    most = schema.get("maximum", schema.get("maxLength", schema.get("maxItems")))
    if "exclusiveMaximum" in schema:
        most = schema["exclusiveMaximum"] - 1
    unit = " characters" if schema.get("type") == "string" else " items" if schema.get("type") == "array" else ""
    if least is not None and most is not None:
        yield f"({int(least)} to {int(most)}{unit})"
    elif most is not None:
        yield f"(at most {int(most)}{unit})"
    elif least is not None:
        yield f"(at least {int(least)}{unit})"
    if "pattern" in schema:
        yield f"like {schema['pattern']}"


def _route(method: str, path: str, route: dict[str, Any]) -> RouteReference:
    parameters = [_field(one["name"], one["schema"], one.get("required", False), one) for one in route.get("parameters", [])]
    body, example = "", ""
    for media_type, content in route.get("requestBody", {}).get("content", {}).items():
        is_json = media_type == "application/json"
        body = kind_of(content["schema"]) if is_json else media_type
        example = _text(content["example"], indent=2) if is_json else content["example"]
    answers = [_answer(status, answer) for status, answer in sorted(route["responses"].items())]
    return RouteReference(method.upper(), path, route["operationId"], route.get("description", ""), parameters, body, example, answers)


def _answer(status: str, answer: dict[str, Any]) -> AnswerReference:
    schema = answer.get("content", {}).get("application/json", {}).get("schema")
    return AnswerReference(status, answer["description"], "" if schema is None else kind_of(schema), answer.get("x-codes", []))


def _fields(shape: dict[str, Any]) -> list[Field]:
    required = set(shape.get("required", []))
    return [_field(name, one, name in required, one) for name, one in shape.get("properties", {}).items()]


def _field(name: str, schema: dict[str, Any], required: bool, said: dict[str, Any]) -> Field:
    kind = kind_of(schema)
    if schema.get("default") not in (None, "", [], {}):
        kind = f"{kind}, default {_text(schema['default'])}"
    example = _text(schema["examples"][0]) if "examples" in schema else ""
    return Field(name, kind, required, said.get("description", ""), example)


def _text(value: object, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)
