"""Rules over HTTP: what a publisher signed waits for the brand's agent, and the version before earns until then."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders.offline_coalition import START, OfflineCoalition, brand_body
from tests.builders.publishers import PUBLISHER_ADDRESS, STRANGER, STRANGER_ADDRESS, hash_of, signed_rule

RULES = "/v1/brands/1/rules"
DAY = 86_400


@pytest.fixture
def brand(coalition: OfflineCoalition) -> OfflineCoalition:
    """Brand 1 with a rule of yesterday's and, since, a publisher."""
    coalition.brand(1)
    answer = coalition.post("brand:1", "/v1/brands/1/settings", {"publisher_address": PUBLISHER_ADDRESS})
    assert answer.json()["publisher_address"] == PUBLISHER_ADDRESS
    return coalition


def test_a_signed_version_earns_once_the_agent_has_confirmed_it(brand: OfflineCoalition) -> None:
    member = brand.shopper().member_id
    two = signed_rule(2, 7)
    made = brand.post("brand:1", RULES, two)
    assert (made.status_code, made.json()["status"], made.json()["in_force_from"]) == (201, "published", None)
    assert made.json()["signature"] == two["signature"]
    assert earned(brand, "p-1", member) == (10, 1)
    brand.move_time(START + 100)
    said = confirmed(brand, two)
    assert (said["status"], said["in_force_from"]) == ("in_force", "2017-03-15T00:01:40Z")
    assert earned(brand, "p-2", member, "2017-03-15T00:01:40+00:00") == (70, 2)
    assert earned(brand, "p-3", member, "2017-03-15T00:01:39+00:00") == (10, 1), "it happened while the version before earned"
    assert earned(brand, "p-1", member) == (10, 1), "a purchase keeps what it earned by"
    assert statuses(brand) == [(1, "past"), (2, "in_force")]


def test_a_version_that_begins_later_earns_from_its_beginning_on(brand: OfflineCoalition) -> None:
    two = signed_rule(2, 7, START + DAY)
    brand.post("brand:1", RULES, two)
    said = confirmed(brand, two, START + DAY)
    assert (said["status"], said["in_force_from"]) == ("coming", "2017-03-16T00:00:00Z")
    brand.move_time(START + DAY)
    assert statuses(brand) == [(1, "past"), (2, "in_force")]
    late = signed_rule(3, 8, START + 10)
    brand.post("brand:1", RULES, late)
    assert confirmed(brand, late, START + 10)["in_force_from"] == "2017-03-16T00:00:00Z", "it waited, and the one before earned"


def test_a_brands_first_version_is_in_force_from_its_beginning(coalition: OfflineCoalition) -> None:
    member = coalition.shopper().member_id
    coalition.post("operator", "/v1/brands", brand_body(1, publisher_address=PUBLISHER_ADDRESS))
    coalition.activate(1)
    one = signed_rule(1, 3)
    coalition.post("operator", RULES, one)
    coalition.brand(2)
    key = coalition.post("operator", "/v1/brands/1/api-keys", {"label": "agent"}).json()["token"]
    coalition.tokens["brand:1"] = key
    assert purchase(coalition, "p-1", member).json()["code"] == "wrong_state"
    assert confirmed(coalition, one)["in_force_from"] == "1970-01-01T00:00:00Z"
    assert earned(coalition, "p-1", member, "2017-03-01T00:00:00+00:00") == (30, 1)


REFUSED = {
    "not signed": ({"points": 7, "per_minor": 100}, 422),
    "no version": ({**signed_rule(2, 7), "version": None}, 422),
    "another's signature": (signed_rule(2, 7, key=STRANGER), 422),
    "other points": ({**signed_rule(2, 7), "points": 8}, 422),
    "another beginning": ({**signed_rule(2, 7), "valid_from": "2017-03-15T00:00:00Z"}, 422),
    "a version that is not due": (signed_rule(3, 7), 409),
    "a version again": (signed_rule(1, 7), 409),
}


@pytest.mark.parametrize(("body", "status"), REFUSED.values(), ids=REFUSED.keys())
def test_what_the_publisher_did_not_sign_is_refused(brand: OfflineCoalition, body: dict[str, Any], status: int) -> None:
    with brand.no_trace():
        for who in ("brand:1", "operator"):
            assert brand.post(who, RULES, body).status_code == status


def test_a_brand_without_a_publisher_takes_no_signature(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    with coalition.no_trace():
        answer = coalition.post("brand:1", RULES, signed_rule(2, 7))
        assert (answer.status_code, answer.json()["facts"]["field"]) == (422, "signature")
    made = coalition.post("brand:1", RULES, {"points": 2, "per_minor": 100}).json()
    assert (made["status"], made["in_force_from"], made["document"]) == ("in_force", "2017-03-15T00:00:00Z", None)


def test_only_the_brands_own_key_confirms_and_only_what_is_published(brand: OfflineCoalition) -> None:
    brand.brand(2)
    two = signed_rule(2, 7)
    brand.post("brand:1", RULES, two)
    path, body = f"{RULES}/2/confirmation", {"document_hash": hash_of(two)}
    with brand.no_trace():
        assert brand.post("operator", path, body).status_code == 403
        assert brand.post("auditor", path, body).status_code == 403
        assert brand.post("brand:2", path, body).status_code == 404
        assert brand.post("brand:1", f"{RULES}/3/confirmation", body).status_code == 404
        assert brand.post("brand:1", path, {"document_hash": "0x" + "00" * 32}).status_code == 422
    assert brand.post("brand:1", path, body).status_code == 201
    assert brand.post("brand:1", path, body).json()["in_force_from"] == "2017-03-15T00:00:00Z", "it stays as it is"


def test_a_version_overtaken_by_a_later_one_never_comes_into_force(brand: OfflineCoalition) -> None:
    two, three = signed_rule(2, 7), signed_rule(3, 8)
    brand.post("brand:1", RULES, two)
    brand.post("brand:1", RULES, three)
    confirmed(brand, three)
    with brand.no_trace():
        assert brand.post("brand:1", f"{RULES}/2/confirmation", {"document_hash": hash_of(two)}).json()["code"] == "wrong_state"
    assert statuses(brand) == [(1, "past"), (2, "past"), (3, "in_force")]


def test_a_restored_gateway_is_told_since_when_a_version_is_in_force(brand: OfflineCoalition) -> None:
    two = signed_rule(2, 7, START - DAY)
    brand.post("brand:1", RULES, two)
    body = {"document_hash": hash_of(two, START - DAY), "in_force_from": START - DAY - 1}
    assert brand.post("brand:1", f"{RULES}/2/confirmation", body).status_code == 422, "not before its beginning"
    said = brand.post("brand:1", f"{RULES}/2/confirmation", {**body, "in_force_from": START - 10}).json()
    assert said["in_force_from"] == "2017-03-14T23:59:50Z"


def test_rules_are_listed_from_a_version_on(brand: OfflineCoalition) -> None:
    for version in (2, 3):
        brand.post("brand:1", RULES, signed_rule(version, version))
    assert [rule["version"] for rule in brand.get("auditor", f"{RULES}?after=1").json()["rules"]] == [2, 3]
    assert brand.get("auditor", f"{RULES}?after=x").status_code == 422
    assert brand.get("auditor", "/v1/brands/9/rules").status_code == 404


def test_a_version_that_waits_for_more_than_an_hour_is_an_alarm_of_the_operators(brand: OfflineCoalition) -> None:
    two = signed_rule(2, 7)
    brand.post("brand:1", RULES, two)
    brand.move_time(START + 3_600)
    assert brand.get("operator", "/v1/health").json()["rules_waiting"] == []
    brand.move_time(START + 3_601)
    waiting = {"brand_id": 1, "version": 2, "waiting_seconds": 3_601}
    assert brand.get("operator", "/v1/health").json()["rules_waiting"] == [waiting]
    confirmed(brand, two)
    assert brand.get("operator", "/v1/health").json()["rules_waiting"] == []


def test_a_publisher_is_replaced_and_not_forgotten(brand: OfflineCoalition) -> None:
    answer = brand.post("operator", "/v1/brands/1/settings", {"carries_clawbacks": True})
    assert answer.json()["publisher_address"] == PUBLISHER_ADDRESS
    brand.post("brand:1", "/v1/brands/1/settings", {"publisher_address": STRANGER_ADDRESS})
    assert brand.get("brand:1", "/v1/brands/1").json()["publisher_address"] == STRANGER_ADDRESS
    assert brand.post("brand:1", RULES, signed_rule(2, 7)).status_code == 422
    assert brand.post("brand:1", RULES, signed_rule(2, 7, key=STRANGER)).status_code == 201


def confirmed(coalition: OfflineCoalition, rule: dict[str, Any], valid_from: int = 0) -> dict[str, Any]:
    path = f"{RULES}/{rule['version']}/confirmation"
    answer = coalition.post("brand:1", path, {"document_hash": hash_of(rule, valid_from)})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def purchase(coalition: OfflineCoalition, payment_id: str, member: str, at: str = "2017-03-15T00:00:00+00:00") -> Any:
    body = {"payment_id": payment_id, "member_id": member, "currency": "USD", "gross_minor": 1_000, "occurred_at": at}
    return coalition.post("brand:1", "/v1/purchases", {**body, "business_date": at[:10]})


def earned(coalition: OfflineCoalition, payment_id: str, member: str, at: str = "2017-03-15T00:00:00+00:00") -> tuple[int, int]:
    """(points, by which version)"""
    answer = purchase(coalition, payment_id, member, at)
    assert answer.status_code == 202, answer.text
    return answer.json()["points"], answer.json()["rule_version"]


def statuses(coalition: OfflineCoalition) -> list[tuple[int, str]]:
    rules = coalition.get("brand:1", "/v1/brands/1").json()["rules"]
    return [(rule["version"], rule["status"]) for rule in rules]
