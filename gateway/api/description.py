"""What the API says of itself beyond its shapes: what fields mean, an example of every body, and the codes that each operation may answer.

The words are in words.toml, once for each name; what is said in the code itself goes before them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WORDS = Path(__file__).with_name("words.toml")
CODES = "x-codes"  # of an answer in the description: the problems' codes
_REF = "#/components/schemas/"


def describe(description: dict[str, Any], words: Mapping[str, Any] | None = None) -> Told:
    """Completes the description in place; gives what was said, and of what nothing is."""
    told = Told(words or tomllib.loads(WORDS.read_text()), description["components"]["schemas"])
    for name, shape in told.shapes.items():
        for part, schema in shape.get("properties", {}).items():
            told.tell(name, part, schema)
    for methods in description["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                told.tell(operation["operationId"], parameter["name"], parameter["schema"], parameter)
            for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
                is_json = media_type == "application/json"
                content["example"] = told.example(content["schema"]) if is_json else told.file_example(operation["operationId"])
            _tell_codes(operation, told)
    return told


@dataclass
class Told:
    """What was said: which words were used, and which parts have none (`silent`)."""

    words: Mapping[str, Any]
    shapes: dict[str, dict[str, Any]]
    used: set[str] = field(default_factory=set)
    silent: list[str] = field(default_factory=list)

    def tell(self, owner: str, name: str, schema: dict[str, Any], said: dict[str, Any] | None = None) -> None:
        """What the part means, and an example where the words have one. `said` is where a description belongs, if not into the schema."""
        said = schema if said is None else said
        fields: Mapping[str, list[Any]] = self.words["fields"]
        key = f"{owner}.{name}" if f"{owner}.{name}" in fields else name
        if key in fields:
            self.used.add(key)
            meaning, *examples = fields[key]
            said.setdefault("description", meaning)
            if examples:
                schema.setdefault("examples", examples)
        elif "description" not in said:
            self.silent.append(f"{owner}.{name}")

    def example(self, schema: Mapping[str, Any]) -> Any:
        """One value that the schema takes."""
        if "examples" in schema:
            return schema["examples"][0]
        if "$ref" in schema:
            return self._shape_example(schema["$ref"].removeprefix(_REF))
        for among in ("oneOf", "anyOf"):
            if among in schema:
                return self.example(schema[among][0])
        if schema.get("type") == "array":
            return [self.example(schema["items"])]
        return schema["const"] if "const" in schema else schema.get("enum", [schema.get("default")])[0]

    def file_example(self, operation_id: str) -> str:
        return str(self.words["files"][operation_id])

    def _shape_example(self, name: str) -> Any:
        shape = self.shapes[name]
        shown = {*shape.get("required", ()), *self.words["examples"].get(name, ())}
        return {part: self.example(schema) for part, schema in shape.get("properties", {}).items() if part in shown}


def _tell_codes(operation: dict[str, Any], told: Told) -> None:
    """The codes of each problem; a status that none of them has is not answered."""
    answers = operation["responses"]
    for status in [status for status, answer in answers.items() if "application/problem+json" in answer.get("content", {})]:
        codes = sorted({*told.words["codes"].get(status, ()), *_own_codes(operation, status, told)})
        if codes:
            answers[status][CODES] = codes
        else:
            del answers[status]


def _own_codes(operation: Mapping[str, Any], status: str, told: Told) -> Iterator[str]:
    yield from told.words["codes_of"].get(operation["operationId"], {}).get(status, ())
    if status == "409":
        if any(parameter["name"].lower() == "idempotency-key" for parameter in operation.get("parameters", ())):
            yield "reference_reused"
        if "202" in operation["responses"] and _is_of_one_operation(operation, told):
            yield "operation_refused"


def _is_of_one_operation(operation: Mapping[str, Any], told: Told) -> bool:
    schema = operation["responses"]["202"]["content"]["application/json"]["schema"]
    name = schema["$ref"].removeprefix(_REF)
    return name == "OperationView" or "operation" in told.shapes[name].get("properties", {})
