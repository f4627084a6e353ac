"""Versions of a brand's terms as the contract keeps them: what holds, and at most one version that is announced.

What gets worse for members or other brands waits for the notice that holds, field by field; everything else holds at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gateway.values.calendar import SECONDS_PER_DAY

BASIS_POINTS = 10_000
TERMS_DAYS_MAX = 3_650


@dataclass(frozen=True, slots=True)
class LedgerTerms:
    """In the contract's order; money in minor units of the settlement currency."""

    par_minor: int
    par_points: int
    redemption_minor: int
    redemption_points: int
    fee_basis_points: int
    run_off_days: int
    notice_days: int


@dataclass(frozen=True, slots=True)
class TermsVersion:
    terms: LedgerTerms
    number: int  # counts from 1 within the brand
    valid_from: int  # in Unix seconds


@dataclass(slots=True)
class TermsVersions:
    """Empty before the brand is registered."""

    versions: list[TermsVersion] = field(default_factory=list)  # one that holds, and perhaps one that is announced

    def held(self, timestamp: int) -> TermsVersion:
        return next(each for each in reversed(self.versions) if each.valid_from <= timestamp)

    def announced(self, timestamp: int) -> TermsVersion | None:
        return next((each for each in self.versions if each.valid_from > timestamp), None)

    def note(self, version: TermsVersion, timestamp: int) -> None:
        """A version that the contract made in a block of this timestamp, which drops what did not hold yet."""
        self.versions = [*(each for each in self.versions if each.valid_from <= timestamp), version]

    def set(self, wanted: LedgerTerms, timestamp: int) -> list[TermsVersion]:
        """The versions that are new. What was announced before and does not hold yet is dropped."""
        if not self.versions:
            self.versions = [TermsVersion(wanted, 1, timestamp)]
            return list(self.versions)
        number, before = self.versions[-1].number, self.held(timestamp)
        at_once = better(before.terms, wanted)
        made = []
        if at_once == wanted or at_once != before.terms:
            number += 1
            made.append(TermsVersion(at_once, number, timestamp))
        if at_once != wanted:
            made.append(TermsVersion(wanted, number + 1, timestamp + before.terms.notice_days * SECONDS_PER_DAY))
        self.versions = made if made[0].valid_from == timestamp and made[0].terms == at_once else [before, *made]
        return made


def better(before: LedgerTerms, wanted: LedgerTerms) -> LedgerTerms:
    """Every field of `wanted` that is no worse than before, the others as before."""
    result = replace(
        wanted,
        fee_basis_points=min(before.fee_basis_points, wanted.fee_basis_points),
        run_off_days=max(before.run_off_days, wanted.run_off_days),
        notice_days=max(before.notice_days, wanted.notice_days),
    )
    if wanted.par_minor * before.par_points < before.par_minor * wanted.par_points:
        result = replace(result, par_minor=before.par_minor, par_points=before.par_points)
    if wanted.redemption_minor * before.redemption_points < before.redemption_minor * wanted.redemption_points:
        result = replace(result, redemption_minor=before.redemption_minor, redemption_points=before.redemption_points)
    return result
