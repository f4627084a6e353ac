"""A platform brings its merchants along by the API alone; each approver looks at all of them and signs in one run of one command."""

from __future__ import annotations

from typing import Any

from tests.builders.commanded_coalition import APPROVERS, NEEDED, CommandedCoalition
from tests.node.running_node import throwaway_account

MERCHANTS = range(20, 40)


def test_twenty_merchants_join_by_the_api_with_one_run_of_each_approver(commanded: CommandedCoalition) -> None:
    for merchant in MERCHANTS:
        commanded.post("/v1/brands", _registration(merchant))
        commanded.post(f"/v1/brands/{merchant}/rules", {"points": merchant, "per_minor": 100})
        assert commanded.post(f"/v1/brands/{merchant}/api-keys", {"label": "till"})["token"]
    operations = [commanded.get(f"/v1/brands/{merchant}")["operation_id"] for merchant in MERCHANTS]
    for operation_id in operations:
        commanded.proposed(operation_id)
    first, *others = APPROVERS[:NEEDED]
    early = commanded.command("approve", *operations, "--asked-directly", person=first, succeeds=False)
    assert early["code"] == "wrong_state"
    for name in others:
        commanded.command("acts", person=name)
    commanded.wait_out()

    mixed = commanded.command("approve", *operations[:2], "unheard-of", "--asked-directly", person=first, succeeds=False)
    assert mixed["code"] == "not_found"
    shown = commanded.get("/v1/governance/acts")["acts"]
    assert [act["approvers"] for act in shown] == [[]] * len(MERCHANTS), "none is signed where one cannot be"

    for name in (first, *others):
        approved = commanded.command("approve", *operations, "--asked-directly", person=name)
        assert [each["operation_id"] for each in approved] == operations
    for operation_id in operations:
        commanded.ended(operation_id, "confirmed")
    brands = [commanded.get(f"/v1/brands/{merchant}") for merchant in MERCHANTS]
    assert {brand["status"] for brand in brands} == {"active"}
    assert [brand["rules"][-1]["points"] for brand in brands] == list(MERCHANTS), "each with a programme of its own"


def _registration(merchant: int) -> dict[str, Any]:
    return {
        "brand_id": merchant,
        "name": f"Merchant {merchant}",
        "key_address": throwaway_account(f"batch key {merchant}").address,
        "signer_url": "http://127.0.0.1:9",
        "signer_token": "t" * 32,
        "reference_secret": "0x" + f"{merchant:02x}" * 32,
        "issue_limit": 1_000 * merchant,
        "par": {"numerator": 1, "denominator": 1},
        "redemption": {"numerator": 1, "denominator": 1},
        "lot_validity_months": 12,
        "owner_address": throwaway_account(f"owner {merchant}").address,
    }
