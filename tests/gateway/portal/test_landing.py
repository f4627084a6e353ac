"""Whoever arrives without a good link finds a page and a way on; programs are answered as ever."""

from __future__ import annotations

import pytest

from gateway.portal.landing import asks_for_pages
from tests.builders.offline_coalition import OfflineCoalition
from tests.gateway.portal.test_member_page import Outline

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"}
UNKNOWN = ["/index.html", "/members", "/members/", "/v2", "/docs/", "/robots.txt", "/%2e%2e/etc", "/" + "x" * 3_000]


def _ways_on(page: Outline) -> list[str]:
    return [attributes["href"] or "" for tag, attributes in page.tags if tag == "a"]


def test_the_landing_page_leads_on_to_places_that_are_there(coalition: OfflineCoalition) -> None:
    answer = coalition.client.get("/", headers=BROWSER)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert coalition.client.get("/?utm_source=till", headers=BROWSER).text == answer.text
    ways = _ways_on(Outline(answer.text))
    assert {"/docs", "/openapi.json", "/healthz"} <= set(ways)
    for way in ways:
        assert coalition.client.get(way).status_code in (200, 503), way


@pytest.mark.parametrize("path", UNKNOWN)
def test_a_browser_finds_a_way_on_at_any_unknown_path(coalition: OfflineCoalition, path: str) -> None:
    answer = coalition.client.get(path, headers=BROWSER)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "/" in _ways_on(Outline(answer.text))
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", UNKNOWN)
@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, text/html;q=0.5", "", "text/html;q=0", "text/html;q=x"])
def test_programs_are_answered_in_json_at_any_unknown_path(coalition: OfflineCoalition, path: str, accept: str) -> None:
    answer = coalition.client.get(path, headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["code"] == "unknown_route"


@pytest.mark.parametrize("path", ["/v1", "/v1/nothing"])
def test_the_api_tells_only_who_has_a_key_what_is_there(coalition: OfflineCoalition, path: str) -> None:
    for accept in (BROWSER["Accept"], "*/*"):
        stranger = coalition.client.get(path, headers={"Accept": accept})
        assert (stranger.status_code, stranger.json()["code"]) == (401, "not_authenticated")
    assert coalition.get("operator", path).json()["code"] == "unknown_route"


def test_what_is_no_page_is_answered_in_json_to_browsers_too(coalition: OfflineCoalition) -> None:
    assert coalition.client.post("/nowhere", headers=BROWSER).json()["code"] == "unknown_route"
    assert coalition.client.post("/docs", headers=BROWSER).json()["code"] == "method_not_allowed"
    assert coalition.client.get("/v1/brands", headers=BROWSER).json()["code"] == "not_authenticated"


@pytest.mark.parametrize("link", ["", "?link=", "?link=1.2", "?link=" + "9" * 12 + ".00", "?link=%00", "?link=<script>"])
@pytest.mark.parametrize("member", ["0x" + "11" * 20, "nobody", "0x", "<b>"])
def test_a_bad_page_link_says_so_and_leads_on(coalition: OfflineCoalition, member: str, link: str) -> None:
    answer = coalition.client.get(f"/members/{member}{link}", headers=BROWSER)
    assert answer.status_code == 403
    page = Outline(answer.text)
    assert "This link is not valid. A shop that takes part gives you a new link." in page.text
    assert "/" in _ways_on(page)


def test_the_favicon_is_a_picture_and_every_page_names_it(coalition: OfflineCoalition) -> None:
    answer = coalition.client.get("/favicon.ico")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    for path in ("/", "/docs", "/nowhere"):
        found = coalition.client.get(path, headers=BROWSER)
        assert "img-src 'self'" in found.headers["content-security-policy"]
        assert ("link", {"rel": "icon", "href": "/favicon.ico", "type": "image/svg+xml"}) in Outline(found.text).tags


def test_pages_run_no_script_and_show_what_was_asked_for_as_text(coalition: OfflineCoalition) -> None:
    for path in ("/", "/<script>alert(1)</script>"):
        page = Outline(coalition.client.get(path, headers=BROWSER).text)
        assert not {tag for tag, _ in page.tags} & {"script", "style", "iframe", "img"}
        assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on") or name == "style"]


def test_the_page_is_there_for_those_who_look_at_its_head_alone(coalition: OfflineCoalition) -> None:
    for path in ("/", "/favicon.ico"):
        assert coalition.client.head(path).status_code == 200


def test_html_is_asked_for_by_name() -> None:
    assert asks_for_pages(BROWSER["Accept"])
    assert asks_for_pages("TEXT/HTML;q=0.8, application/json;q=0.5")
    assert not asks_for_pages("text/*, */*")
