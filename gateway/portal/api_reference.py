"""The API's description as a plain page: readable offline and without scripts. The same facts for programs are at /openapi.json."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from fastapi import APIRouter, FastAPI, Request, Response

from gateway.portal.pages import page

router = APIRouter(include_in_schema=False)
_MAKING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter or a body's field."""

    name: str
    kind: str
    required: bool
    about: str


@dataclass(frozen=True, slots=True)
class RouteReference:
    method: str
    path: str
    operation_id: str
    about: str
    parameters: list[Field]
    body_about: str
    body: list[Field]
    answers: list[tuple[str, str]]


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
    return page("api_reference.html", title=description["info"]["title"], groups=reference(description))


def reference(description: dict[str, Any]) -> dict[str, list[RouteReference]]:
    """Routes by their tag, in the order of the description."""
    groups: dict[str, list[RouteReference]] = {}
    for path, methods in description["paths"].items():
        for method, route in methods.items():
            tag = route.get("tags", ["other"])[0]
            groups.setdefault(tag, []).append(_route(method, path, route, description["components"]["schemas"]))
    return groups


def _route(method: str, path: str, route: dict[str, Any], schemas: dict[str, Any]) -> RouteReference:
    parameters = [
        Field(one["name"], _kind(one["schema"]), one.get("required", False), one.get("description", ""))
        for one in route.get("parameters", [])
    ]
    content = route.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    shape = schemas.get(schema.get("$ref", "").rpartition("/")[2], {})
    required = set(shape.get("required", []))
    body = [Field(name, _kind(one), name in required, one.get("description", "")) for name, one in shape.get("properties", {}).items()]
    answers = [(status, answer["description"]) for status, answer in sorted(route["responses"].items())]
    about = route.get("description", "")
    return RouteReference(method.upper(), path, route["operationId"], about, parameters, shape.get("description", ""), body, answers)


def _kind(schema: dict[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(str(one) for one in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("type", "anything"))
