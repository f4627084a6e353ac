"""The client against a gateway in a process of its own: reads, writes, the gateway's refusals, and more than a brand's share."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.builders.client import client_package
from tests.builders.offline_coalition import purchase_body
from tests.builders.served_gateway import ServedGateway, served_gateway

PACE = 10  # requests a second: fewer than even a busy machine sends


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedGateway]:
    with served_gateway(tmp_path_factory.mktemp("served"), requests_per_second=PACE) as gateway:
        yield gateway


@pytest.fixture
def brand(served: ServedGateway) -> Iterator[Any]:
    with client_package().Gateway(served.url, served.honest) as gateway:
        yield gateway


def test_a_write_is_accepted_and_made_once(served: ServedGateway, brand: Any) -> None:
    body = purchase_body("sale-1", member_id=served.member_id)
    first = brand.create_purchase(body, idempotency_key="sale-1")
    assert (first["points"], first["operation"]["status"]) == (25, "accepted")
    again = brand.create_purchase(body, idempotency_key="sale-1")
    assert again["operation"]["operation_id"] == first["operation"]["operation_id"]
    assert brand.get_purchase("sale-1") == again
    assert brand.get_operation(first["operation"]["operation_id"])["kind"] == "issue"


def test_waiting_for_a_ledger_that_is_away_ends_with_what_is_accepted(served: ServedGateway, brand: Any) -> None:
    found = brand.create_purchase(purchase_body("sale-2", member_id=served.member_id), idempotency_key="sale-2", wait=1)
    assert found["operation"]["status"] == "accepted"


def test_the_gateways_refusals_are_typed(served: ServedGateway, brand: Any) -> None:
    refused = client_package().Refused
    for token in ("nobody.secret", None):
        with client_package().Gateway(served.url, token) as stranger, pytest.raises(refused) as found:
            stranger.get_brands()
        assert (found.value.status, found.value.code) == (401, "not_authenticated")
    with pytest.raises(refused) as found:
        brand.get_health()
    assert (found.value.status, found.value.code) == (403, "not_permitted")
    with pytest.raises(refused) as found:
        brand.get_purchase("never/heard of")
    assert (found.value.status, found.value.code) in ((404, "not_found"), (422, "invalid"))
    with pytest.raises(refused) as found:
        brand.get_operation("nothing")
    assert (found.value.status, found.value.code, "look at the id" in found.value.remedy.lower()) == (404, "not_found", True)
    with pytest.raises(refused) as found:
        brand.create_purchase({"payment_id": "p"}, idempotency_key="bad")
    assert (found.value.status, found.value.code) == (422, "invalid")
    assert "body.currency" in [one["field"] for one in found.value.facts["errors"]]


def test_a_key_with_other_content_is_refused(served: ServedGateway, brand: Any) -> None:
    brand.create_purchase(purchase_body("sale-3", member_id=served.member_id), idempotency_key="sale-3")
    with pytest.raises(client_package().Refused) as found:
        brand.create_purchase(purchase_body("sale-3", member_id=served.member_id, gross_minor=7), idempotency_key="sale-3")
    assert (found.value.status, found.value.code) == (409, "reference_reused")


def test_open_reads_need_no_key(served: ServedGateway) -> None:
    with client_package().Gateway(served.url) as stranger:
        assert stranger.get_liveness() == {"status": "ok"}
        assert stranger.get_readiness() == {"status": "ready"}
        assert stranger.get_checkpoints() == {"checkpoints": []}


def test_all_operations_are_gone_through_page_by_page(served: ServedGateway, brand: Any) -> None:
    for number in range(5):
        brand.create_purchase(purchase_body(f"page-{number}", member_id=served.member_id), idempotency_key=f"page-{number}")
    whole = brand.get_operations(limit=200)["operations"]
    assert len(whole) >= 5
    assert list(brand.iterate_operations(limit=2)) == whole


def test_more_than_a_brands_share_is_told_and_comes_through_with_patience(served: ServedGateway) -> None:
    def ask(patience_seconds: float) -> Any:
        with client_package().Gateway(served.url, served.attacker, patience_seconds=patience_seconds) as gateway:
            try:
                return len(gateway.get_brands())
            except client_package().Refused as refused:
                return refused.status, refused.code, refused.retry_after_seconds

    with ThreadPoolExecutor(8) as threads:
        at_once = list(threads.map(ask, [0.0] * 3 * PACE))
        with_patience = list(threads.map(ask, [20.0] * 3 * PACE))
    assert (429, "too_many_requests", 1) in at_once
    assert set(with_patience) == {2}
