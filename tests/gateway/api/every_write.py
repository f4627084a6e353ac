"""One good request for every write of the API, so that what holds for all writes is tested on each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.loyalty.rule_document import RuleDocument
from tests.builders.checkpoints import checkpoint_body
from tests.builders.granting import signed_transfer
from tests.builders.offline_coalition import (
    ACT_OPERATION,
    START,
    SUCCESSION_OPERATION,
    OfflineCoalition,
    Shopper,
    approval_body,
    brand_body,
    document_body,
    purchase_body,
    veto_body,
)
from tests.gateway.api.member_writes import MEMBER_ID, MEMBER_WRITES, member_write, prepare_member

OPEN_RESERVATION = "0x" + "e5" * 32
CAPTURED_RESERVATION = "0x" + "e6" * 32
MEMBER = {"authorizer": {"kind": 1, "address": "0x" + "41" * 20}, "salt": "0x" + "01" * 32}
OWNER = {"nonce": 0, "deadline": 2**40 - 1, "signature": "0x" + "11" * 65}
TERMS = {
    "par": {"numerator": 1, "denominator": 2},
    "redemption": {"numerator": 1, "denominator": 3},
    "fee_basis_points": 50,
    "run_off_days": 90,
    "notice_days": 30,
    "owner": OWNER,
}
APPROVERS = {"approvers": ["0x" + "71" * 20, "0x" + "72" * 20], "approvals_needed": 2}
REFUND = {
    "refund_id": "r-1",
    "payment_id": "paid",
    "amount_minor": 1_000,
    "occurred_at": "2017-03-15T02:00:00+00:00",
    "business_date": "2017-03-15",
}
CRITERIA = {"criteria": [{"name": "identity", "text": "Who owns the brand was seen by its papers"}]}
FAILURE = {"occurred_at": "2017-03-15T04:00:00+00:00"}


@dataclass(frozen=True)
class Ready:
    """A coalition in which every write can succeed: a purchase, points, an open and a captured reservation."""

    coalition: OfflineCoalition
    shopper: Shopper
    consent: dict[str, Any]
    transfers: list[dict[str, Any]]


@dataclass(frozen=True)
class WriteRequest:
    """`body` and, for the same references with other content, `other`."""

    who: str
    path: str
    body: Callable[[Ready], Any]
    other: Callable[[Ready], Any]


def make_ready(coalition: OfflineCoalition) -> Ready:
    coalition.brand(1)
    coalition.brand(2)
    coalition.put_pending_act()
    coalition.put_succession()
    shopper = coalition.shopper()
    prepare_member(coalition)
    coalition.put_points(shopper.member_id, 1_000)
    coalition.post("brand:1", "/v1/purchases", purchase_body("paid", member_id=shopper.member_id))
    coalition.post("brand:1", "/v1/payment-refunds", {**REFUND, "refund_id": "refunded", "amount_minor": 100})
    coalition.put_reservation(OPEN_RESERVATION, shopper.member_id, 1, 60)
    coalition.put_reservation(CAPTURED_RESERVATION, shopper.member_id, 1, 60, status="captured", captured=60)
    friend = coalition.shopper(2)
    transfers = [signed_transfer(coalition, shopper, friend, points) for points in (10, 11)]
    return Ready(coalition, shopper, coalition.consent(shopper, 1, 60, "order-1"), transfers)


def _same(body: Any) -> Callable[[Ready], Any]:
    return lambda ready: body


def _account(number: int, name: str = "account") -> Callable[[Ready], Any]:
    return _same({name: f"0x{number:040x}"})


def _consent(points: int | None = None) -> Callable[[Ready], Any]:
    return lambda ready: ready.consent if points is None else {**ready.consent, "points": points}


def _on(reservation_id: str, verb: str) -> str:
    return f"/v1/authorizations/{reservation_id}/{verb}"


def _act(name: str, later: int = 0) -> Callable[[Ready], Any]:
    return lambda ready: member_write(ready.coalition, name, later)


HAND_OVER = {"owner_address": "0x" + "61" * 20, "issues_no_more": True, "owner": OWNER, "accepted": "0x" + "12" * 65}
KEY = {"key_address": "0x" + "51" * 20, "owner": OWNER}
RULE = str(RuleDocument(1, 1, 1, 100, 0).hash)
EXPOSURE = {"issuer_id": 2, "most": 1_000, "owner": OWNER}
WRITES: dict[str, WriteRequest] = {
    "brand": WriteRequest("operator", "/v1/brands", _same(brand_body(9)), _same(brand_body(9, issue_limit=5))),
    "rule": WriteRequest("brand:1", "/v1/brands/1/rules", _same({"points": 2, "per_minor": 100}), _same({"points": 3, "per_minor": 100})),
    "rule confirmation": WriteRequest(
        "brand:1", "/v1/brands/1/rules/1/confirmation", _same({"document_hash": RULE}), _same({"document_hash": RULE, "in_force_from": 5})
    ),
    "terms": WriteRequest("operator", "/v1/brands/1/terms", _same(TERMS), _same({**TERMS, "par": TERMS["redemption"]})),
    "limit": WriteRequest("operator", "/v1/brands/1/limit", _same({"issue_limit": 7}), _same({"issue_limit": 8})),
    "status": WriteRequest("operator", "/v1/brands/1/status", _same({"status": "suspended"}), _same({"status": "in_default"})),
    "settings": WriteRequest("brand:1", "/v1/brands/1/settings", _same({"carries_clawbacks": True}), _same({"extends_by_activity": True})),
    "exposure": WriteRequest("auditor", "/v1/brands/1/exposure", _same(EXPOSURE), _same({**EXPOSURE, "most": 5})),
    "run-off": WriteRequest("operator", "/v1/brands/1/run-off", _same({"last_day": "2018-01-31"}), _same({"last_day": "2018-02-28"})),
    "succession": WriteRequest("operator", "/v1/brands/1/succession", _account(1, "owner_address"), _account(2, "owner_address")),
    "hand-over": WriteRequest("operator", "/v1/brands/1/owner", _same(HAND_OVER), _same({**HAND_OVER, "accepted": "0x" + "13" * 65})),
    "brand document": WriteRequest(
        "auditor", "/v1/brands/1/documents", _same(document_body()), _same(document_body(agent_address="0x" + "02" * 20))
    ),
    "admission criteria": WriteRequest("operator", "/v1/coalition/admission-criteria", _same(CRITERIA), _same({"criteria": []})),
    "approvers": WriteRequest("operator", "/v1/governance/approvers", _same(APPROVERS), _same({**APPROVERS, "approvals_needed": 1})),
    "guardian": WriteRequest("operator", "/v1/governance/guardian", _account(1), _account(2)),
    "operator": WriteRequest("operator", "/v1/governance/operator", _account(1), _account(2)),
    "delay": WriteRequest("operator", "/v1/governance/delay", _same({"delay_seconds": 7}), _same({"delay_seconds": 8})),
    "pause rearming": WriteRequest("operator", "/v1/governance/pause-rearming", _same({}), _same({"unknown": 1})),
    "veto": WriteRequest(
        "operator", f"/v1/governance/acts/{SUCCESSION_OPERATION}/veto", _same(veto_body()), _same({"signature": "0x" + "13" * 65})
    ),
    "approval": WriteRequest(
        "operator",
        f"/v1/governance/acts/{ACT_OPERATION}/approvals",
        _same(approval_body()),
        _same(approval_body(good_until=2**40 - 2)),
    ),
    "checkpoint": WriteRequest("auditor", "/v1/checkpoints", _same(checkpoint_body()), _same(checkpoint_body(witnessed_at=START + 1))),
    "brand key": WriteRequest("operator", "/v1/brands/1/keys", _same(KEY), _same({**KEY, "valid_from": 5})),
    "api key": WriteRequest("brand:1", "/v1/brands/1/api-keys", _same({"label": "till"}), _same({"label": "shop"})),
    "staff key": WriteRequest(
        "operator", "/v1/api-keys", _same({"role": "auditor", "label": "a"}), _same({"role": "auditor", "label": "b"})
    ),
    "member": WriteRequest("brand:1", "/v1/members", _same(MEMBER), _same({**MEMBER, "salt": "0x" + "02" * 32})),
    "members": WriteRequest("brand:1", "/v1/members/bulk", _same({"members": [MEMBER]}), _same({"members": [MEMBER, MEMBER]})),
    "purchase": WriteRequest("brand:1", "/v1/purchases", _same(purchase_body("p")), _same(purchase_body("p", store="32"))),
    "purchases": WriteRequest(
        "brand:1",
        "/v1/purchases/bulk",
        _same({"purchases": [purchase_body("p")]}),
        _same({"purchases": [purchase_body("p", store="32")]}),
    ),
    "payment refund": WriteRequest("brand:1", "/v1/payment-refunds", _same(REFUND), _same({**REFUND, "amount_minor": 999})),
    "payment refunds": WriteRequest(
        "brand:1",
        "/v1/payment-refunds/bulk",
        _same({"payment_refunds": [REFUND]}),
        _same({"payment_refunds": [{**REFUND, "amount_minor": 999}]}),
    ),
    "refund failure": WriteRequest(
        "brand:1", "/v1/payment-refunds/refunded/failure", _same(FAILURE), _same({"occurred_at": "2017-03-15T05:00:00+00:00"})
    ),
    "authorization": WriteRequest("brand:1", "/v1/authorizations", _consent(), _consent(61)),
    "authorizations": WriteRequest(
        "brand:1",
        "/v1/authorizations/bulk",
        lambda ready: {"authorizations": [ready.consent]},
        lambda ready: {"authorizations": [{**ready.consent, "points": 61}]},
    ),
    "redemption": WriteRequest("brand:1", "/v1/redemptions", _consent(), _consent(61)),
    "redemptions": WriteRequest(
        "brand:1",
        "/v1/redemptions/bulk",
        lambda ready: {"redemptions": [ready.consent]},
        lambda ready: {"redemptions": [{**ready.consent, "points": 61}]},
    ),
    "transfer": WriteRequest("brand:2", "/v1/transfers", lambda ready: ready.transfers[0], lambda ready: ready.transfers[1]),
    "capture": WriteRequest(
        "brand:1",
        _on(OPEN_RESERVATION, "capture"),
        _same({"capture_id": "c", "points": 60}),
        _same({"capture_id": "c", "points": 59}),
    ),
    "captures": WriteRequest(
        "brand:1",
        "/v1/captures/bulk",
        _same({"captures": [{"reservation_id": OPEN_RESERVATION, "capture_id": "c", "points": 60}]}),
        _same({"captures": [{"reservation_id": OPEN_RESERVATION, "capture_id": "c", "points": 59}]}),
    ),
    "void": WriteRequest("brand:1", _on(OPEN_RESERVATION, "void"), _same({"void_id": "v"}), _same({"void_id": "w"})),
    "point refund": WriteRequest(
        "brand:1",
        _on(CAPTURED_RESERVATION, "point-refunds"),
        _same({"point_refund_id": "g", "points": 10}),
        _same({"point_refund_id": "g", "points": 11}),
    ),
    **{
        f"member's {name}": WriteRequest("brand:1", f"/v1/members/{MEMBER_ID}/{path}", _act(name), _act(name, later=1))
        for name, path in MEMBER_WRITES.items()
    },
    "expiry run": WriteRequest("operator", "/v1/expiry-runs", _same({}), _same({"unknown": 1})),
}
# What names no reference of its own: another idempotency key means another thing.
WITHOUT_REFERENCE = {
    "rule",
    "rule confirmation",
    "terms",
    "limit",
    "status",
    "settings",
    "exposure",
    "run-off",
    "succession",
    "hand-over",
    "brand document",
    "admission criteria",
    "approvers",
    "guardian",
    "operator",
    "delay",
    "pause rearming",
    "veto",
    "approval",
    "brand key",
    "api key",
    "staff key",
    "expiry run",
    "brand",
    "member",
    "void",
    "transfer",
    *(f"member's {name}" for name in MEMBER_WRITES),
}
BULK = {"members", "purchases", "payment refunds", "authorizations", "redemptions", "captures"}
