"""A description's schemas as typed dictionaries: JSON stays what it is, and a type checker knows what it holds."""

from __future__ import annotations

import json
import keyword
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_TAKEN = frozenset(  # by what is made, and by the class that is written by hand
    {"Any", "Literal", "NotRequired", "TypedDict", "Iterator", "Calls", "Gateway", "REMEDIES", "annotations", "self", "part", "answer"}
    | {"idempotency_key", "wait", "call", "every", "close", "remedies", "str", "int", "float", "bool", "dict", "list", "bytes"}
)
_HEAD = '''"""Bodies that the gateway takes and answers that it gives, as typed dictionaries."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict'''


class CannotBeMade(Exception):
    """The description holds something that no client can be made of."""


def shapes_module(schemas: Mapping[str, Mapping[str, Any]]) -> str:
    """The module `shapes.py`."""
    return "\n\n\n".join([_HEAD, *("\n".join(_shape(known_name(name), schema)) for name, schema in sorted(schemas.items()))]) + "\n"


def kind_of(schema: Mapping[str, Any]) -> str:
    """A schema as a type."""
    if "$ref" in schema:
        return known_name(str(schema["$ref"]).rpartition("/")[2])
    if among := schema.get("anyOf", schema.get("oneOf")):
        return " | ".join(dict.fromkeys(kind_of(one) for one in among))
    if "enum" in schema or "const" in schema:
        return f"Literal[{', '.join(_literal(one) for one in schema.get('enum', [schema.get('const')]))}]"
    if schema.get("type") == "array":
        return f"list[{kind_of(schema.get('items', {}))}]"
    if schema.get("type") == "object":
        values = schema.get("additionalProperties")
        return f"dict[str, {kind_of(values) if isinstance(values, dict) else 'Any'}]"
    return _PLAIN.get(str(schema.get("type")), "Any")


def known_name(name: str, taken: frozenset[str] = _TAKEN) -> str:
    """A name that Python takes and that means nothing else; raises CannotBeMade for others."""
    if not name.isascii() or not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_") or name in taken:
        raise CannotBeMade(f"{name[:80]!r} cannot be a name in Python")
    return name


def quoted(text: str) -> str:
    """A text as Python writes it; JSON's escapes are Python's."""
    return json.dumps(text)


def docstring(text: str, indent: int) -> list[str]:
    """Lines of a docstring that no text can end."""
    safe = text.replace("\\", "\\\\").replace('"""', "'''")
    parts = [textwrap.fill(part, 100 - indent, break_long_words=False) for part in map(_one_line, safe.split("\n\n"))]
    told = "\n\n".join(parts)
    told = f'{told[:-1]}\\"' if told.endswith('"') else told
    return textwrap.indent(f'"""{told}' + ('\n"""' if "\n" in told else '"""'), " " * indent).splitlines()


def _shape(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    if "properties" not in schema and schema.get("type") != "object":
        yield from _comment(schema.get("description", ""), "")
        yield f"{name} = {kind_of(schema)}"
        return
    yield f"class {name}(TypedDict):"
    yield from docstring(schema.get("description") or name, 4)
    required = set(schema.get("required", ()))
    for field, one in schema.get("properties", {}).items():
        yield from _comment(one.get("description", ""), "    ")
        kind = kind_of(one)
        yield f"    {known_name(field, frozenset())}: {kind if field in required else f'NotRequired[{kind}]'}"


def _comment(text: str, indent: str) -> list[str]:
    return textwrap.wrap(_one_line(text), 100, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _literal(value: object) -> str:
    if not isinstance(value, str | int):
        raise CannotBeMade(f"{value!r} cannot be one of a few values")
    return quoted(value) if isinstance(value, str) else repr(value)
