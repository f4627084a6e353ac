"""The API reference: every route on one plain page that needs nothing from elsewhere."""

from __future__ import annotations

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
