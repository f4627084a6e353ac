"""One history with every act and every refusal in it: each rule of the coalition's machine, where it has something to do."""

from __future__ import annotations

from gateway.ledger.brand_states import BrandState
from gateway.ledger.entries import Authorize, Entry
from gateway.ledger.refusals import RefusalReason
from gateway.ledger.settlement import SettlementRefusal
from tests.builders.coalition_entries import SIGNERS
from tests.builders.coalition_machine import CoalitionMachine
from tests.builders.recording_chain import FUNCTIONS

BY_CONTRACTS = {"Members.spend", "PointsLedger.lowerExposure"}  # seen in proof kinds 4 and 5, and in applyPairs
OF_THE_TIMELOCK = {  # what it brings along: the executions revert for everybody but itself, the others receive tokens
    "Governance.execute",
    "Governance.executeBatch",
    "Governance.onERC1155BatchReceived",
    "Governance.onERC1155Received",
    "Governance.onERC721Received",
}
FIXED = {"Governance.grantRole", "Governance.revokeRole", "Governance.renounceRole"}  # they revert for everybody
EVERYTHING = frozenset(
    {kind.__name__ for kind in Entry.__args__}
    | {f"proof kind {kind}" for kind in (1, 3, 4, 5)}
    | {str(reason) for reason in (*RefusalReason, *SettlementRefusal)}
    | set(FUNCTIONS.values()) - BY_CONTRACTS - OF_THE_TIMELOCK - FIXED
)


def history_of_everything() -> CoalitionMachine:
    """Its `reached` then has EVERYTHING."""
    machine = CoalitionMachine()
    machine.deploy()
    for _ in range(2):
        machine.somebody_spends_by_her_own_authorizer(1, 2, 20, 0, True)
    machine.points_are_spent_under_grants(1, 0, 1, (20, 30, 60), [7, 21])
    machine.a_brand_does_everything_and_then_is_in_another_state(2, 0, BrandState.RUNNING_OFF)
    machine.a_brand_does_everything_and_then_is_in_another_state(3, 1, BrandState.IN_DEFAULT)
    machine.entries_have_something_wrong(1, 0, 0)
    machine.a_locked_member_spends(1, 0, 5, 0)
    machine.an_owner_says_what_the_brand_accepts_and_gives(1, 2, 60, 5)
    machine.a_brand_has_another_owner_for_a_while(2, False)
    machine.a_brand_loses_its_key_and_gets_another_limit(3, 20)
    machine.brands_settle(1, 0, "twice", 6)
    for wrong in ("a signature", "a brand", "exposed", "more", "netted", "far"):
        machine.brands_settle(2, 1, wrong, 6)
    machine.a_brand_is_succeeded(0, False)
    machine.a_brand_is_succeeded(1, True)
    machine.a_root_is_anchored(1, "")
    machine.a_root_is_anchored(1, "again")
    machine.the_guardian_pauses(False, 0, 0)
    machine.acts_of_governance_are_stopped(1)
    machine.those_who_govern_change_for_a_while(3)
    machine.a_member_is_recovered(0, False, False, 2 * 86_400)
    machine.a_member_is_recovered(1, True, True, 0)
    machine.a_guardian_is_replaced(0)
    machine.reservations_are_captured_too_late(1, 1)
    machine.batch(1, machine.issue(0, 9), machine.spend(Authorize, 1, 0, 5, SIGNERS[0]))
    for index in range(len(machine.consents)):
        machine.somebody_releases_a_reservation(index, True)
    machine.time_passes_and_a_brand_changes(40, 1, 1, 0)
    machine.time_passes_and_a_brand_changes(40, 1, 1, 0)
    machine.set_free(1)
    return machine
