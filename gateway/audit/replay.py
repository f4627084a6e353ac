"""Replays the chain's batches through the model of the rules, and keeps what the ledger and the rules disagree on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.audit.book import Book, BookEntry, BookRelease
from gateway.audit.booked import booked_entry, booked_reservation, movements_by_lot, reason_name
from gateway.audit.evidence import ChainEvidence, HeldPoints, LoggedEvent, SubmittedBatch
from gateway.audit.ledger_events import (
    ApproversSet,
    AuthorizerAdded,
    AuthorizerRemoved,
    BatchRecorded,
    BrandKeySet,
    BrandLimitSet,
    BrandOwnerSet,
    BrandRegistered,
    BrandStatusSet,
    BrandTermsSet,
    EntryRefused,
    ExposureSet,
    GovernorReplaced,
    MemberEnrolled,
    OwnerActed,
    ReservationReleased,
)
from gateway.audit.member_events import MemberActsReplay, MemberEvent
from gateway.audit.settlement_events import PairApplied, PairPaid
from gateway.ledger.batches import batch_outcome, batch_record, entries_root
from gateway.ledger.brand_states import BrandState
from gateway.ledger.effects import Effect, Movement, Refused
from gateway.ledger.framing import unpack_entries
from gateway.ledger.members import authorizer_id
from gateway.ledger.model import LedgerModel
from gateway.ledger.passkeys import verify_passkey
from gateway.ledger.positions import ledger_position
from gateway.ledger.recover import recover_address
from gateway.ledger.state import MemberRecord
from gateway.ledger.terms import LedgerTerms, TermsVersion
from gateway.values.ids import Address, Hash, MemberId

AuditProgress = Callable[[str, int, int], None]
"""(what is being done, how many are done, how many there are)"""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An entry that the ledger took otherwise than its rules say; None = accepted. `reason` is the one that decides what is broken."""

    entry: BookEntry
    by_ledger: str | None
    by_rules: str | None

    @property
    def reason(self) -> str:
        return self.by_rules or self.by_ledger or ""

    def __str__(self) -> str:
        said = [f"refused it as {each}" if each else "accepted it" for each in (self.by_ledger, self.by_rules)]
        return (
            f"{self.entry.place}: the ledger {said[0]}, by the rules it {'is refused as ' + self.by_rules if self.by_rules else 'counts'}"
        )


@dataclass(frozen=True, slots=True)
class ReplayedBatch:
    """A batch with the keys that its brand could sign with in its block."""

    submitted: SubmittedBatch
    recorded: BatchRecorded
    entries: Sequence[bytes]
    refusals: tuple[tuple[int, bytes], ...]
    timestamp: int
    valid_keys: frozenset[Address]


@dataclass
class BrandRegisterState:
    """What a brand's register says at the end of the replay."""

    status: int = int(BrandState.ACTIVE)
    last_day: int = 0
    owner: Address | None = None
    owner_acts: int = 0
    limit: int = 0
    terms: list[BrandTermsSet] = field(default_factory=list)  # versions that held or will
    keys: dict[Address, tuple[int, int, bool]] = field(default_factory=dict)


@dataclass
class Governors:
    """Who governs at the end of the replay; `replaced` by role, as in GovernorReplaced."""

    approvers: ApproversSet | None = None
    replaced: dict[str, Address | int] = field(default_factory=dict)


@dataclass
class Replay:
    """The whole history by the rules. `limits`: (position, brand, limit) in order; `states`: (position, brand, state, last day).
    `rooms`: (position, accepting brand, issuer, what it still lets itself be owed from then on)."""

    book: Book
    batches: list[ReplayedBatch]
    disagreements: list[Disagreement]
    unsubmitted: list[BatchRecorded]
    limits: list[tuple[int, int, int]]
    states: list[tuple[int, int, BrandState, int]]
    rooms: list[tuple[int, int, int, int]]
    brands: dict[int, BrandRegisterState]
    authorizers: dict[tuple[MemberId, Hash], tuple[int, bytes]]
    member_acts: MemberActsReplay
    governors: Governors
    model: LedgerModel


def replay_chain(chain: ChainEvidence, progress: AuditProgress | None = None) -> Replay:
    """Applies every event in order."""
    run = _Run(chain)
    for done, logged in enumerate(chain.events):
        run.apply(logged)
        if progress and done % 1000 == 0:
            progress("replaying the ledger", done, len(chain.events))
    return run.result()


class _Run:
    def __init__(self, chain: ChainEvidence) -> None:
        self.chain = chain
        self.model = LedgerModel(chain.domain, chain.utc_offset_seconds, recover_address, verify_passkey)
        self.entries: list[BookEntry] = []
        self.batches: list[ReplayedBatch] = []
        self.disagreements: list[Disagreement] = []
        self.unsubmitted: list[BatchRecorded] = []
        self.limits: list[tuple[int, int, int]] = []
        self.states: list[tuple[int, int, BrandState, int]] = []
        self.rooms: list[tuple[int, int, int, int]] = []
        self.brands: dict[int, BrandRegisterState] = defaultdict(BrandRegisterState)
        self.authorizers: dict[tuple[MemberId, Hash], tuple[int, bytes]] = {}
        self.member_acts = MemberActsReplay()
        self.governors = Governors()
        self.releases: list[BookRelease] = []
        self.refusals = _refusals_by_batch(chain.events)

    def apply(self, logged: LoggedEvent) -> None:
        event, state = logged.event, self.model.state
        match event:
            case BatchRecorded():
                self._apply_batch(event)
            case BrandRegistered():
                self.model.register_brand(event.brand_id, event.limit)
                self.brands[event.brand_id].limit = event.limit
                self.limits.append((_position(logged), event.brand_id, event.limit))
            case BrandLimitSet():
                self.model.set_brand_limit(event.brand_id, event.limit)
                self.brands[event.brand_id].limit = event.limit
                self.limits.append((_position(logged), event.brand_id, event.limit))
            case BrandStatusSet():
                self.model.set_brand_status(event.brand_id, event.status, event.last_day)
                register = self.brands[event.brand_id]
                register.status, register.last_day = event.status, event.last_day
                self.states.append((_position(logged), event.brand_id, BrandState(event.status), event.last_day))
            case OwnerActed():
                self.brands[event.brand_id].owner_acts = event.nonce + 1
            case BrandOwnerSet():
                self.brands[event.brand_id].owner = event.owner
            case BrandTermsSet():
                register, now = self.brands[event.brand_id], self.chain.timestamps[logged.block_number]
                register.terms = [*(each for each in register.terms if each.valid_from <= now), event]
                version = TermsVersion(LedgerTerms(*event.terms), event.number, event.valid_from)
                state.brands[event.brand_id].terms.note(version, now)
            case ExposureSet():
                self.model.set_exposure(event.brand_id, event.issuer_id, event.most)
                self._note_rooms(_position(logged), event.brand_id, event.issuer_id)
            case ApproversSet():
                self.governors.approvers = event
            case GovernorReplaced():
                self.governors.replaced[event.role] = event.to
            case PairApplied():
                state.settle(event.key, event.points, event.netted)
                self._note_rooms(_position(logged), event.acceptor_id, event.issuer_id)
            case PairPaid():
                state.exposure[event.issuer_id, event.acceptor_id] -= event.points
                self._note_rooms(_position(logged), event.acceptor_id, event.issuer_id)
            case ReservationReleased():
                self._apply_release(logged, event)
            case BrandKeySet():
                self.brands[event.brand_id].keys[event.key] = (event.valid_from, event.valid_until, event.managed)
            case MemberEnrolled() | AuthorizerAdded():
                identity = authorizer_id(event.kind, event.authorizer)
                state.members.setdefault(event.member, MemberRecord()).authorizers[identity] = event.kind
                self.authorizers[event.member, identity] = (event.kind, event.authorizer)
            case AuthorizerRemoved():
                state.members[event.member].authorizers.pop(event.authorizer_id, None)
                self.authorizers.pop((event.member, event.authorizer_id), None)
            case MemberEvent():
                record = state.members.setdefault(event.member, MemberRecord())
                if event.name == "MemberRecovered":
                    for replaced in record.authorizers:
                        self.authorizers.pop((event.member, replaced), None)
                self.member_acts.apply(event, record)

    def _apply_release(self, logged: LoggedEvent, event: ReservationReleased) -> None:
        first = _position(logged)
        position = first + sum(1 for each in self.releases if first <= each.position)
        movements = self.model.release(event.reservation_id, self.chain.timestamps[logged.block_number])
        self.releases.append(BookRelease(position, movements_by_lot(movements)))
        self._note_rooms(position, self.model.state.reservations[event.reservation_id].brand_id, *_issuers(movements))

    def _apply_batch(self, recorded: BatchRecorded) -> None:
        submitted = self.chain.batches.get((recorded.brand_id, recorded.number))
        if submitted is None:
            self.unsubmitted.append(recorded)
            return
        timestamp = self.chain.timestamps[submitted.block_number]
        windows = self.brands[recorded.brand_id].keys
        valid = frozenset(key for key, (start, end, _) in windows.items() if start <= timestamp < end)
        refused = self.refusals.get((recorded.brand_id, recorded.number), {})
        packed = unpack_entries(submitted.entries)
        self.batches.append(ReplayedBatch(submitted, recorded, packed, tuple(sorted(refused.items())), timestamp, valid))
        for index, data in enumerate(packed):
            result = self.model.apply_entry(recorded.brand_id, data, timestamp)
            by_rules = result.reason.value if isinstance(result, Refused) else None
            reason = refused.get(index)
            by_ledger = None if reason is None else reason_name(reason)
            entry = booked_entry(submitted, index, data, result, by_ledger, timestamp, self.model)
            self.entries.append(entry)
            if isinstance(result, Effect) and result.reservation_id is not None:
                self._note_rooms(entry.position, recorded.brand_id, *_issuers(result.movements))
            if by_rules != by_ledger:
                self.disagreements.append(Disagreement(entry, by_ledger, by_rules))
        record = batch_record(entries_root(packed), batch_outcome(len(packed), sorted(refused.items())))
        self.model.state.records[recorded.brand_id, recorded.number] = record

    def _note_rooms(self, position: int, acceptor: int, *issuers: int) -> None:
        most = self.model.state.brands[acceptor].exposure_limits
        for issuer in issuers:
            if issuer != acceptor:
                room = most.get(issuer, 0) - self.model.state.exposure.get((issuer, acceptor), 0)
                self.rooms.append((position, acceptor, issuer, room))

    def result(self) -> Replay:
        state = self.model.state
        holdings = {(member, lot): HeldPoints(held, state.reserved.get((member, lot), 0)) for (member, lot), held in state.held.items()}
        book = Book(
            name="ledger",
            entries=self.entries,
            holdings=holdings,
            lots=dict(state.lots),
            owed={key: points for key, points in state.owed.items() if points},
            outstanding={brand: record.outstanding for brand, record in state.brands.items()},
            reservations={identity: booked_reservation(each) for identity, each in state.reservations.items() if each.lots},
            releases=self.releases,
        )
        return Replay(
            book,
            self.batches,
            self.disagreements,
            self.unsubmitted,
            self.limits,
            self.states,
            self.rooms,
            dict(self.brands),
            self.authorizers,
            self.member_acts,
            self.governors,
            self.model,
        )


def _position(logged: LoggedEvent) -> int:
    return ledger_position(logged.block_number, logged.transaction_index)


def _issuers(movements: Sequence[Movement]) -> set[int]:
    return {movement.lot_id >> 32 for movement in movements}


def _refusals_by_batch(events: Sequence[LoggedEvent]) -> Mapping[tuple[int, int], dict[int, bytes]]:
    refusals: dict[tuple[int, int], dict[int, bytes]] = defaultdict(dict)
    for logged in events:
        if isinstance(logged.event, EntryRefused):
            refusals[logged.event.brand_id, logged.event.number][logged.event.index] = logged.event.reason
    return refusals
