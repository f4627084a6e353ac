"""An act in plain words, from its call data and the committed contracts alone, and what it would change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from gateway.chain.artifacts import Artifact
from gateway.ledger.brand_states import BrandState
from gateway.values.errors import Invalid, Unavailable
from gateway.values.hex import hex_text

_Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ActCall:
    """What an act calls; `brand_id` is whom it is about, None for the coalition itself."""

    function: str
    arguments: _Arguments
    brand_id: int | None

    @property
    def words(self) -> str:
        return _SENTENCES[self.function](self.arguments)

    @property
    def then(self) -> dict[str, Any]:
        """What would hold of it once it is executed, by name."""
        return _THEN[self.function](self.arguments)


def read_call(artifact: Artifact, data: bytes) -> ActCall:
    """Refuses what is no act that governance makes, and what is encoded otherwise than by the ABI."""
    try:
        found = artifact.named_call(data)
    except Unavailable:
        found = None
    if found is None or found[0] not in _SENTENCES:
        raise Invalid(f"{hex_text(data[:4])} is no act of {artifact.name} that can be told in words: approve nothing you cannot read")
    function, arguments = found
    named = arguments.get("of_", arguments)
    return ActCall(function, named, named.get("brandId"))


def day_text(local_day: int) -> str:
    """A local day (days since 1970) as a date; in days where no calendar goes as far, since an act is told whatever stands in it."""
    try:
        return (date(1970, 1, 1) + timedelta(days=local_day)).isoformat()
    except OverflowError:
        return f"day {local_day:,} since 1970"


def moment_text(seconds: int) -> str:
    """Unix seconds for people."""
    if seconds >= 2**40 - 1:
        return "for good"
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    except (ValueError, OverflowError):
        return f"second {seconds:,} since 1970"


def _terms(terms: _Arguments) -> str:
    return (
        f"par {terms['parMinor']}/{terms['parPoints']}, redemption {terms['redemptionMinor']}/{terms['redemptionPoints']} minor units a "
        f"point, fee {terms['feeBasisPoints']} basis points, run-off {terms['runOffDays']} days, notice {terms['noticeDays']} days"
    )


def _key(of: _Arguments) -> str:
    window = of["window"]
    who = "held by the operator" if window["managed"] else "held by the brand"
    return f"{of['key']} ({who}, {moment_text(window['validUntil'])})"


def _status(value: int) -> str:
    return BrandState(value).name.lower() if value in set(BrandState) else f"unknown ({value})"


_SENTENCES: dict[str, Callable[[_Arguments], str]] = {
    "registerBrand": lambda of: (
        f"brand {of['brandId']} joins: owner {of['owner']}, at most {of['limit']:,} points outstanding, batch key {_key(of)}; "
        f"{_terms(of['terms'])}"
    ),
    "setBrandLimit": lambda of: f"brand {of['brandId']} may have at most {of['limit']:,} points outstanding",
    "setBrandStatus": lambda of: f"brand {of['brandId']} is {_status(of['status'])}",
    "startRunOff": lambda of: f"brand {of['brandId']} issues no more, its points are accepted until {day_text(of['lastDay'])} has ended",
    "setBrandOwner": lambda of: f"brand {of['brandId']} belongs to {of['owner']}, without its present owner, who can veto it",
    "rearmPause": lambda of: "the guardian may pause the ledger once more",
    "setApprovers": lambda of: f"{of['threshold_']} of these approve acts: {', '.join(of['accounts'])}",
    "replaceGuardian": lambda of: f"{of['account']} is the guardian; the present one cannot stop it",
    "replaceOperator": lambda of: f"{of['account']} is the operator",
    "updateDelay": lambda of: f"acts proposed from then on wait {of['delay']:,} seconds",
}
_THEN: dict[str, Callable[[_Arguments], dict[str, Any]]] = {
    "registerBrand": lambda of: {"status": "active", "owner": of["owner"].lower(), "issue limit": of["limit"]},
    "setBrandLimit": lambda of: {"issue limit": of["limit"]},
    "setBrandStatus": lambda of: {"status": _status(of["status"])},
    "startRunOff": lambda of: {"status": "running_off", "last day": day_text(of["lastDay"])},
    "setBrandOwner": lambda of: {"owner": of["owner"].lower()},
    "rearmPause": lambda of: {"pause": "not used"},
    "setApprovers": lambda of: {"approvers": [each.lower() for each in of["accounts"]], "approvals needed": of["threshold_"]},
    "replaceGuardian": lambda of: {"guardian": of["account"].lower()},
    "replaceOperator": lambda of: {"operator": of["account"].lower()},
    "updateDelay": lambda of: {"delay in seconds": of["delay"]},
}
