"""The API over a real node, real contracts and real brand signers: what was answered is on the ledger, and the next read shows it."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from eth_account import Account
from starlette.testclient import TestClient

from gateway.access.api_key import Role
from gateway.access.create_api_key import create_api_key
from gateway.access.rows import SqlApiKeys
from gateway.api.context import Context
from gateway.app import create_app, make_worker
from gateway.brand_signer.register_writer import capture_record, order_record, point_refund_record, refund_record, sale_record, void_record
from gateway.chain.connection import Chain
from gateway.coalition.rows import business_clock
from gateway.ledger.governance import approval_digest
from gateway.ledger.owner_acts import BrandOwnerAct, SetBrandKey, SetBrandTerms, SetExposure, owner_act_digest
from gateway.ledger.terms import LedgerTerms
from gateway.rounds.completion import Completions
from gateway.store.unit_of_work import writing
from gateway.values.errors import Unavailable
from gateway.values.ids import Address, Hash, MemberId
from tests.builders.client import client_package, in_process
from tests.builders.coalition import CoalitionBuilder, approvers, brand_owner, running_coalition
from tests.builders.described_codes import check_codes
from tests.builders.passkeys import SoftwareAuthenticator

FOREVER = 2**40 - 1


class HttpCoalition:
    """A running coalition, called over HTTP by its brands; every write waits for the ledger."""

    def __init__(self, builder: CoalitionBuilder, app: TestClient, tokens: dict[str, str]) -> None:
        self.builder = builder
        self._numbers = itertools.count(1)
        self.callers = {who: in_process(app, token) for who, token in tokens.items()}
        self.operator, self.auditor, self.shop, self.other_shop = (
            self.callers[who] for who in ("operator", "auditor", "brand:1", "brand:2")
        )

    def keyed(self, wait: int = 60) -> dict[str, Any]:
        """What goes with a write: a key of its own, and how long to wait for the ledger."""
        return {"idempotency_key": f"k{next(self._numbers)}", "wait": wait}

    def approved(self, proposed: Any) -> Any:
        """An act of governance: approved by as many as are needed, and on the ledger when it is answered."""
        facts = self.builder.coalition
        until = time.monotonic() + 60
        while not (ready := [act for act in self.operator.get_pending_acts()["acts"] if act["ready_at"] is not None]):
            assert time.monotonic() < until, "the act was not proposed on the chain"
            time.sleep(0.02)
        signed = ready[0]["ready_at"], FOREVER
        digest = approval_digest(facts.governance_domain, Hash.parse(ready[0]["act_id"]), *signed)
        for place, key in enumerate(approvers()[: facts.approvals_needed], start=1):
            signature = "0x" + bytes(Account.unsafe_sign_hash(digest, key.key).signature).hex()
            given = {"approved_at": signed[0], "good_until": signed[1], "signature": signature}
            wait = 60 if place == facts.approvals_needed else 0
            answer = self.operator.create_approval(proposed["operation_id"], given, **self.keyed(wait))
        return answer

    def owner_signed(self, act: BrandOwnerAct) -> dict[str, Any]:
        digest = owner_act_digest(self.builder.coalition.brands_domain, act)
        signature = bytes(Account.unsafe_sign_hash(digest, brand_owner(act.brand).key).signature)
        return {"nonce": act.nonce, "deadline": act.deadline, "signature": "0x" + signature.hex()}

    def points(self, member_id: str) -> tuple[int, int, int]:
        """(available, reserved, ledger)."""
        shown = self.auditor.get_member_points(member_id)
        return shown["available"], shown["reserved"], shown["ledger"]

    def purchase(self, brand_id: int, member_id: str, payment_id: str, gross_minor: int) -> Any:
        at = datetime.fromtimestamp(self.builder.now, UTC)
        self.builder.brands[brand_id].till(sale_record(payment_id, member_id, at, gross_minor, 0, 0))
        body = {
            "payment_id": payment_id,
            "member_id": member_id,
            "currency": "USD",
            "gross_minor": gross_minor,
            "occurred_at": at.isoformat(),
            "business_date": at.date().isoformat(),
        }
        return self.callers[f"brand:{brand_id}"].create_purchase(body, **self.keyed())

    def consent(self, brand_id: int, member_id: str, points: int, order_id: str, *, one_step: bool = True) -> dict[str, Any]:
        """A quote that the member has signed as any Ethereum wallet does."""
        self.builder.brands[brand_id].till(order_record(order_id, member_id, points, one_step=one_step))
        asked = {"order_id": order_id, "member_id": member_id, "points": points}
        quote = self.callers[f"brand:{brand_id}"].create_quote(asked)
        signed = Account.sign_typed_data(self.builder.member_keys[MemberId.parse(member_id)].key, full_message=quote["typed_data"])
        given_out = {name: quote[name] for name in ("discount_minor", "order_hash", "nonce", "deadline")}
        return {**asked, **given_out, "proof": "0x" + bytes(signed.signature).hex()}


@pytest.fixture(scope="module")
def coalition(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpCoalition]:
    with running_coalition(tmp_path_factory.mktemp("coalition")) as builder:
        builder.worker.close()
        completions = Completions()
        worker = make_worker(builder.database, builder.chain, completions, builder.settings)
        tokens = {}
        with writing(builder.database, business_clock()) as work:
            for role, brand_id in ((Role.OPERATOR, None), (Role.AUDITOR, None), (Role.BRAND, 1), (Role.BRAND, 2)):
                name = role.value if brand_id is None else f"brand:{brand_id}"
                tokens[name] = create_api_key(name, f"secret of {name}", role, brand_id, "test", api_keys=work.of(SqlApiKeys), now=0)[1]
        with TestClient(create_app(Context(builder.database, completions, worker, builder.chain)), base_url="http://localhost") as client:
            yield HttpCoalition(builder, check_codes(client), tokens)


def test_points_are_earned_at_one_brand_and_spent_at_another(coalition: HttpCoalition) -> None:
    member = str(next(iter(coalition.builder.member_keys)))
    purchase = coalition.purchase(1, member, "pay-1", 10_000)
    assert (purchase["operation"]["status"], purchase["points"]) == ("confirmed", 100)
    assert coalition.points(member) == (100, 0, 100)

    authorized = coalition.other_shop.create_authorization(coalition.consent(2, member, 60, "order-1", one_step=False), **coalition.keyed())
    assert authorized["authorization"]["status"] == "open"
    assert coalition.points(member) == (40, 60, 100)
    reservation_id = authorized["authorization"]["reservation_id"]
    with pytest.raises(client_package().Refused) as unheard_of:
        coalition.other_shop.create_capture(reservation_id, {"capture_id": "c-0", "points": 50}, **coalition.keyed())
    assert (unheard_of.value.status, unheard_of.value.facts["reason"]) == (409, "signer_refused: unknown_capture")
    coalition.builder.brands[2].till(capture_record("c-1", "order-1", member, 50))
    captured = coalition.other_shop.create_capture(reservation_id, {"capture_id": "c-1", "points": 50}, **coalition.keyed())
    assert (captured["authorization"]["status"], captured["authorization"]["captured"]) == ("captured", 50)
    assert coalition.points(member) == (50, 0, 50)

    coalition.builder.brands[2].till(point_refund_record("g-1", "order-1", member, 20))
    coalition.other_shop.create_point_refund(reservation_id, {"point_refund_id": "g-1", "points": 20}, **coalition.keyed())
    assert coalition.points(member) == (70, 0, 70)
    redeemed = coalition.other_shop.create_redemption(coalition.consent(2, member, 10, "order-2"), **coalition.keyed())
    assert redeemed["operation"]["status"] == "confirmed"

    owed = coalition.auditor.get_clearing()
    assert [(one["issuer_id"], one["acceptor_id"], one["points"]) for one in owed["owed"]] == [(1, 2, 40)]
    assert [one["points"] for one in owed["net"]] == [-40, 40]
    items = list(coalition.auditor.iterate_member_history(member, limit=2))
    assert [item["kind"] for item in items] == ["redeem", "point_refund", "capture", "authorize", "issue"]
    assert items[0]["operation_id"] == redeemed["operation"]["operation_id"]


def test_a_payment_refund_takes_its_share_back_and_a_void_releases(coalition: HttpCoalition) -> None:
    member = str(list(coalition.builder.member_keys)[1])
    coalition.purchase(1, member, "pay-2", 9_900)
    authorized = coalition.other_shop.create_authorization(coalition.consent(2, member, 30, "order-3", one_step=False), **coalition.keyed())
    reservation_id = authorized["authorization"]["reservation_id"]
    coalition.builder.brands[2].till(void_record("v-1", "order-3", member))
    assert coalition.other_shop.create_void(reservation_id, {"void_id": "v-1"}, **coalition.keyed())["authorization"]["status"] == "voided"
    at = datetime.fromtimestamp(coalition.builder.now, UTC)
    coalition.builder.brands[1].till(refund_record("r-1", "pay-2", 3_300))
    refund = {
        "refund_id": "r-1",
        "payment_id": "pay-2",
        "amount_minor": 3_300,
        "occurred_at": at.isoformat(),
        "business_date": at.date().isoformat(),
    }
    shown = coalition.shop.create_payment_refund(refund, **coalition.keyed())
    assert (shown["points_due"], shown["points_short"], shown["operation"]["status"]) == (33, 0, "confirmed")
    assert coalition.points(member) == (66, 0, 66)


def test_refunds_of_points_that_are_spent_answer_alike_in_part_and_in_whole(coalition: HttpCoalition) -> None:
    member = str(list(coalition.builder.member_keys)[1])
    before = coalition.points(member)[0]
    coalition.shop.create_redemption(coalition.consent(1, member, before, "order-before"), **coalition.keyed())
    coalition.purchase(1, member, "pay-spent", 10_000)
    coalition.shop.create_redemption(coalition.consent(1, member, 70, "order-spent"), **coalition.keyed())
    at = datetime.fromtimestamp(coalition.builder.now, UTC)
    told = []
    for refund_id in ("r-partly", "r-wholly"):
        coalition.builder.brands[1].till(refund_record(refund_id, "pay-spent", 5_000))
        money = {"amount_minor": 5_000, "occurred_at": at.isoformat(), "business_date": at.date().isoformat()}
        shown = coalition.shop.create_payment_refund({"refund_id": refund_id, "payment_id": "pay-spent", **money}, **coalition.keyed())
        told.append((shown["points_due"], shown["points_short"]))
    assert told == [(50, 20), (50, 50)]
    assert coalition.points(member) == (0, 0, 0)


def test_a_sale_that_the_signer_does_not_know_earns_nothing(coalition: HttpCoalition) -> None:
    member = str(list(coalition.builder.member_keys)[1])
    before = coalition.points(member)
    at = datetime.fromtimestamp(coalition.builder.now, UTC)
    body = {
        "payment_id": "invented",
        "member_id": member,
        "currency": "USD",
        "gross_minor": 5_000,
        "occurred_at": at.isoformat(),
        "business_date": at.date().isoformat(),
    }
    with pytest.raises(client_package().Refused) as refused:
        coalition.shop.create_purchase(body, **coalition.keyed())
    assert (refused.value.status, refused.value.code) == (409, "operation_refused")
    assert refused.value.facts["reason"].startswith("signer_refused")
    assert coalition.points(member) == before


def test_what_the_owner_signs_and_what_governance_does_reaches_the_ledger(coalition: HttpCoalition) -> None:
    terms, key = LedgerTerms(3, 2, 5, 4, 0, 90, 30), Address(b"\xab" * 20)
    ratios = {"par": {"numerator": 3, "denominator": 2}, "redemption": {"numerator": 5, "denominator": 4}}
    body = {**ratios, "fee_basis_points": 0, "run_off_days": 90, "notice_days": 30}
    body["owner"] = coalition.owner_signed(SetBrandTerms(2, terms, 1, FOREVER))
    assert coalition.operator.change_brand_terms(2, body, **coalition.keyed())["status"] == "confirmed"
    owner = coalition.owner_signed(SetBrandKey(2, key, 5, FOREVER, False, 2, FOREVER))
    body = {"key_address": str(key), "valid_from": 5, "owner": owner}
    assert coalition.operator.change_brand_key(2, body, **coalition.keyed())["status"] == "confirmed"
    exposure = {"issuer_id": 1, "most": 55, "owner": coalition.owner_signed(SetExposure(2, 1, 55, 3, FOREVER))}
    assert coalition.operator.change_exposure(2, exposure, **coalition.keyed())["status"] == "confirmed"
    assert coalition.approved(coalition.operator.change_brand_limit(2, {"issue_limit": 77}, **coalition.keyed(0)))["status"] == "confirmed"
    assert (
        coalition.approved(coalition.operator.change_brand_status(2, {"status": "suspended"}, **coalition.keyed(0)))["status"]
        == "confirmed"
    )
    shown = coalition.auditor.get_brand(2)
    assert (shown["status"], shown["issue_limit"], shown["redemption"]) == ("suspended", 77, {"numerator": 5, "denominator": 4})
    assert "0x" + "ab" * 20 in [key["key_address"].lower() for key in shown["keys"]]
    assert (
        coalition.approved(coalition.operator.change_brand_status(2, {"status": "active"}, **coalition.keyed(0)))["status"] == "confirmed"
    )


def test_what_the_owner_did_not_sign_is_refused_by_the_ledger(coalition: HttpCoalition) -> None:
    for_another_key = coalition.owner_signed(SetBrandKey(1, Address(b"\xab" * 20), 0, FOREVER, False, 1, FOREVER))
    body = {"key_address": "0x" + "ac" * 20, "owner": for_another_key}
    with pytest.raises(client_package().Refused, match="NotSignedBy") as refused:
        coalition.operator.change_brand_key(1, body, **coalition.keyed())
    assert refused.value.status == 409


def test_a_member_enrolled_over_http_stands_on_the_ledger(coalition: HttpCoalition) -> None:
    body = {"authorizer": {"kind": 1, "address": "0x" + "31" * 20}, "salt": "0x" + "05" * 32}
    shown = coalition.operator.create_member(body, **coalition.keyed())
    assert shown["operation"]["status"] == "confirmed"
    assert coalition.points(shown["member_id"]) == (0, 0, 0)


def test_a_passkey_spends_points_that_were_earned(coalition: HttpCoalition) -> None:
    ann = SoftwareAuthenticator("ann")
    key = {"x": "0x" + ann.passkey.x.hex(), "y": "0x" + ann.passkey.y.hex()}
    body = {"authorizer": {"kind": 3, **key, "rp_id": ann.rp_id, "origin": ann.origin}, "salt": "0x" + "06" * 32}
    member = coalition.operator.create_member(body, **coalition.keyed())["member_id"]
    coalition.purchase(1, member, "pay-passkey", 10_000)
    coalition.builder.brands[1].till(order_record("order-passkey", member, 60, one_step=True))
    asked = {"order_id": "order-passkey", "member_id": member, "points": 60}
    quote = coalition.shop.create_quote(asked)
    proof = "0x" + ann.consent(bytes.fromhex(quote["reservation_id"][2:])).hex()
    given_out = {name: quote[name] for name in ("discount_minor", "order_hash", "nonce", "deadline")}
    consent = {**asked, **given_out, "proof_kind": 3, "proof": proof}
    assert coalition.shop.create_redemption(consent, **coalition.keyed())["authorization"]["status"] == "captured"
    assert coalition.points(member) == (40, 0, 40)
    assert set(coalition.auditor.get_audit()["invariants"].values()) == {"ok"}


def test_health_tells_how_the_worker_stands(coalition: HttpCoalition) -> None:
    shown = coalition.operator.get_health()
    assert (shown["status"], shown["operations_open"], shown["worker"]["last_error"]) == ("ok", 0, None)


def test_the_coalition_names_all_that_a_receipt_is_checked_against(coalition: HttpCoalition) -> None:
    shown, ready = coalition.auditor.get_coalition(), coalition.builder.node.ready
    assert ready is not None
    assert (shown["genesis_hash"], shown["sealer"]) == (ready["genesis_hash"], ready["sealer"].lower())
    assert shown["points_address"] == "0x" + coalition.builder.coalition.points_address.hex()


def test_a_chain_without_seals_has_no_sealer(coalition: HttpCoalition) -> None:
    class Sealless(Chain):
        def call(self, method: str, *params: Any) -> Any:
            return super().call(method.replace("splittally_", "foreign_"), *params)

    with contextlib.closing(Sealless(coalition.builder.chain.rpc_url)) as chain:
        assert chain.sealer is None


def test_a_node_that_does_not_answer_is_not_one_without_seals() -> None:
    with contextlib.closing(Chain("http://127.0.0.1:9")) as chain, pytest.raises(Unavailable):
        chain.sealer  # noqa: B018
