"""Invariant 11: nothing privileged happened without its second signature, by a replay of the events of governance and of brands' owners."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from gateway.audit.case import Case
from gateway.audit.evidence import ChainEvidence, LoggedEvent
from gateway.audit.ledger_events import (
    ActApproved,
    ActExecuted,
    ActScheduled,
    ApproversSet,
    BrandKeySet,
    BrandLimitSet,
    BrandOwnerSet,
    BrandRegistered,
    BrandStatusSet,
    BrandTermsSet,
    ExposureSet,
    GovernorReplaced,
    LedgerEvent,
    OwnerActed,
    PauseRearmed,
)
from gateway.ledger.brand_states import BrandState
from gateway.values.ids import Address, Hash

_BY_ACT = BrandRegistered | BrandStatusSet | BrandLimitSet | PauseRearmed | ApproversSet | GovernorReplaced
_BY_OWNER = BrandKeySet | BrandTermsSet | BrandOwnerSet | ExposureSet


def findings(case: Case) -> Iterator[str]:
    chain = case.evidence.chain
    yield from _executions(chain)
    yield from _changes(chain)


def _executions(chain: ChainEvidence) -> Iterator[str]:
    """Each with the approvals that counted: by approvers of that moment, by whose clocks the delay had passed."""
    approvers: frozenset[Address] = frozenset()
    needed = 0
    ready: dict[Hash, int] = {}
    approved: dict[Hash, set[Address]] = defaultdict(set)
    asked: dict[Hash, int] = {}
    for logged in chain.events:
        match logged.event:
            case ApproversSet() as chosen:
                approvers, needed = chosen.approvers, chosen.needed
            case ActScheduled(act, delay):
                ready[act] = chain.timestamps[logged.block_number] + delay
            case ActApproved(act, approver, approved_at):
                asked[act] = needed
                if approver in approvers and act in ready and approved_at >= ready[act]:
                    approved[act].add(approver)
            case ActExecuted(act) if len(approved[act]) < asked.get(act, max(needed, 1)):
                yield (
                    f"act {act} was executed in block {logged.block_number} with {len(approved[act])} of {asked.get(act, needed)} approvals"
                )


def _changes(chain: ChainEvidence) -> Iterator[str]:
    """What an act alone may change was changed where one was executed; a brand's own matters where its owner had signed, too: also that
    it issues no more, by a succession."""
    executed = {each.transaction_hash for each in chain.events if isinstance(each.event, ActExecuted)}
    signed = {(each.transaction_hash, each.event.brand_id) for each in chain.events if isinstance(each.event, OwnerActed)}
    founding = _founding(chain.events)
    for logged in chain.events:
        event = logged.event
        by_act = logged.transaction_hash in executed
        if (
            isinstance(event, BrandStatusSet)
            and event.status == BrandState.SUSPENDED
            and (logged.transaction_hash, event.brand_id) in signed
        ):
            continue
        if isinstance(event, _BY_ACT) and not by_act and logged.transaction_hash != founding:
            yield f"{_words(event)} in block {logged.block_number} by no act of governance"
        elif isinstance(event, _BY_OWNER) and not by_act and (logged.transaction_hash, event.brand_id) not in signed:
            yield f"{_words(event)} in block {logged.block_number} by no act of governance, and its owner did not sign"


def _founding(events: Iterable[LoggedEvent]) -> Hash | None:
    """The transaction that deployed governance: its founders are named in the constructor."""
    return next((each.transaction_hash for each in events if isinstance(each.event, ApproversSet)), None)


def _words(event: LedgerEvent) -> str:
    brand = getattr(event, "brand_id", None)
    return f"{type(event).__name__} of {'the coalition' if brand is None else f'brand {brand}'}"
