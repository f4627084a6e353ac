"""The process with the members' keys: what it signs, and what it does not."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.ledger.consents import ConsentTerms, TransferTerms, consent_digest, consent_typed_data, lines_hash, transfer_digest
from gateway.ledger.lots import Line
from gateway.ledger.member_acts import SpendLock, member_act_body, member_act_digest
from gateway.ledger.members import member_id
from gateway.ledger.passkeys import Passkey, passkey_refusal, split_consent_proof
from gateway.ledger.recover import recover_address
from gateway.ledger.signing import Domain
from gateway.values.ids import Address, Hash, MemberId, Reference
from gateway.values.points import Points
from scripts.demo.wallets import load_config, open_wallets

DOMAIN = Domain(1337, Address(b"\x11" * 20), Hash(b"\x22" * 32))
MEMBERS_DOMAIN = Domain(1337, Address(b"\x12" * 20), Hash(b"\x22" * 32))
POINTS_MAX = 1_000


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    config = _config(tmp_path)
    server = open_wallets(load_config(config))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    token = (tmp_path / "token").read_text().strip()
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {token}"}) as opened:
        yield opened
    server.shutdown()
    thread.join()
    server.server_close()


def test_every_household_has_an_authorizer_of_its_own_that_its_member_id_commits_to(client: httpx.Client) -> None:
    views = client.post("/authorizers", json={"indexes": [0, 1, 2]}).json()["authorizers"]
    assert [view["index"] for view in views] == [0, 1, 2]
    assert len({view["authorizer"]["address"] for view in views}) == 3
    for view in views:
        named = view["authorizer"]
        made = member_id(DOMAIN.coalition_id, named["kind"], bytes.fromhex(named["address"][2:]), bytes.fromhex(view["salt"][2:]))
        assert view["member_id"] == "0x" + made.hex()


def test_every_fifth_household_has_a_passkey_that_signs_as_the_ledger_takes_it(client: httpx.Client) -> None:
    view = client.post("/authorizers", json={"indexes": [4]}).json()["authorizers"][0]
    named = view["authorizer"]
    point = bytes.fromhex(named["x"][2:]), bytes.fromhex(named["y"][2:])
    passkey = Passkey(*point, sha256(named["rp_id"].encode()).digest(), named["origin"])
    made = member_id(DOMAIN.coalition_id, 3, passkey.authorizer(), bytes.fromhex(view["salt"][2:]))
    assert (named["kind"], view["member_id"]) == (3, str(made))
    answer = client.post("/sign-consent", json=_consent(view["member_id"], 500)).json()
    parts = split_consent_proof(bytes.fromhex(answer["proof"][2:]))
    assert (answer["proof_kind"], parts is not None) == (3, True)
    assert parts is not None
    assert passkey_refusal(consent_digest(DOMAIN, _terms(view["member_id"])), *parts) is None


@pytest.mark.parametrize("indexes", [[5], [-1], [True], ["0"], 0, None])
def test_an_index_without_a_wallet_is_refused(client: httpx.Client, indexes: object) -> None:
    assert client.post("/authorizers", json={"indexes": indexes}).status_code == 400


def test_a_consent_is_signed_by_the_members_key_over_the_configured_ledger(client: httpx.Client) -> None:
    view = client.post("/authorizers", json={"indexes": [1]}).json()["authorizers"][0]
    answer = client.post("/sign-consent", json=_consent(view["member_id"], 500)).json()
    digest = consent_digest(DOMAIN, _terms(view["member_id"]))
    assert answer["digest"] == "0x" + digest.hex()
    assert recover_address(digest, bytes.fromhex(answer["proof"][2:])) == bytes.fromhex(view["authorizer"]["address"][2:])


def test_typed_data_of_another_ledger_is_signed_for_the_configured_one_alone(client: httpx.Client) -> None:
    view = client.post("/authorizers", json={"indexes": [1]}).json()["authorizers"][0]
    foreign = Domain(1, Address(b"\x99" * 20), Hash(b"\x98" * 32))
    typed_data = consent_typed_data(foreign, _terms(view["member_id"]))
    answer = client.post("/sign-consent", json={"typed_data": typed_data}).json()
    assert answer == client.post("/sign-consent", json=_consent(view["member_id"], 500)).json()
    assert client.post("/sign-consent", json={"typed_data": {**typed_data, "primaryType": "Batch"}}).status_code == 400


def test_a_consent_above_the_cap_or_for_a_stranger_is_not_signed(client: httpx.Client) -> None:
    member = client.post("/authorizers", json={"indexes": [1]}).json()["authorizers"][0]["member_id"]
    for points, status in ((POINTS_MAX, 200), (POINTS_MAX + 1, 403), (0, 403)):
        assert client.post("/sign-consent", json=_consent(member, points)).status_code == status
    stranger = client.post("/sign-consent", json=_consent("0x" + "ab" * 20, 5))
    assert (stranger.status_code, stranger.json()["error"]) == (403, "unknown_member")
    for_another = client.post("/sign-consent", json={**_consent(member, 5), "spender": "0x" + "ab" * 20})
    assert (for_another.status_code, for_another.json()["error"]) == (403, "unknown_member")


def test_a_spender_signs_for_another_members_points(client: httpx.Client) -> None:
    giver, spender = client.post("/authorizers", json={"indexes": [0, 1]}).json()["authorizers"]
    answer = client.post("/sign-consent", json={**_consent(giver["member_id"], 500), "spender": spender["member_id"]}).json()
    terms = replace(_terms(giver["member_id"]), spender=MemberId.parse(spender["member_id"]))
    signer = recover_address(consent_digest(DOMAIN, terms), bytes.fromhex(answer["proof"][2:]))
    assert signer == bytes.fromhex(spender["authorizer"]["address"][2:])


def test_both_sides_sign_the_lots_of_a_transfer_and_nobody_else_does(client: httpx.Client) -> None:
    sides = client.post("/authorizers", json={"indexes": [0, 1, 2]}).json()["authorizers"]
    giver, taker, stranger = (side["member_id"] for side in sides)
    lines = [Line(3, 17_000, Points(25))]
    asked = {"giver": giver, "taker": taker, "lots": [{"lot_id": str(lines[0].lot_id), "points": 25}], "nonce": 4, "deadline": 9}
    digest = transfer_digest(DOMAIN, TransferTerms(MemberId.parse(giver), MemberId.parse(taker), lines_hash(lines), 4, 9))
    for side in sides[:2]:
        answer = client.post("/sign-transfer", json={**asked, "signer": side["member_id"]}).json()
        assert answer["digest"] == "0x" + digest.hex()
        assert recover_address(digest, bytes.fromhex(answer["proof"][2:])) == bytes.fromhex(side["authorizer"]["address"][2:])
    assert client.post("/sign-transfer", json={**asked, "signer": stranger}).json()["error"] == "another_signer"
    too_much = {**asked, "signer": giver, "lots": [{"lot_id": str(lines[0].lot_id), "points": POINTS_MAX + 1}]}
    assert client.post("/sign-transfer", json=too_much).json()["error"] == "above_cap"
    for lots in (None, [{"lot_id": "x", "points": 1}], [{"points": 1}]):
        assert client.post("/sign-transfer", json={**asked, "signer": giver, "lots": lots}).status_code == 400


def test_a_members_act_is_signed_over_the_register_of_members(client: httpx.Client) -> None:
    view = client.post("/authorizers", json={"indexes": [1]}).json()["authorizers"][0]
    act = SpendLock(MemberId.parse(view["member_id"]), 0, 1_500_000_000)
    answer = client.post("/sign-act", json={"act": member_act_body(act)}).json()
    digest = member_act_digest(MEMBERS_DOMAIN, act)
    assert recover_address(digest, bytes.fromhex(answer["proof"][2:])) == bytes.fromhex(view["authorizer"]["address"][2:])
    for wrong in ({}, {"act": {"type": "Batch"}}, {"act": {"type": "SpendLock"}}):
        assert client.post("/sign-act", json=wrong).status_code == 400


def test_a_consent_with_a_field_missing_is_refused(client: httpx.Client) -> None:
    member = client.post("/authorizers", json={"indexes": [1]}).json()["authorizers"][0]["member_id"]
    consent = _consent(member, 5)
    for name in consent:
        answer = client.post("/sign-consent", json={key: value for key, value in consent.items() if key != name})
        assert (answer.status_code, name in answer.json()["message"]) == (400, True)


def test_without_the_token_nothing_is_signed(client: httpx.Client) -> None:
    assert httpx.post(f"{client.base_url}/sign-consent", json={}).status_code == 401


def test_the_wallets_are_the_same_after_a_restart(tmp_path: Path) -> None:
    config = load_config(_config(tmp_path))
    addresses = []
    for _ in range(2):
        server = open_wallets(config)
        addresses.append(server.routes["POST /authorizers"]({"indexes": [0, 1, 2]}))
        server.server_close()
    assert addresses[0] == addresses[1]
    assert (tmp_path / "seed").stat().st_mode & 0o777 == 0o600


def _consent(member: str, points: int) -> dict[str, Any]:
    terms = {"brand": 7, "points": points, "discountMinor": 300, "order": "0x" + "04" * 32}
    return {"member": member, "spender": member, **terms, "reference": "0x" + "05" * 32, "nonce": 9, "deadline": 1_500_000_000}


def _terms(member: str) -> ConsentTerms:
    whose, order, reference = MemberId.parse(member), Hash(b"\x04" * 32), Reference(b"\x05" * 32)
    return ConsentTerms(whose, whose, 7, 500, 300, order, reference, 9, 1_500_000_000)


def _config(folder: Path) -> Path:
    path = folder / "wallets.json"
    coalition = {
        "coalition_id": "0x" + DOMAIN.coalition_id.hex(),
        "chain_id": DOMAIN.chain_id,
        "points_address": "0x" + DOMAIN.verifying_contract.hex(),
        "members_address": "0x" + MEMBERS_DOMAIN.verifying_contract.hex(),
    }
    path.write_text(
        json.dumps({"listen": {"host": "127.0.0.1", "port": 0}, "coalition": coalition, "members": 5, "points_max": POINTS_MAX})
    )
    return path
