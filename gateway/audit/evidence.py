"""What the audit looks at: gathered once, then only read. Checks are pure functions of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.access.tables import ApiKeyRow
from gateway.audit.ledger_events import LedgerEvent
from gateway.brands.tables import BrandDocumentRow, BrandRow
from gateway.checkpoints.tables import CheckpointRow
from gateway.coalition.tables import AdmissionChecklistRow, AdmissionCriteriaRow, CoalitionRow, GovernanceActRow
from gateway.ledger.signing import Domain
from gateway.payments.tables import PaymentRecordRow
from gateway.points.tables import OpeningFileRow, OpeningLineRow
from gateway.purchases.tables import AwardClawbackRow, AwardRestoreRow, AwardRow, CarriedClawbackRow, PaymentRefundRow, PurchaseRow
from gateway.reconciliation.tables import MatchRecordRow, MatchRow
from gateway.rounds.tables import BatchRow, OperationRow, ReferenceRow
from gateway.values.ids import Address, Hash, LotId, MemberId


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event at its place on the chain."""

    block_number: int
    transaction_index: int
    log_index: int
    transaction_hash: Hash
    event: LedgerEvent


@dataclass(frozen=True, slots=True)
class SubmittedBatch:
    """A batch as it stands in the calldata of the transaction that recorded it. `signature` is the brand's."""

    block_number: int
    transaction_index: int
    transaction_hash: Hash
    brand_id: int
    number: int
    deadline: int
    entries: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class HeldPoints:
    """Points of a member in a lot; held includes reserved."""

    held: int
    reserved: int


@dataclass(frozen=True)
class ChainEvidence:
    """The ledger at one block: what it logged up to there, and what the contract answers there."""

    domain: Domain
    utc_offset_seconds: int
    block_number: int
    block_hash: Hash
    timestamps: Mapping[int, int]
    block_hashes: Mapping[int, Hash]
    events: Sequence[LoggedEvent]
    batches: Mapping[tuple[int, int], SubmittedBatch]
    holdings: Mapping[tuple[MemberId, LotId], HeldPoints]
    owed: Mapping[tuple[int, int, int], int]  # (issuer, accepting brand, the issuer's terms)
    settled: Mapping[tuple[int, int, int], int]  # of what is owed
    exposure: Mapping[tuple[int, int], int]  # (issuer, accepting brand)
    outstanding: Mapping[int, int]
    recorded: Mapping[tuple[int, int], Hash]
    first_sealer: Address = Address(bytes(20))  # noqa: RUF009 - an id never changes
    seals: Mapping[int, bytes] = field(default_factory=dict)  # of every block, on an engine that seals
    anchored_documents: Mapping[int, tuple[Hash, int]] = field(default_factory=dict)  # by brand: hash and number of its owner's newest
    foreign_verifier: Address | None = None  # of passkeys, by which members go; None for the committed one


@dataclass(frozen=True)
class StoreEvidence:
    """The gateway's rows, of one snapshot. `projection` holds every row of every projection table as tuples in column order."""

    coalition: CoalitionRow
    projection: Mapping[str, Sequence[tuple[Any, ...]]]
    brands: Sequence[BrandRow]
    operations: Sequence[OperationRow]
    batches: Sequence[BatchRow]
    references: Sequence[ReferenceRow]
    purchases: Sequence[PurchaseRow]
    awards: Sequence[AwardRow]
    payment_refunds: Sequence[PaymentRefundRow]
    award_clawbacks: Sequence[AwardClawbackRow]
    matches: Sequence[MatchRow]
    match_records: Sequence[MatchRecordRow]
    payment_records: Sequence[PaymentRecordRow]
    payouts: Sequence[Any] = field(default=())
    brand_documents: Sequence[BrandDocumentRow] = field(default=())
    api_keys: Sequence[ApiKeyRow] = field(default=())
    checkpoints: Sequence[CheckpointRow] = field(default=())
    award_restores: Sequence[AwardRestoreRow] = field(default=())
    carried_clawbacks: Sequence[CarriedClawbackRow] = field(default=())
    opening_files: Sequence[OpeningFileRow] = field(default=())
    opening_lines: Sequence[OpeningLineRow] = field(default=())
    governance_acts: Sequence[GovernanceActRow] = field(default=())
    admission_criteria: Sequence[AdmissionCriteriaRow] = field(default=())
    admission_checklists: Sequence[AdmissionChecklistRow] = field(default=())


@dataclass(frozen=True)
class Evidence:
    """Everything; `now` is the business clock in Unix seconds, `own_documents` are brands' documents that the auditor has."""

    chain: ChainEvidence
    store: StoreEvidence
    now: int
    own_documents: Sequence[BrandDocumentRow] = ()
