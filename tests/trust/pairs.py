"""What roles can do together, beyond what each can alone: a line of docs/trust.md each, and a test of its name in test_pairs.py.

What they can with the sealer: sealer_pairs.py.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    who: str
    can: str
    after: str
    stopped_by: str
    noticed_by: str


TOGETHER: dict[str, Pair] = {
    "operator_and_guardian": Pair(
        "operator + guardian", "nothing more: no act is executed without k approvals", "never", "–", "everybody: proposals are events"
    ),
    "operator_and_one_approver": Pair(
        "operator + fewer than k approvers", "nothing more", "never", "–", "everybody: proposals are events; the other approvers are asked"
    ),
    "operator_and_enough_approvers": Pair(
        "operator + k approvers",
        "every act: brands, limits, states, owners, who governs",
        "the delay",
        "the guardian; a brand's owner the replacement of this owner",
        "everybody, from the proposal on",
    ),
    "operator_and_enough_approvers_against_the_guardian": Pair(
        "operator + k approvers, to be rid of the guardian",
        "another guardian, and then every act unopposed but by owners",
        "three delays, then a delay for each act",
        "nobody",
        "everybody, for three delays; members and brands can leave",
    ),
    "guardian_and_enough_approvers": Pair(
        "guardian + k approvers", "another operator", "three delays", "nobody", "everybody, from the proposal on"
    ),
    "guardian_and_brand_owner": Pair(
        "guardian + brand owner",
        "nothing more: they stop acts, and propose none but another operator",
        "–",
        "operator + k approvers replace the guardian after three delays",
        "everybody: each stop is an event",
    ),
    "operator_and_a_members_guardian": Pair(
        "operator + a member's guardian",
        "recovery: one authorizer in the place of all, and no grant any more",
        "the member's delay",
        "any authorizer of the member, by a veto or a spend lock; nobody, where the operator's node seals: see the sealer and her guardian",
        "the member, from the request on",
    ),
    "operator_and_batch_key": Pair(
        "operator + batch key (a managed brand)",
        "entries in that brand's name: it issues within the limit, takes back what was issued, lets expire what is over; no other key, "
        "no terms, and no redemption without the member",
        "at once",
        "the owner, who withdraws the key; the guardian's pause",
        "the brand, from its own sales; each holder, by events; the audit",
    ),
}


def lines_together() -> list[str]:
    """The table of docs/trust.md."""
    head = ["| Together | Can | After | Stopped by | Noticed by |", "|---|---|---|---|---|"]
    return [*head, *(f"| {p.who} | {p.can} | {p.after} | {p.stopped_by} | {p.noticed_by} |" for p in TOGETHER.values())]
