"""What roles can do together, beyond what each can alone: a line of docs/trust.md each, and a test of its name in test_pairs.py.

What they can with the sealer: sealer_pairs.py.
"""

from __future__ import annotations

from dataclasses import dataclass

NOT_THE_SEALER = "nobody, where the operator's node seals"


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
        f"the guardian; a brand's owner the replacement of this owner; {NOT_THE_SEALER}",
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
    "approvers_without_the_operator": Pair(
        "all approvers, without operator and guardian", "nothing: they sign what was proposed, and propose nothing", "never", "–", "–"
    ),
    "operator_and_brand_owner": Pair(
        "operator + brand owner",
        "what the owner can alone: keys, terms, whose points it takes; no higher limit, no other state",
        "at once; worse terms after the notice days",
        f"other brands, by what they accept; the guardian's pause; {NOT_THE_SEALER}",
        "everybody: keys and terms are events; the audit, where the brand published others",
    ),
    "two_brands": Pair(
        "two brands' batch keys",
        "points for a member of their own within the one's limit, spent at the other up to what its owner accepts",
        "at once",
        f"the owners; the guardian's pause; {NOT_THE_SEALER}",
        "everybody: entries are public; the audit, from the brands' sales",
    ),
    "operator_and_a_stolen_wallet": Pair(
        "operator + a stolen authorizer of a member",
        "her points spent until her spend lock is in, at tills that take them; her other authorizers and her guardian stay",
        "at once; another authorizer removed after the member's delay",
        f"any other authorizer of hers, or her guardian, by a veto; a spend lock; {NOT_THE_SEALER}",
        "the member, from the first entry or request on",
    ),
    "operator_and_batch_key": Pair(
        "operator + batch key (a managed brand)",
        "entries in that brand's name: it issues within the limit, takes back what was issued, lets expire what is over; no other key, "
        "no terms, and no redemption without the member",
        "at once",
        f"the owner, who withdraws the key; the guardian's pause; {NOT_THE_SEALER}",
        "the brand, from its own sales; each holder, by events; the audit",
    ),
}


def lines_together() -> list[str]:
    """The table of docs/trust.md."""
    head = ["| Together | Can | After | Stopped by | Noticed by |", "|---|---|---|---|---|"]
    return [*head, *(f"| {p.who} | {p.can} | {p.after} | {p.stopped_by} | {p.noticed_by} |" for p in TOGETHER.values())]
