"""How the coalition is governed: acts that are proposed to governance and wait for approvals, and what a brand's owner signs beside.

Each type says how it stands in a row: `body` and `of_body` are each other's inverse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.values.hex import hex_text, to_bytes
from gateway.values.ids import Address, Hash, OperationId

_Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OwnerSignature:
    """By the key of the brand's owner, over the act in the ledger's format."""

    nonce: int
    deadline: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class HandBrandOverOperation:
    """`accepted` is the new owner's signature over the same act; the brand `issues_no_more` after a succession."""

    operation_id: OperationId
    brand_id: int
    owner_address: Address
    issues_no_more: bool
    signed: OwnerSignature
    accepted: bytes

    def body(self) -> dict[str, Any]:
        signed = {"nonce": self.signed.nonce, "deadline": self.signed.deadline, "signature": hex_text(self.signed.signature)}
        to = {"owner_address": str(self.owner_address), "issues_no_more": self.issues_no_more}
        return {"brand_id": self.brand_id, **to, **signed, "accepted": hex_text(self.accepted)}

    @classmethod
    def of_body(cls, operation_id: OperationId, body: _Body) -> HandBrandOverOperation:
        signed = OwnerSignature(body["nonce"], body["deadline"], to_bytes(body["signature"]))
        to = Address.parse(body["owner_address"]), body["issues_no_more"]
        return cls(operation_id, body["brand_id"], *to, signed, to_bytes(body["accepted"]))


@dataclass(frozen=True, slots=True)
class StartRunOffOperation:
    """The brand's points are accepted until the local day `last_day` has ended."""

    operation_id: OperationId
    brand_id: int
    last_day: int

    def body(self) -> dict[str, Any]:
        return {"brand_id": self.brand_id, "last_day": self.last_day}

    @classmethod
    def of_body(cls, operation_id: OperationId, body: _Body) -> StartRunOffOperation:
        return cls(operation_id, body["brand_id"], body["last_day"])


@dataclass(frozen=True, slots=True)
class SetBrandOwnerOperation:
    """Recovery without the old owner, who can veto it: the brand goes on issuing, as after no succession."""

    operation_id: OperationId
    brand_id: int
    owner_address: Address

    def body(self) -> dict[str, Any]:
        return {"brand_id": self.brand_id, "owner_address": str(self.owner_address)}

    @classmethod
    def of_body(cls, operation_id: OperationId, body: _Body) -> SetBrandOwnerOperation:
        return cls(operation_id, body["brand_id"], Address.parse(body["owner_address"]))


@dataclass(frozen=True, slots=True)
class RearmPauseOperation:
    operation_id: OperationId

    def body(self) -> dict[str, Any]:
        return {}

    @classmethod
    def of_body(cls, operation_id: OperationId, body: _Body) -> RearmPauseOperation:
        return cls(operation_id)


@dataclass(frozen=True, slots=True)
class SetApproversOperation:
    """`approvers` ascending, `needed` of them for an act."""

    operation_id: OperationId
    approvers: tuple[Address, ...]
    needed: int

    def body(self) -> dict[str, Any]:
        return {"approvers": [str(each) for each in self.approvers], "needed": self.needed}

    @classmethod
    def of_body(cls, operation_id: OperationId, body: _Body) -> SetApproversOperation:
        return cls(operation_id, tuple(map(Address.parse, body["approvers"])), body["needed"])


@dataclass(frozen=True, slots=True)
class _Replacement:
    operation_id: OperationId
    account: Address

    def body(self) -> dict[str, Any]:
        return {"account": str(self.account)}


class ReplaceGuardianOperation(_Replacement):
    """Waits three delays, since no guardian can stop it."""

    __slots__ = ()

    @classmethod
    def of_body(cls, operation_id: OperationId, body: _Body) -> ReplaceGuardianOperation:
        return cls(operation_id, Address.parse(body["account"]))


class ReplaceOperatorOperation(_Replacement):
    """From then on this gateway's account proposes nothing more."""

    __slots__ = ()

    @classmethod
    def of_body(cls, operation_id: OperationId, body: _Body) -> ReplaceOperatorOperation:
        return cls(operation_id, Address.parse(body["account"]))


@dataclass(frozen=True, slots=True)
class UpdateDelayOperation:
    operation_id: OperationId
    delay_seconds: int

    def body(self) -> dict[str, Any]:
        return {"delay_seconds": self.delay_seconds}

    @classmethod
    def of_body(cls, operation_id: OperationId, body: _Body) -> UpdateDelayOperation:
        return cls(operation_id, body["delay_seconds"])


@dataclass(frozen=True, slots=True)
class VetoActOperation:
    """By the brand's owner, against the act that calls `target` with `data`; `signature` is over that act."""

    operation_id: OperationId
    brand_id: int
    target: Address
    data: bytes
    salt: Hash
    signature: bytes

    def body(self) -> dict[str, Any]:
        act = {"target": str(self.target), "data": hex_text(self.data), "salt": str(self.salt)}
        return {"brand_id": self.brand_id, **act, "signature": hex_text(self.signature)}

    @classmethod
    def of_body(cls, operation_id: OperationId, body: _Body) -> VetoActOperation:
        act = Address.parse(body["target"]), to_bytes(body["data"]), Hash.parse(body["salt"])
        return cls(operation_id, body["brand_id"], *act, to_bytes(body["signature"]))


GoverningOperation = (
    HandBrandOverOperation
    | StartRunOffOperation
    | SetBrandOwnerOperation
    | RearmPauseOperation
    | SetApproversOperation
    | ReplaceGuardianOperation
    | ReplaceOperatorOperation
    | UpdateDelayOperation
    | VetoActOperation
)
GOVERNING_NAMES: Mapping[type[GoverningOperation], str] = {
    HandBrandOverOperation: "hand_brand_over",
    StartRunOffOperation: "start_run_off",
    SetBrandOwnerOperation: "set_brand_owner",
    RearmPauseOperation: "rearm_pause",
    SetApproversOperation: "set_approvers",
    ReplaceGuardianOperation: "replace_guardian",
    ReplaceOperatorOperation: "replace_operator",
    UpdateDelayOperation: "update_delay",
    VetoActOperation: "veto_act",
}
"""How each is written in rows and answers."""
