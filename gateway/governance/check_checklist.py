"""A brand is let in once each approver has signed that it meets the coalition's criteria: all of those that hold, for this act alone."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.ledger.admission import AdmissionCriteria, Checklist, SignedChecklist
from gateway.ledger.recover import recover_address
from gateway.ledger.signing import Domain
from gateway.values.errors import ChecklistIncomplete, Invalid, WrongState
from gateway.values.ids import Address, Hash


@dataclass(frozen=True, slots=True)
class Signing:
    """The approval beside which a checklist stands."""

    domain: Domain
    act: Hash
    approver: Address
    approved_at: int


def check_checklist(given: SignedChecklist | None, criteria: AdmissionCriteria, signs: Signing) -> None:
    """Refuses an approval of a registration whose checklist is not whole, of another version, or signed by another or for another act."""
    if given is None:
        if criteria.criteria:
            raise incomplete(criteria, criteria.names)
        return
    checklist = given.checklist
    check_whole(checklist, criteria)
    digest = checklist.digest(signs.domain, signs.act, criteria, signs.approved_at)
    if recover_address(digest, given.signature) != signs.approver:
        raise Invalid(
            "the checklist is not signed by the approver who signed the approval, for this act and moment: sign both with the same key",
            field="checklist.signature",
        )


def check_whole(checklist: Checklist, criteria: AdmissionCriteria) -> None:
    """Refuses what does not answer each of these criteria, once, in their version."""
    if checklist.version != criteria.version or not criteria.criteria:
        raise WrongState(
            f"the checklist answers version {checklist.version} of the admission criteria, version {criteria.version} is in force with "
            f"{len(criteria.criteria)} of them: read them (`splittally admission show`), answer those and sign anew",
            version=criteria.version,
        )
    strange = checklist.strange(criteria)
    if strange:
        raise Invalid(
            f"{', '.join(strange)}: no criterion of version {criteria.version}, or answered twice", field="checklist", criteria=strange
        )
    missing = checklist.missing(criteria)
    if missing:
        raise incomplete(criteria, missing)


def incomplete(criteria: AdmissionCriteria, missing: list[str]) -> ChecklistIncomplete:
    return ChecklistIncomplete(
        f"say of each admission criterion (version {criteria.version}) that it is met, or why it does not apply, and sign it "
        f"(`splittally approve --checklist FILE`); missing: {', '.join(missing)}",
        version=criteria.version,
        missing=missing,
    )
