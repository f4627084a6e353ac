"""A description's operations as the methods of one class, each named by its operation id."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scripts.client.shapes import CannotBeMade, docstring, kind_of, known_name, quoted

_HEAD = '''"""Every operation of the gateway's API as a method."""

from __future__ import annotations

from collections.abc import Iterator
from typing import {typing}

from .calls import Calls, part
from .remedies import REMEDIES
from .shapes import (
    {shapes},
)


class Gateway(Calls):
    """A gateway, called with one API key. Answers are dictionaries as the API's reference (`/docs`) has them; what goes wrong is a
    GatewayTrouble."""

    remedies = REMEDIES
'''
_OWN = ("Idempotency-Key", "Prefer")  # headers that the client sends by itself


@dataclass(frozen=True, slots=True)
class Operation:
    """What a method is made of: path and query by name with their types, the body's type, what it answers."""

    name: str
    method: str
    path: str
    about: str
    in_path: dict[str, str]
    in_query: dict[str, str]
    needed: frozenset[str]
    body: str | None
    media_type: str | None
    is_keyed: bool
    waits: bool
    answer: str
    answered: tuple[int, ...]
    items: tuple[str, str] | None

    @property
    def arguments(self) -> list[str]:
        placed = [f"{name}: {kind}" for name, kind in self.in_path.items()]
        if self.body is not None:
            placed.append(f"body: {self.body}")
        named = [f"{name}: {kind}" if name in self.needed else f"{name}: {kind} = None" for name, kind in self.in_query.items()]
        named.sort(key=lambda one: one.endswith("= None"))
        if self.is_keyed:
            named.insert(0, "idempotency_key: str")
        if self.waits:
            named.append("wait: int = 0")
        return ["self", *placed, *(["*", *named] if named else [])]

    @property
    def kinds(self) -> list[str]:
        """All types that it speaks of."""
        return [*self.in_path.values(), *self.in_query.values(), self.body or "", self.answer, *(self.items or ())[1:]]

    @property
    def passed(self) -> list[str]:
        path = re.sub(r"\{(\w+)\}", r"{part(\1)}", self.path)
        passed = [quoted(self.method), f'f"{path}"' if self.in_path else quoted(self.path)]
        if self.in_query:
            passed.append("query={%s}" % ", ".join(f"{quoted(name)}: {name}" for name in self.in_query))  # noqa: UP031 - braces
        if self.media_type is not None:
            passed.append(f"body={'{}' if self.body is None else 'body'}")
            if self.media_type != "application/json":
                passed.append(f"media_type={quoted(self.media_type)}")
        if self.is_keyed:
            passed.append("idempotency_key=idempotency_key")
        if self.waits:
            passed.append("wait=wait")
        if self.answered:
            passed.append(f"answered={self.answered}")
        return passed


def gateway_module(description: Mapping[str, Any]) -> str:
    """The module `gateway.py`."""
    schemas = description["components"]["schemas"]
    found = [
        _operation(method, path, route, schemas) for path, methods in description["paths"].items() for method, route in methods.items()
    ]
    names = [operation.name for operation in found]
    if len(set(names)) < len(names):
        raise CannotBeMade("two operations have the same id")
    used = {name for operation in found for kind in operation.kinds for name in re.findall(r"\w+", re.sub(r'"[^"]*"', "", kind))}
    typing, shapes = sorted(used & {"Any", "Literal"}), sorted(used & set(schemas))
    head = _HEAD.replace("{typing}", ", ".join(typing)).replace("{shapes}", ",\n    ".join(shapes))
    return head + "\n".join(line for operation in found for line in _method(operation)) + "\n"


def _operation(method: str, path: str, route: Mapping[str, Any], schemas: Mapping[str, Any]) -> Operation:
    parameters = {one["name"]: one for one in route.get("parameters", ())}
    names = {name.lower() for name, one in parameters.items() if one["in"] == "header"}
    in_path, in_query = (
        {known_name(name): kind_of(one["schema"]) for name, one in parameters.items() if one["in"] == place} for place in ("path", "query")
    )
    if set(re.findall(r"\{(\w+)\}", path)) != set(in_path) or not re.fullmatch(r"(/[\w.-]+|/\{\w+\})+", path):
        raise CannotBeMade(f"the path {path[:200]!r}")
    if unknown := names - {name.lower() for name in _OWN}:
        raise CannotBeMade(f"{path}: the header {min(unknown)!r}")
    media_type, body = _body(route, schemas)
    answers = {
        int(status): content["application/json"]["schema"]
        for status, answer in route["responses"].items()
        if "application/json" in (content := answer.get("content", {}))
    }
    answer = next(iter(answers.values()))
    needed = frozenset(name for name in in_query if parameters[name].get("required"))
    return Operation(
        name=known_name(route["operationId"]),
        method=known_name(method.upper()),
        path=path,
        about="\n\n".join([route.get("description", ""), *_parameters_told(in_path | in_query, parameters), *_codes_told(route)]),
        in_path=in_path,
        in_query={name: kind if name in needed or "None" in kind else f"{kind} | None" for name, kind in in_query.items()},
        needed=needed,
        body=body,
        media_type=media_type,
        is_keyed="idempotency-key" in names,
        waits="202" in route["responses"],
        answer=kind_of(answer),
        answered=tuple(status for status in answers if status >= 400),
        items=_items(answer, in_query, schemas),
    )


def _parameters_told(names: Iterable[str], parameters: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    told = [f"`{name}`: {parameters[name]['description']}" for name in names if "description" in parameters[name]]
    if told:
        yield " ".join(told)


def _codes_told(route: Mapping[str, Any]) -> Iterator[str]:
    codes = dict.fromkeys(code for answer in route["responses"].values() for code in answer.get("x-codes", ()))
    if codes:
        yield f"Refused with {', '.join(codes)}."


def _body(route: Mapping[str, Any], schemas: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Media type, and the body's type: none where there is nothing to say in it."""
    content = route.get("requestBody", {}).get("content", {})
    if not content:
        return None, None
    [(media_type, one)] = content.items()
    if media_type != "application/json":
        if not re.fullmatch(r"[\w.+-]+/[\w.+-]+", media_type):
            raise CannotBeMade(f"a body of {media_type[:80]!r}")
        return media_type, "bytes"
    kind = kind_of(one["schema"])
    return media_type, kind if schemas.get(kind, {"properties": {"any": {}}}).get("properties") else None


def _items(answer: Mapping[str, Any], in_query: Mapping[str, str], schemas: Mapping[str, Any]) -> tuple[str, str] | None:
    """What a page lists, and the type of one of them."""
    fields = schemas.get(kind_of(answer), {}).get("properties", {})
    if "cursor" not in in_query or "next_cursor" not in fields:
        return None
    [(name, one)] = [(name, one) for name, one in fields.items() if one.get("type") == "array"]
    return name, kind_of(one["items"])


def _method(operation: Operation) -> Iterator[str]:
    yield ""
    yield from _definition(operation.name, operation.arguments, operation.answer)
    yield from docstring(f"{operation.about}\n\n{operation.method} {operation.path}", 8)
    yield f"        answer: {operation.answer} = self.call("
    yield from (f"            {one}," for one in operation.passed)
    yield "        )"
    yield "        return answer"
    if operation.items is not None:
        name, kind = operation.items
        others = [one for one in operation.arguments if not one.startswith("cursor:")]
        yield ""
        yield from _definition(operation.name.replace("get_", "iterate_", 1), others, f"Iterator[{kind}]")
        yield from docstring(f"Each of `{operation.name}`, page after page.", 8)
        passed = [f"self.{operation.name}", quoted(name), *operation.in_path]
        yield "        return self.every("
        yield from (f"            {one}," for one in [*passed, *(f"{one}={one}" for one in operation.in_query if one != "cursor")])
        yield "        )"


def _definition(name: str, arguments: list[str], answer: str) -> list[str]:
    line = f"    def {name}({', '.join(arguments)}) -> {answer}:"
    if len(line) <= 100:
        return [line]
    return [f"    def {name}(", *(f"        {one}," for one in arguments), f"    ) -> {answer}:"]
