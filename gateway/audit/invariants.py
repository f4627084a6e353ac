"""The invariants by number, and the run of their checks over one case."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from gateway.audit.case import Case
from gateway.audit.checks import (
    acknowledged,
    admissions,
    earned_once,
    limits,
    lot_acts,
    lot_order,
    lot_sums,
    matches,
    owed,
    projection_rows,
    published_keys,
    reserved,
    second_signatures,
    signatures,
    witnessed,
)

FINDINGS_SHOWN = 20
OK = "ok"


def _second_signatures(case: Case) -> Iterator[str]:
    """On the ledger, and what was signed beside it."""
    return chain(second_signatures.findings(case), admissions.findings(case))


def _everything(_: Case) -> None:
    """Every part of most invariants can always be shown."""


@dataclass(frozen=True)
class Invariant:
    """`not_yet` names the part of it that nothing on this ledger can break or show yet."""

    number: int
    sentence: str
    findings: Callable[[Case], Iterator[str]]
    not_yet: Callable[[Case], str | None] = _everything


@dataclass(frozen=True)
class Verdict:
    """What came of one invariant. `findings` holds the first ones; `findings_total` counts all."""

    number: int
    sentence: str
    findings: tuple[str, ...]
    findings_total: int
    not_yet: str | None

    @property
    def holds(self) -> bool:
        return self.findings_total == 0

    @property
    def summary(self) -> str:
        """`ok`, or what fails."""
        if self.holds:
            return OK
        more = f" (and {self.findings_total - 1} more)" if self.findings_total > 1 else ""
        return f"fails: {self.findings[0]}{more}"


def _payments_and_lots(case: Case) -> Iterator[str]:
    yield from earned_once.findings(case)
    yield from lot_acts.findings(case)


INVARIANTS: tuple[Invariant, ...] = (
    Invariant(1, "every lot's points are what was issued less what went", lot_sums.findings),
    Invariant(2, "no points without the issuer's signature, no redemption without the member's and the acceptor's", signatures.findings),
    Invariant(3, "a payment earns at most once, net of its refunds", _payments_and_lots),
    Invariant(4, "no issue leaves outstanding points above the limit", limits.findings),
    Invariant(5, "what was acknowledged is never lost and never doubled", acknowledged.findings),
    Invariant(6, "the projection equals a replay of the ledger", projection_rows.findings),
    Invariant(7, "reserved and spent never exceed held", reserved.findings),
    Invariant(8, "what was redeemed elsewhere is what brands owe; net positions sum to zero", owed.findings, owed.not_yet),
    Invariant(9, "no expired lot is spent, the nearest expiry first", lot_order.findings),
    Invariant(10, "a payment record is claimed at most once, a payout is its parts and one remainder", matches.findings),
    Invariant(11, "nothing privileged happened without its second signature", _second_signatures),
    Invariant(12, "what acts in a brand's name is what the brand published of itself", published_keys.findings, published_keys.not_yet),
    Invariant(13, "every block carries its sealer's seal, and no witness saw another chain", witnessed.findings),
)
NUMBERS = tuple(invariant.number for invariant in INVARIANTS)


def check(case: Case, numbers: Sequence[int] = NUMBERS) -> list[Verdict]:
    """The verdicts in the order of the numbers."""
    return [_verdict(invariant, case) for invariant in INVARIANTS if invariant.number in numbers]


def _verdict(invariant: Invariant, case: Case) -> Verdict:
    found = _until_damaged(invariant.findings(case))
    shown = tuple(islice(found, FINDINGS_SHOWN))
    return Verdict(invariant.number, invariant.sentence, shown, len(shown) + sum(1 for _ in found), invariant.not_yet(case))


def _until_damaged(findings: Iterator[str]) -> Iterator[str]:
    """Data may be too damaged to be checked to the end; that is a finding of this invariant and must not hide the others."""
    try:
        yield from findings
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        yield f"the check stopped at data that make no sense: {type(error).__name__}: {error}"
