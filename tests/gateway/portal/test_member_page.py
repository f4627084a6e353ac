"""The member's page: opened by a signed, expiring link, plain HTML under a strict policy, with points, lots, worth and history."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from sqlalchemy import update

from gateway.coalition.tables import CoalitionRow
from gateway.ledger.positions import ledger_position
from gateway.projection.tables import LedgerBlockRow, LedgerEntryRow
from gateway.values.ids import Hash, MemberId
from tests.builders.offline_coalition import START, OfflineCoalition, purchase_body

VOID_TAGS = {"meta", "link", "br", "img"}


class Outline(HTMLParser):
    """Checks that tags close in order and keeps text, tags and attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID_TAGS:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += " " + " ".join(data.split())


def _link(coalition: OfflineCoalition, member_id: str, **body: Any) -> str:
    answer = coalition.post("brand:1", f"/v1/members/{member_id}/view-links", body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["path"])


@pytest.fixture
def member_id(coalition: OfflineCoalition) -> str:
    """Points of two brands, one lot expired, one purchase on its way."""
    coalition.brand(1, name="Corner <Grocer> & Co")
    coalition.brand(2)
    made = coalition.shopper().member_id
    coalition.put_points(made, 1_200, brand_id=1, months=12, reserved=200)
    coalition.put_points(made, 30, brand_id=2, months=1)
    coalition.move_time(START + 60 * 86_400)
    coalition.post("brand:1", "/v1/purchases", purchase_body(member_id=made))
    return made


def test_the_page_shows_points_lots_worth_and_history(coalition: OfflineCoalition, member_id: str) -> None:
    answer = coalition.client.get(_link(coalition, member_id))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    page = Outline(answer.text)
    for words in ("1,000 points to spend", "Set aside for a purchase 200", "Expired 30", "On their way to you 25"):
        assert words.replace(" ", "") in page.text.replace(" ", ""), words
    assert "2018-03-31" in page.text
    assert "2017-04-30" in page.text
    assert "10.00 USD" in page.text, "1,000 points at one cent each"
    assert "On its way: You earned 25 points at Corner <Grocer> & Co." in page.text


def test_points_of_a_brand_in_default_are_shown_apart_and_are_worth_nothing(coalition: OfflineCoalition, member_id: str) -> None:
    coalition.put_points(member_id, 50, brand_id=2, months=12)
    coalition.activate(1, "in_default")
    page = Outline(coalition.client.get(_link(coalition, member_id)).text)
    for words in ("50 points to spend", "Accepted nowhere now 1,000", "0.50 USD"):
        assert words.replace(" ", "") in page.text.replace(" ", ""), words
    assert "10.00 USD" not in page.text


def test_the_page_says_that_it_is_of_a_sandbox(coalition: OfflineCoalition, member_id: str) -> None:
    link = _link(coalition, member_id)
    assert "This is a sandbox" in coalition.client.get(link).text
    with coalition.database.write() as session:
        session.execute(update(CoalitionRow).values(sandbox=False))
    html = coalition.client.get(link)
    assert "sandbox" not in html.text


def test_names_are_escaped(coalition: OfflineCoalition, member_id: str) -> None:
    html = coalition.client.get(_link(coalition, member_id)).text
    assert "<Grocer>" not in html
    assert "Corner &lt;Grocer&gt; &amp; Co" in html


def test_the_page_runs_no_script_and_loads_nothing_from_elsewhere(coalition: OfflineCoalition, member_id: str) -> None:
    answer = coalition.client.get(_link(coalition, member_id))
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["referrer-policy"] == "no-referrer", "the link must not travel to other pages"
    assert answer.headers["cache-control"] == "no-store"
    page = Outline(answer.text)
    assert not {tag for tag, _ in page.tags} & {"script", "style", "iframe", "img", "form"}
    assert all(not name.startswith("on") and name != "style" for _, attributes in page.tags for name in attributes)
    assert [attributes["href"] for tag, attributes in page.tags if tag == "link"] == ["/favicon.ico", "/static/portal.css"]
    assert coalition.client.get("/static/portal.css").headers["content-type"].startswith("text/css")


def test_the_page_can_be_read_by_assistive_technology(coalition: OfflineCoalition, member_id: str) -> None:
    page = Outline(coalition.client.get(_link(coalition, member_id)).text)
    tags = [tag for tag, _ in page.tags]
    assert dict(page.tags)["html"]["lang"] == "en"
    assert (tags.count("h1"), tags.count("main"), tags.count("title")) == (1, 1, 1)
    assert all(attributes.get("scope") in ("row", "col") for tag, attributes in page.tags if tag == "th")
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    assert {attributes["aria-labelledby"] for tag, attributes in page.tags if tag == "section"} <= ids


def test_history_goes_on_page_by_page(coalition: OfflineCoalition, member_id: str) -> None:
    with coalition.database.write() as session:
        session.add(LedgerBlockRow(number=90, block_hash=Hash(b"\x90" * 32), timestamp=START))
        for number in range(30):
            session.add(
                LedgerEntryRow(
                    position=ledger_position(90, 0, number),
                    brand_id=1,
                    batch_number=90,
                    entry_index=number,
                    kind="issue",
                    member_id=MemberId.parse(member_id),
                    points=1_000 + number,
                    entry=b"",
                    block_number=90,
                    block_timestamp=START,
                )
            )
    path = _link(coalition, member_id)
    first = Outline(coalition.client.get(path).text)
    following = [attributes["href"] for tag, attributes in first.tags if tag == "a"]
    assert len(following) == 1
    second = Outline(coalition.client.get(path.partition("?")[0] + (following[0] or "")).text)
    assert "1,029 points" in first.text
    assert "1,004 points" not in first.text
    assert "1,004 points" in second.text
    assert "On its way" not in second.text


def test_a_link_opens_nothing_once_it_is_forged_moved_or_old(coalition: OfflineCoalition, member_id: str) -> None:
    path = _link(coalition, member_id, valid_seconds=60)
    token = path.partition("link=")[2]
    expires, _, mark = token.partition(".")
    other = coalition.shopper(2).member_id
    for bad in (
        f"/members/{member_id}",
        f"/members/{member_id}?link=",
        f"/members/{other}?link={token}",
        f"/members/{member_id}?link={int(expires) + 1}.{mark}",
        f"/members/{member_id}?link={expires}.{'0' * 64}",
        f"/members/{member_id}?link={expires}.é",
        f"/members/{member_id}?link=١٢.{mark}",
    ):
        answer = coalition.client.get(bad)
        assert answer.status_code == 403, bad
        assert "points to spend" not in answer.text
    assert coalition.client.get(path).status_code == 200
    coalition.wall_clock += 60
    assert coalition.client.get(path).status_code == 403


def test_before_any_link_was_made_none_is_valid(coalition: OfflineCoalition, member_id: str) -> None:
    assert coalition.client.get(f"/members/{member_id}?link=99999999999.{'0' * 64}").status_code == 403


@pytest.mark.parametrize("seconds", [0, 59, 90 * 86_400 + 1, "60", 60.5])
def test_links_live_neither_too_short_nor_too_long(coalition: OfflineCoalition, member_id: str, seconds: Any) -> None:
    answer = coalition.post("brand:1", f"/v1/members/{member_id}/view-links", {"valid_seconds": seconds})
    assert answer.status_code == 422


def test_a_link_to_an_unknown_member_is_not_made(coalition: OfflineCoalition, member_id: str) -> None:
    assert coalition.post("brand:1", f"/v1/members/0x{'77' * 20}/view-links", {}).status_code == 404


def test_a_bad_cursor_is_told_on_a_page(coalition: OfflineCoalition, member_id: str) -> None:
    answer = coalition.client.get(_link(coalition, member_id) + "&cursor=nonsense")
    assert answer.status_code == 422
    assert "not given out here" in Outline(answer.text).text
