"""Over HTTP: opening files line by line, refunds that failed, and what a brand decides on its points."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from gateway.points.tables import ActivitySeenRow
from tests.builders.offline_coalition import OfflineCoalition, purchase_body

REFUND = {
    "refund_id": "r-1",
    "payment_id": "p-1",
    "amount_minor": 1_000,
    "occurred_at": "2017-03-15T02:00:00+00:00",
    "business_date": "2017-03-15",
}
FAILED = {"occurred_at": "2017-03-15T04:00:00+00:00"}
TERMS = {"programme": "stamp-card", "ratio_points": 1, "ratio_units": 2}


def send(coalition: OfflineCoalition, content: bytes, key: str = "k1", who: str = "brand:1", **terms: Any) -> Any:
    headers = {"Idempotency-Key": key, "Authorization": f"Bearer {coalition.tokens[who]}", "Content-Type": "text/csv"}
    return coalition.client.post("/v1/opening-files", params={**TERMS, **terms}, content=content, headers=headers)


@pytest.fixture
def brand(coalition: OfflineCoalition) -> OfflineCoalition:
    coalition.brand(1)
    coalition.brand(2)
    return coalition


def test_an_opening_file_is_answered_line_by_line_in_units_and_points(brand: OfflineCoalition) -> None:
    ann = brand.shopper(1).member_id
    content = f"member_id,balance,expires_on\n{ann},101,2018-03-31\n0x{'0e' * 20},7,2018-03-31\n{ann},3,2016-03-31\n".encode()
    answer = send(brand, content)
    assert answer.status_code == 202, answer.text
    shown = answer.json()
    assert (shown["row_count"], shown["units"], shown["points"], shown["rounded_off"]) == (3, 108, 53, 2)
    assert {name: one["lines"] for name, one in shown["states"].items() if one["lines"]} == {"pending": 1, "waiting": 1, "unusable": 1}
    path = f"/v1/opening-files/{shown['opening_file_id']}"
    assert brand.get("auditor", path).json() == shown
    first = brand.get("brand:1", f"{path}/lines?limit=2").json()
    rest = brand.get("brand:1", f"{path}/lines?limit=2&cursor={first['next_cursor']}").json()
    assert [line["line_number"] for line in (*first["lines"], *rest["lines"])] == [2, 3, 4]
    (unusable,) = brand.get("brand:1", f"{path}/lines?state=unusable").json()["lines"]
    assert (unusable["line_number"], unusable["reason"]) == (4, "the balance has expired: there is nothing to bring along")
    assert brand.get("brand:2", path).status_code == 404


def test_the_same_file_under_another_key_is_the_first_result_and_other_terms_are_refused(brand: OfflineCoalition) -> None:
    ann = brand.shopper(1).member_id
    content = f"member_id,balance,expires_on\n{ann},100,2018-03-31\n".encode()
    first, again = send(brand, content, "k1"), send(brand, content, "k2")
    assert first.json()["opening_file_id"] == again.json()["opening_file_id"]
    assert brand.get("brand:1", "/v1/operations?kind=opening").json()["operations"].__len__() == 1
    other = send(brand, content, "k3", ratio_units=1)
    assert (other.status_code, other.json()["code"]) == (409, "reference_reused")


@pytest.mark.parametrize(
    ("content", "terms", "status"),
    [
        (b"", {}, 422),
        (b"member_id,balance\n", {"ratio_units": 0}, 422),
        (b"member_id,balance\n", {"ratio_points": 2**32}, 422),
        (b"member_id,balance\n", {"programme": "with space"}, 422),
        (b"x" * (8 * 2**20 + 1), {}, 413),
    ],
)
def test_what_cannot_be_taken_over_is_refused_and_nothing_is_kept(
    brand: OfflineCoalition, content: bytes, terms: dict[str, Any], status: int
) -> None:
    assert send(brand, content, **terms).status_code == status
    assert brand.row_counts()["opening_files"] == 0


def test_a_refund_that_failed_is_told_once_and_later_refunds_count_without_it(brand: OfflineCoalition) -> None:
    ann = brand.shopper(1).member_id
    assert brand.post("brand:1", "/v1/purchases", purchase_body("p-1", member_id=ann, gross_minor=1_000)).status_code == 202
    assert brand.post("brand:1", "/v1/payment-refunds/r-1/failure", FAILED).status_code == 404
    assert brand.post("brand:1", "/v1/payment-refunds", REFUND).status_code == 202
    again = {**REFUND, "refund_id": "r-2"}
    assert brand.post("brand:1", "/v1/payment-refunds", again).json()["code"] == "wrong_state"
    answer = brand.post("brand:1", "/v1/payment-refunds/r-1/failure", FAILED)
    assert answer.status_code == 202, answer.text
    shown = answer.json()
    assert (shown["failed"], shown["points_restored"], [one["kind"] for one in shown["restores"]]) == (True, 0, ["restore"])
    assert brand.post("brand:1", "/v1/payment-refunds/r-1/failure", FAILED).status_code == 202
    other = brand.post("brand:1", "/v1/payment-refunds/r-1/failure", {"occurred_at": "2017-03-15T05:00:00+00:00"})
    assert other.json()["code"] == "reference_reused"
    assert len(brand.get("brand:1", "/v1/operations?kind=restore").json()["operations"]) == 1
    assert brand.post("brand:1", "/v1/payment-refunds", again).json()["points_due"] == shown["points_due"]
    assert brand.post("brand:2", "/v1/payment-refunds/r-1/failure", FAILED).status_code == 404


def test_a_brand_decides_on_its_own_points_alone(brand: OfflineCoalition) -> None:
    answer = brand.post("brand:1", "/v1/brands/1/settings", {"extends_by_activity": True})
    decided = {"extends_by_activity": True, "carries_clawbacks": False}
    assert (answer.status_code, answer.json() | decided) == (201, answer.json())
    answer = brand.post("operator", "/v1/brands/1/settings", {"carries_clawbacks": True})
    assert answer.json() | decided | {"carries_clawbacks": True} == answer.json()
    assert brand.get("auditor", "/v1/brands/1").json()["extends_by_activity"] is True
    with brand.database.read() as session:  # what comes on the ledger from here on counts, before the worker has heard of it
        assert session.scalars(select(ActivitySeenRow.brand_id)).all() == [1]
    assert brand.post("brand:2", "/v1/brands/1/settings", {"carries_clawbacks": False}).status_code == 404
    assert brand.post("brand:1", "/v1/brands/1/settings", {"carries_clawbacks": "yes"}).status_code == 422
