"""What the sealer's clock makes possible together with each role: a line of docs/trust.md each, and a test of its name in
test_sealer_pairs.py. All of it at once: the sealer writes a later time into its next block, and leaves out who would stop it.
"""

from __future__ import annotations

from dataclasses import dataclass

NOBODY = "nobody: the sealer takes in no veto"
ALONE = "nobody else"


@dataclass(frozen=True)
class PairWithSealer:
    who: str
    can: str
    waits: str
    stopped_by: str
    noticed_by: str


WITH_SEALER: dict[str, PairWithSealer] = {
    "sealer_alone": PairWithSealer(
        ALONE,
        "anybody's reservation is overdue: the points are released, whatever the member wants, and the brand that gave the discount "
        "captures nothing",
        "the reservation's deadline",
        "nobody; a redemption without a reservation beforehand has none to release",
        "the accepting brand, whose capture is refused",
    ),
    "sealer_against_the_guardian": PairWithSealer(
        f"{ALONE}, against the guardian",
        "a pause is over in the next block, and the guardian has no second one",
        "the 72 hours",
        "nobody; governance re-arms the pause, which ends as soon",
        "everybody: the pause is an event, and so is the next batch",
    ),
    "sealer_with_a_clock_that_lags": PairWithSealer(
        f"{ALONE}, with a clock that lags",
        "nothing ends: a batch key signs past its last day, a consent counts, a reservation and a pause stand",
        "an end, which does not come",
        "nobody: what would end it without time, a withdrawal or a lock, the sealer leaves out",
        "everybody with a clock: the newest block is old",
    ),
    "sealer_and_member": PairWithSealer(
        "a member",
        "what she reserved is released before its time and spent again: she has the discount twice",
        "the reservation's deadline",
        "nobody; a redemption without a reservation beforehand has none to release",
        "the accepting brand, whose capture is refused",
    ),
    "sealer_and_one_authorizer": PairWithSealer(
        "one authorizer of a member (a stolen phone)",
        "her spend lock undone, her other authorizers removed, and all her points spent",
        "the member's delay",
        NOBODY,
        "the member, by events; the till that is shown somebody else",
    ),
    "sealer_and_grantee": PairWithSealer(
        "a brand or member to whom a member granted",
        "all that the grant allows in all is spent at once, whatever it allows a day",
        "the next day",
        "the grant's own limits a purchase and in all; nobody in time: the sealer takes in no withdrawal",
        "the member, by the entries",
    ),
    "sealer_and_a_members_guardian": PairWithSealer(
        "a member's guardian",
        "recovery: one authorizer in the place of all, and all her points spent",
        "the member's delay",
        NOBODY,
        "the member, by events",
    ),
    "sealer_and_brand_owner": PairWithSealer(
        "a brand's owner",
        "worse terms hold: a lower par and redemption rate, a shorter run-off",
        "the notice days",
        "nobody; consents and claims from before keep what was promised",
        "holders and other brands, by the event",
    ),
    "sealer_and_batch_key": PairWithSealer(
        "a batch key",
        "the brand's points expire, however long they were to last",
        "the lot's last day",
        NOBODY,
        "every holder, by the event; a bookkeeper with a calendar",
    ),
    "sealer_and_a_brands_own_signer": PairWithSealer(
        "the operator, who asks a brand's own signer",
        "nothing more: the signer lets points expire by the brand's own clock",
        "never",
        "the signer (`lot_not_expired`)",
        "the brand, whose signer is asked for what is not over",
    ),
    "sealer_and_operator": PairWithSealer(
        "the operator",
        "no act: each is ready by the chain, and approvals carry the approvers' own time; with a managed brand's batch key what such a key "
        "can",
        "never",
        "approvers, by their own clocks",
        "everybody: proposals are events",
    ),
    "sealer_and_enough_approvers": PairWithSealer(
        "the operator and k approvers who state a time that is not so",
        "every act, and no cancelling and no veto in between",
        "the delay",
        NOBODY,
        "everybody: proposal, approvals and execution are events",
    ),
}


def lines_with_sealer() -> list[str]:
    """The table of docs/trust.md."""
    head = ["| The sealer and | Can | Without waiting for | Stopped by | Noticed by, beside witnesses |", "|---|---|---|---|---|"]
    return [*head, *(f"| {p.who} | {p.can} | {p.waits} | {p.stopped_by} | {p.noticed_by} |" for p in WITH_SEALER.values())]
