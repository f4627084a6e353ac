"""The API says what every field means, shows examples that it takes, and names the codes that it answers."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute

from gateway.api.description import CODES, WORDS, Told, describe
from gateway.app import ROUTERS
from scripts.codes_and_reasons import known_codes
from tests.builders.offline_coalition import OfflineCoalition
from tests.builders.payment_files import send


@pytest.fixture
def description(coalition: OfflineCoalition) -> dict[str, Any]:
    found: dict[str, Any] = coalition.client.get("/openapi.json").json()
    return found


def _operations(description: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in description["paths"].values():
        yield from methods.values()


def _told_again(description: dict[str, Any]) -> Told:
    """What is said of a description that says nothing yet."""
    plain = copy.deepcopy(description)
    for shape in plain["components"]["schemas"].values():
        for schema in shape.get("properties", {}).values():
            schema.pop("description", None)
    return describe(plain)


def test_every_field_and_parameter_says_what_it_means(description: dict[str, Any]) -> None:
    for name, shape in description["components"]["schemas"].items():
        silent = [field for field, schema in shape.get("properties", {}).items() if not schema.get("description")]
        assert silent == [], name
    for operation in _operations(description):
        assert operation["summary"]
        silent = [one["name"] for one in operation.get("parameters", []) if not one.get("description")]
        assert silent == [], operation["operationId"]


def test_no_word_is_of_a_field_that_is_not_there(description: dict[str, Any]) -> None:
    words = tomllib.loads(WORDS.read_text())
    assert set(words["fields"]) == _told_again(description).used
    shapes = description["components"]["schemas"]
    assert {
        (name, field) for name, fields in words["examples"].items() for field in fields if field not in shapes[name]["properties"]
    } == set()
    operations = {operation["operationId"] for operation in _operations(description)}
    assert {*words["codes_of"], *words["files"]} <= operations


def test_a_field_without_words_is_named() -> None:
    planted = {"components": {"schemas": {"PlantedBody": {"properties": {"brand_new": {"type": "string"}}}}}, "paths": {}}
    assert describe(planted).silent == ["PlantedBody.brand_new"]


def test_every_body_shows_an_example_that_its_shape_takes(description: dict[str, Any]) -> None:
    shown = {
        operation["operationId"]: next(iter(operation["requestBody"]["content"].items()))
        for operation in _operations(description)
        if "requestBody" in operation
    }
    assert len(shown) > 50
    for router in ROUTERS:
        for route in router.routes:
            if isinstance(route, APIRoute) and route.body_field is not None:
                media_type, content = shown.pop(route.name)
                assert media_type == "application/json"
                body, errors = route.body_field.validate(content["example"], {}, loc=("body",))
                assert (errors, body is None) == ([], False), route.name
    assert set(shown) == {"create_payment_file", "create_opening_file"}


def test_items_of_bulk_bodies_show_examples_that_are_taken(coalition: OfflineCoalition, description: dict[str, Any]) -> None:
    coalition.brand(1)
    bulk = {path: methods["post"] for path, methods in description["paths"].items() if path.endswith("/bulk")}
    assert len(bulk) >= 5
    for path, operation in bulk.items():
        answer = coalition.post("brand:1", path, operation["requestBody"]["content"]["application/json"]["example"])
        assert answer.status_code == 202 or answer.status_code == 201, answer.text
        problems = [item["problem"]["code"] for item in answer.json()["results"] if item["problem"]]
        assert "invalid" not in problems, (path, answer.json())


def test_the_files_that_are_shown_are_read(coalition: OfflineCoalition, description: dict[str, Any]) -> None:
    coalition.brand(1)
    mapping = description["paths"]["/v1/column-mappings"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert coalition.post("brand:1", "/v1/column-mappings", mapping).status_code == 201
    files = {
        path: description["paths"][path]["post"]["requestBody"]["content"]["text/csv"]["example"]
        for path in ("/v1/payment-files", "/v1/opening-files")
    }
    answer = send(coalition, "brand:1", files["/v1/payment-files"].encode(), "file", layout="mapped:till")
    assert (answer.status_code, answer.json()["record_count"], answer.json()["error_count"]) == (201, 1, 0), answer.text
    headers = {"Authorization": f"Bearer {coalition.tokens['brand:1']}", "Idempotency-Key": "openings", "Content-Type": "text/csv"}
    asked = {"programme": "stamp-card", "ratio_points": 10, "ratio_units": 1}
    answer = coalition.client.post("/v1/opening-files", params=asked, content=files["/v1/opening-files"].encode(), headers=headers)
    assert (answer.json()["row_count"], answer.json()["points"], answer.json()["states"]["unusable"]["lines"]) == (1, 120, 0), answer.text


def test_every_problem_names_codes_that_come_with_its_status(description: dict[str, Any]) -> None:
    statuses = {code: {int(one) for one in found.split(", ")} for code, found in known_codes()["problems"].items() if found != "any"}
    for operation in _operations(description):
        for status, answer in operation["responses"].items():
            if "application/problem+json" in answer.get("content", {}):
                assert answer[CODES], (operation["operationId"], status)
                assert {code for code in answer[CODES] if int(status) not in statuses.get(code, set())} == set(), (
                    operation["operationId"],
                    status,
                )
