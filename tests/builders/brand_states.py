"""The one table of what a brand may do in each state, from which the ledger's tests go cell by cell and the format's table is printed."""

from __future__ import annotations

from gateway.ledger.brand_states import BrandState
from gateway.ledger.refusals import RefusalReason

YES = None
ACTS = {
    "issue": "issue",
    "opening": "opening",
    "clawback": "clawback",
    "restore": "restore",
    "authorize": "authorize",
    "redeem": "redeem",
    "capture": "capture",
    "void": "void",
    "point refund": "point refund",
    "transfer": "transfer, of whichever brand's points",
    "expire": "expire",
    "extend": "extend",
    "accepted": "its points authorized or redeemed at another brand",
    "owner": "its owner sets keys, terms and exposure, hands over",
}
_ALL_BUT_ISSUE = dict.fromkeys(ACTS, YES) | dict.fromkeys(("issue", "opening"), RefusalReason.BRAND_NOT_ACTIVE)
_NOT_ACCEPTING = {
    "authorize": RefusalReason.BRAND_NOT_ACCEPTING,
    "redeem": RefusalReason.BRAND_NOT_ACCEPTING,
    "transfer": RefusalReason.BRAND_NOT_ACCEPTING,
    "accepted": RefusalReason.POINTS_NOT_ACCEPTED,
}
ALLOWED: dict[BrandState, dict[str, RefusalReason | None]] = {
    BrandState.ACTIVE: dict.fromkeys(ACTS, YES),
    BrandState.SUSPENDED: _ALL_BUT_ISSUE,
    BrandState.RUNNING_OFF: _ALL_BUT_ISSUE,
    BrandState.CLOSED: _ALL_BUT_ISSUE | _NOT_ACCEPTING,
    BrandState.IN_DEFAULT: _ALL_BUT_ISSUE
    | _NOT_ACCEPTING
    | dict.fromkeys(("clawback", "restore", "expire", "extend"), RefusalReason.BRAND_IN_DEFAULT),
}
"""{state: {act: what refuses it, or YES}}"""


def state_table() -> str:
    """As it stands in docs/ledger-format.md."""
    states = list(ALLOWED)
    head = "| Act | " + " | ".join(f"{state.value} {state.name.lower().replace('_', ' ')}" for state in states) + " |"
    rows = ["| " + " | ".join([label, *(_cell(ALLOWED[state][act]) for state in states)]) + " |" for act, label in ACTS.items()]
    return "\n".join([head, "|---" * (1 + len(states)) + "|", *rows])


def _cell(reason: RefusalReason | None) -> str:
    return "yes" if reason is YES else f"`{reason.value}`"


if __name__ == "__main__":
    print(state_table())
