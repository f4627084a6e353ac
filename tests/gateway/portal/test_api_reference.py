"""The API reference: every route on one plain page that needs nothing from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.builders.offline_coalition import OfflineCoalition
from tests.gateway.portal.test_member_page import Outline


def test_every_route_stands_on_the_page(coalition: OfflineCoalition) -> None:
    answer = coalition.client.get("/docs")
    assert answer.status_code == 200
    page = Outline(answer.text)
    described = coalition.client.get("/openapi.json").json()["paths"]
    for path, methods in described.items():
        for method in methods:
            assert f"{method.upper()} {path}" in page.text
    assert "gross_minor" in page.text
    assert "Idempotency-Key" in page.text


def test_the_page_runs_no_script_and_loads_nothing_from_elsewhere(coalition: OfflineCoalition) -> None:
    answer = coalition.client.get("/docs")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    page = Outline(answer.text)
    assert not {tag for tag, _ in page.tags} & {"script", "style", "iframe", "img"}
    hrefs = [attributes["href"] or "" for tag, attributes in page.tags if "href" in attributes]
    assert all(href.startswith(("/", "#")) for href in hrefs)


def test_ids_on_the_page_are_unique(coalition: OfflineCoalition) -> None:
    page = Outline(coalition.client.get("/docs").text)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_what_fields_mean_their_bounds_examples_and_codes_are_shown_where_they_are_asked_for(coalition: OfflineCoalition) -> None:
    description = coalition.client.get("/openapi.json").json()
    articles = _articles(coalition.client.get("/docs").text)
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            shown = articles[operation["operationId"]]
            told = [f"{method.upper()} {path}", operation["description"]]
            for parameter in operation.get("parameters", []):
                told += [parameter["name"], parameter["description"], *_bounds(parameter["schema"])]
            for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
                is_json = media_type == "application/json"
                told.append(json.dumps(content["example"], ensure_ascii=False, indent=2) if is_json else content["example"])
            for status, answer in operation["responses"].items():
                told += [status, *answer.get("x-codes", [])]
            assert [one for one in told if _words(one) not in shown] == [], path


def test_every_shape_tells_what_its_fields_mean_and_their_bounds(coalition: OfflineCoalition) -> None:
    shapes = coalition.client.get("/openapi.json").json()["components"]["schemas"]
    articles = _articles(coalition.client.get("/docs").text)
    for name, shape in shapes.items():
        told = [shape.get("description", name), *(str(one) for one in shape.get("enum", []))]
        for field, schema in shape.get("properties", {}).items():
            told += [field, schema["description"], *_bounds(schema), *(_example(one) for one in schema.get("examples", []))]
        assert [one for one in told if _words(one) not in articles[name]] == [], name


def test_what_is_linked_on_the_page_is_there(coalition: OfflineCoalition) -> None:
    page = Outline(coalition.client.get("/docs").text)
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    links = {attributes["href"] for _, attributes in page.tags if (attributes.get("href") or "").startswith("#")}
    assert len(links) > 100
    assert {link for link in links if link is not None and link[1:] not in ids} == set()


def _articles(html: str) -> dict[str, str]:
    """The text of each article, by its id."""
    parts = [part.partition("</article>")[0] for part in html.split("<article ")[1:]]
    return {part.split('"')[1]: _words(Outline(f"<article {part}</article>").text) for part in parts}


def _bounds(schema: Any) -> Iterator[str]:
    """Every bound anywhere in a schema, as it is written."""
    if isinstance(schema, list):
        for one in schema:
            yield from _bounds(one)
    elif isinstance(schema, dict):
        for name, value in schema.items():
            if name in ("minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems"):
                yield str(int(value))
            elif name == "exclusiveMaximum":
                yield str(int(value) - 1)
            elif name == "pattern":
                yield value
            elif name in ("anyOf", "oneOf", "items"):
                yield from _bounds(value)


def _example(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _words(text: str) -> str:
    return "".join(text.split())
