"""Set what a brand must meet before it is let in: the next version, which each approval of a registration answers from then on."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.governance.ports import Criteria
from gateway.ledger.admission import CRITERIA_MAX, CRITERION_TEXT_MAX, AdmissionCriteria, Criterion
from gateway.values.errors import Invalid


def set_criteria(asked: Sequence[Criterion], *, criteria: Criteria, now: int) -> AdmissionCriteria:
    """What holds from now on; the same list again is no new version. None ends it: registrations are approved without a checklist."""
    if len(asked) > CRITERIA_MAX:
        raise Invalid(f"a coalition has at most {CRITERIA_MAX} admission criteria: join some", field="criteria")
    wrong = next((each for each in asked if not each.is_well_formed), None)
    if wrong is not None:
        raise Invalid(
            f"criterion {wrong.name!r} needs a name of up to 40 small letters, digits, _ and -, and a text of one line and up to "
            f"{CRITERION_TEXT_MAX} characters",
            field="criteria",
        )
    names = [each.name for each in asked]
    if len(set(names)) != len(names):
        raise Invalid("name each criterion once", field="criteria")
    in_force = criteria.in_force()
    if in_force.criteria == tuple(asked):
        return in_force
    following = AdmissionCriteria(in_force.version + 1, tuple(asked))
    criteria.add(following, now)
    return following
