"""Members over HTTP: enrolment, points across brands and lots, points at a past block, worth, and history page by page."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.brands.tables import BrandRow
from gateway.ledger.lots import expiry_day_for, lot_id
from gateway.ledger.members import member_id
from gateway.ledger.positions import ledger_position
from gateway.projection.tables import LedgerBlockRow, LedgerEntryRow, LedgerMovementRow
from gateway.rounds.tables import BatchRow, OperationRow
from gateway.values.ids import Hash, MemberId, Reference
from tests.builders.offline_coalition import COALITION_ID, START, OfflineCoalition, purchase_body

ADDRESS, SALT = "0x" + "Ab" * 20, "0x" + "01" * 32


def body(**changes: Any) -> dict[str, Any]:
    return {"authorizer": {"kind": 1, "address": ADDRESS}, "salt": SALT, **changes}


def test_a_members_id_commits_to_coalition_authorizer_and_salt(coalition: OfflineCoalition) -> None:
    answer = coalition.post("operator", "/v1/members", body())
    expected = member_id(Hash.parse(COALITION_ID), 1, bytes.fromhex(ADDRESS[2:]), bytes.fromhex(SALT[2:]))
    assert (answer.status_code, answer.json()["member_id"]) == (202, "0x" + expected.hex())
    assert answer.json()["operation"]["kind"] == "enroll"


@pytest.mark.parametrize(
    "bad",
    [
        body(authorizer={"kind": 3, "address": ADDRESS}),
        body(authorizer={"kind": "1", "address": ADDRESS}),
        body(authorizer={"kind": 1, "address": "0x" + "00" * 20}),
        body(authorizer={"kind": 1, "address": "0x" + "ab" * 19}),
        body(authorizer={"kind": 1, "address": "ab" * 20}),
        body(authorizer={"kind": 1, "address": "0x" + "g0" * 20}),
        body(salt="0x01"),
        body(name="Jane"),
        {},
    ],
)
def test_a_bad_enrolment_is_refused_and_leaves_no_trace(coalition: OfflineCoalition, bad: dict[str, Any]) -> None:
    with coalition.no_trace():
        answer = coalition.post("operator", "/v1/members", bad)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_points_are_shown_per_brand_and_lot_with_their_worth(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    coalition.brand(2)
    with coalition.database.write() as session:
        change = "UPDATE ledger_brand_terms SET redemption_numerator = 2, redemption_denominator = 3 WHERE brand_id = 2"
        session.connection().exec_driver_sql(change)
    member = coalition.shopper().member_id
    coalition.put_points(member, 70, brand_id=1, months=6)
    coalition.put_points(member, 50, brand_id=2, months=3, reserved=20)
    coalition.put_points(member, 0, brand_id=2, months=4)
    shown = coalition.get("brand:1", f"/v1/members/{member}/points?worth_at_brand=2").json()
    assert (shown["available"], shown["reserved"], shown["ledger"]) == (100, 20, 120)
    assert [(lot["brand_name"], lot["points"], lot["reserved"], lot["expiry_date"]) for lot in shown["lots"]] == [
        ("Brand 2", 50, 20, "2017-06-30"),
        ("Brand 1", 70, 0, "2017-09-30"),
    ]
    assert [(brand["brand_id"], brand["points"]) for brand in shown["brands"]] == [(1, 70), (2, 50)]
    assert shown["worth"] == {"brand_id": 2, "brand_name": "Brand 2", "currency": "USD", "amount_minor": 66, "available": 100}
    assert shown["block"] == {"number": 1, "at": "2017-03-15T00:00:00Z"}


def test_unknown_members_brands_and_blocks_are_not_found(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    member = coalition.shopper().member_id
    for path in (
        f"/v1/members/0x{'77' * 20}/points",
        f"/v1/members/0x{'77' * 20}/history",
        f"/v1/members/{member}/points?worth_at_brand=9",
        f"/v1/members/{member}/points?at_block=2",
    ):
        answer = coalition.get("auditor", path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path


def _entry(coalition: OfflineCoalition, member: str, block: int, kind: str, points: int, held: int, reserved: int, **more: Any) -> None:
    """An entry of brand 1 in a block of its own, as the follower writes it."""
    lot = lot_id(1, expiry_day_for(START, 0, 12))
    position, whose = ledger_position(block), MemberId.parse(member)
    with coalition.database.write() as session:
        session.add(LedgerBlockRow(number=block, block_hash=Hash(block.to_bytes(32)), timestamp=START + block))
        session.add(
            LedgerEntryRow(
                position=position,
                brand_id=1,
                batch_number=block,
                entry_index=0,
                kind=kind,
                member_id=whose,
                points=points,
                reference=Reference(block.to_bytes(32)),
                entry=b"",
                block_number=block,
                block_timestamp=START + block,
                **more,
            )
        )
        if not more.get("refused_reason"):
            session.add(LedgerMovementRow(position=position, lot_id=lot, member_id=whose, held_delta=held, reserved_delta=reserved))


@pytest.fixture
def member(coalition: OfflineCoalition) -> str:
    """Earned 100, had 40 set aside, paid with 30 of them; one issue was refused by the ledger."""
    coalition.brand(1)
    made = coalition.shopper().member_id
    _entry(coalition, made, 2, "issue", 100, 100, 0)
    _entry(coalition, made, 3, "authorize", 40, 0, 40)
    _entry(coalition, made, 4, "capture", 30, -30, -40)
    _entry(coalition, made, 5, "issue", 7, 0, 0, refused_reason="LimitExceeded")
    coalition.put_points(made, 70)
    return made


@pytest.mark.parametrize(
    ("block", "ledger", "reserved", "available"), [(1, 0, 0, 0), (2, 100, 0, 100), (3, 100, 40, 60), (4, 70, 0, 70), (5, 70, 0, 70)]
)
def test_points_at_a_past_block(coalition: OfflineCoalition, member: str, block: int, ledger: int, reserved: int, available: int) -> None:
    shown = coalition.get("auditor", f"/v1/members/{member}/points?at_block={block}").json()
    assert (shown["ledger"], shown["reserved"], shown["available"], shown["pending"]) == (ledger, reserved, available, 0)
    assert shown["block"]["number"] == block


def test_history_tells_in_members_words_what_happened(coalition: OfflineCoalition, member: str) -> None:
    coalition.post("brand:1", "/v1/purchases", purchase_body(member_id=member))
    items = coalition.get("brand:1", f"/v1/members/{member}/history").json()["items"]
    assert [(item["text"], item["status"]) for item in items] == [
        ("On its way: You earned 25 points at Brand 1", "pending"),
        ("Did not happen: You earned 7 points at Brand 1", "refused"),
        ("You paid with 30 points at Brand 1", "confirmed"),
        ("40 points set aside for a purchase at Brand 1", "confirmed"),
        ("You earned 100 points at Brand 1", "confirmed"),
    ]
    assert items[1]["reason"] == "LimitExceeded"
    assert items[2]["lots"] == [{"brand_id": 1, "brand_name": "Brand 1", "expiry_date": "2018-03-31", "points": -30, "reserved": -40}]
    assert (items[2]["block_number"], items[2]["operation_id"]) == (4, None)


def test_history_names_the_operation_of_an_entry(coalition: OfflineCoalition, member: str) -> None:
    operation_id = coalition.post("brand:1", "/v1/purchases", purchase_body(member_id=member)).json()["operation"]["operation_id"]
    with coalition.database.write() as session:
        batch = BatchRow(batch_id=1, brand_id=1, number=2, deadline=0, entries=b"", entry_count=1, status="recorded", created_at=START)
        session.add(batch)
        session.flush()
        row = session.query(OperationRow).filter_by(operation_id=operation_id).one()
        row.batch_id, row.entry_index, row.status = 1, 0, "confirmed"
    items = coalition.get("brand:1", f"/v1/members/{member}/history").json()["items"]
    assert [item["operation_id"] for item in items] == [None, None, None, operation_id]


def test_history_pages_neither_repeat_nor_skip_while_more_is_added(coalition: OfflineCoalition, member: str) -> None:
    seen: list[int] = []
    cursor, block = "", 6
    while True:
        page = coalition.get("brand:1", f"/v1/members/{member}/history?limit=1{cursor}").json()
        seen += [item["block_number"] for item in page["items"]]
        _entry(coalition, member, block, "expire", 1, -1, 0)
        block += 1
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [5, 4, 3, 2]


def test_a_member_is_found_by_its_points_even_if_the_gateway_lost_its_row(coalition: OfflineCoalition, member: str) -> None:
    with coalition.database.write() as session:
        session.connection().exec_driver_sql("DELETE FROM members")
    assert coalition.get("brand:1", f"/v1/members/{member}/points").json()["ledger"] == 70
    assert len(coalition.get("brand:1", f"/v1/members/{member}/history").json()["items"]) == 4


def test_brand_names_are_of_the_gateway_and_unknown_issuers_keep_their_number(coalition: OfflineCoalition, member: str) -> None:
    with coalition.database.read() as session:
        assert session.get(BrandRow, 3) is None
    coalition.put_points(member, 5, brand_id=3)
    shown = coalition.get("brand:1", f"/v1/members/{member}/points").json()
    assert [brand["brand_name"] for brand in shown["brands"]] == ["Brand 1", "Brand 3"]
