"""Receipts from the real ledger: genuine offline, silent about everybody else, and refused once altered."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.audit.run import audit
from gateway.chain.artifacts import points_ledger
from gateway.receipts.prove import receipt_of_entry, receipt_of_operation, receipt_of_points
from gateway.values.errors import NotFound
from scripts.verify_receipt import BALANCES_SLOT, BATCHES_SLOT, OUTSTANDING_OF_LOT_SLOT, OUTSTANDING_SLOT, Refused, verify
from tests.receipts.lived_coalition import FUEL, GROCER, LivedCoalition
from tests.receipts.test_forged_receipts import altered, hex_places

KINDS = ("issue", "authorize", "redeem", "capture", "point_refund", "clawback", "void")


@pytest.mark.parametrize("kind", KINDS)
def test_the_receipt_of_an_operation_is_genuine_and_says_what_happened(kind: str, lived: LivedCoalition) -> None:
    document = receipt_of_operation(lived.coalition.database, lived.coalition.chain, lived.operations[kind])
    proven = verify(json.dumps(document), lived.trust)
    assert proven["entry"]["kind"] == kind
    assert proven["refused"] is None
    operation = lived.coalition.operation(lived.operations[kind])
    assert proven["block"]["number"] == operation.block_number
    if kind in ("issue", "authorize", "redeem"):
        assert (proven["entry"]["member"], proven["entry"]["points"]) == (str(lived.anna), operation.points)


def test_the_receipt_of_points_is_genuine_at_every_block_and_is_what_the_projection_says(lived: LivedCoalition) -> None:
    coalition = lived.coalition
    documents = (receipt_of_points(coalition.database, coalition.chain, str(lived.anna), block) for block in (None, lived.first_block))
    now, then = (verify(json.dumps(document), lived.trust, brands=(GROCER, FUEL)) for document in documents)
    assert now["complete_for"] == then["complete_for"] == [GROCER, FUEL]
    assert then["held_total"] == 200
    assert now["held_total"] == 200 - 15 - 45 + 9 - 10
    assert now["reserved_total"] == 0


def test_a_receipt_names_no_other_member(lived: LivedCoalition) -> None:
    coalition = lived.coalition
    documents = [receipt_of_operation(coalition.database, coalition.chain, each) for each in lived.operations.values()]
    documents += [receipt_of_points(coalition.database, coalition.chain, str(lived.anna), block) for block in (None, lived.first_block)]
    for document in documents:
        text = json.dumps(_without_proofs(document)).lower()
        for other in lived.others:
            assert other.hex() not in text
    assert lived.anna.hex() in json.dumps(documents[-1])


def _without_proofs(found: Any) -> Any:
    """A proof that a slot is empty ends with the leaf that stands nearest, which may be anybody's."""
    if isinstance(found, dict):
        return {name: _without_proofs(value) for name, value in found.items() if name not in ("proof", "account_proof")}
    return [_without_proofs(each) for each in found] if isinstance(found, list) else found


def test_the_verifier_knows_the_slots_of_the_committed_contract() -> None:
    ledger = points_ledger()
    assert (ledger.storage_slot("balances"), ledger.storage_slot("batches")) == (BALANCES_SLOT, BATCHES_SLOT)
    outstanding = ledger.storage_slot("outstandingOfLot"), ledger.storage_slot("outstanding")
    assert outstanding == (OUTSTANDING_OF_LOT_SLOT, OUTSTANDING_SLOT)


def test_what_is_not_on_the_ledger_has_no_receipt(lived: LivedCoalition) -> None:
    coalition = lived.coalition
    with pytest.raises(NotFound):
        receipt_of_operation(coalition.database, coalition.chain, "no such operation")
    with pytest.raises(NotFound):
        receipt_of_operation(coalition.database, coalition.chain, lived.operations["issue"], brand_id=2)
    with pytest.raises(NotFound):
        receipt_of_entry(coalition.database, coalition.chain, GROCER, 10**6, 0)
    with pytest.raises(NotFound):
        receipt_of_points(coalition.database, coalition.chain, str(lived.anna), 10**6)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), mask=st.integers(1, 255))
def test_no_byte_of_a_real_receipt_can_be_changed(lived: LivedCoalition, data: st.DataObject, mask: int) -> None:
    kind = data.draw(st.sampled_from(["issue", "redeem", "capture"]))
    document = receipt_of_operation(lived.coalition.database, lived.coalition.chain, lived.operations[kind])
    path = data.draw(st.sampled_from(hex_places(document)))

    def change(text: str) -> str:
        content = bytearray.fromhex(text[2:])
        content[data.draw(st.integers(0, len(content) - 1))] ^= mask
        return "0x" + content.hex()

    with pytest.raises(Refused):
        verify(json.dumps(altered(document, *path, to=change)), lived.trust)


def test_the_audit_of_a_coalition_that_lived_by_the_write_path_finds_nothing(lived: LivedCoalition) -> None:
    report = audit(lived.coalition.database, lived.coalition.chain, lambda: lived.coalition.now)
    assert report.as_json()["findings"] == {}
