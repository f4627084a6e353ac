"""The process that holds the demo members' keys: `python -m scripts.demo.wallets --config FILE`. The gateway never sees them.

One seed in a file of its own; what a household signs with and its salt are derived from it: a key, or for every fifth a passkey in a
software authenticator. It signs what members consent to (redemptions, transfers) up to a cap, and their acts, after building the digest
itself, for members it holds.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.brand_signer.fields import body_object, hex_bytes, whole_number
from gateway.brand_signer.json_server import Answer, BadRequest, JsonServer, Route, serve_on
from gateway.brand_signer.key import Key
from gateway.ledger.consents import ConsentTerms, TransferTerms, consent_digest, lines_hash, transfer_digest
from gateway.ledger.lots import Line, split_lot_id
from gateway.ledger.member_acts import member_act_digest, member_act_from
from gateway.ledger.members import AuthorizerKind, member_id
from gateway.ledger.signing import Domain
from gateway.secret_files import UnsafeFile, read_or_make
from gateway.values.hex import hex_text
from gateway.values.ids import Address, Hash, LotId, MemberId, Reference
from gateway.values.points import Points
from scripts.demo.authenticator import RP_ID, Authenticator

PUBLIC = frozenset({"GET /healthz"})
PASSKEY_EVERY = 5


@dataclass(frozen=True, slots=True)
class WalletsConfig:
    """`points_max` is the most points of one consent; files stand beside the settings. `domain` is the points ledger's, for consents and
    transfers; `members_domain` that of the register of members, for their acts.
    """

    host: str
    port: int
    domain: Domain
    members_domain: Domain
    members: int
    points_max: int
    seed_file: Path
    token_file: Path


@dataclass(frozen=True)
class Wallet:
    """What one household signs with, and its member id in this coalition."""

    signer: Key | Authenticator
    salt: bytes
    member: MemberId

    def view(self, index: int) -> dict[str, Any]:
        """`authorizer` is as the gateway enrolls it."""
        return {"index": index, "member_id": str(self.member), "authorizer": self._authorizer(), "salt": hex_text(self.salt)}

    def proof(self, digest: bytes) -> dict[str, Any]:
        if isinstance(self.signer, Authenticator):
            return {"proof_kind": int(AuthorizerKind.PASSKEY), "proof": hex_text(self.signer.proof(digest))}
        return {"proof_kind": int(AuthorizerKind.KEY), "proof": hex_text(self.signer.sign(digest))}

    def _authorizer(self) -> dict[str, Any]:
        if isinstance(self.signer, Authenticator):
            passkey = self.signer.passkey
            point = {"x": hex_text(passkey.x), "y": hex_text(passkey.y)}
            return {"kind": int(AuthorizerKind.PASSKEY), **point, "rp_id": RP_ID, "origin": passkey.origin}
        return {"kind": int(AuthorizerKind.KEY), "address": hex_text(self.signer.address)}


class Wallets:
    """All wallets of a seed, by household index and by member id."""

    def __init__(self, seed: bytes, config: WalletsConfig) -> None:
        self._domain = config.domain
        self._members_domain = config.members_domain
        self._points_max = config.points_max
        self._wallets = [_wallet(seed, config.domain.coalition_id, index) for index in range(config.members)]
        self._by_member = {wallet.member: wallet for wallet in self._wallets}

    def routes(self) -> dict[str, Route]:
        return {
            "GET /healthz": lambda _: (200, {"status": "ok", "members": len(self._wallets)}),
            "POST /authorizers": self._authorizers,
            "POST /sign-consent": self._sign_consent,
            "POST /sign-transfer": self._sign_transfer,
            "POST /sign-act": self._sign_act,
        }

    def _authorizers(self, body: Any) -> Answer:
        """{indexes: [0, 1, …]} → {authorizers: [{index, member_id, authorizer, salt}]}."""
        indexes = body_object(body).get("indexes")
        if not isinstance(indexes, list) or not all(type(index) is int and 0 <= index < len(self._wallets) for index in indexes):
            raise BadRequest(f"indexes must be a list of whole numbers from 0 to {len(self._wallets) - 1}")
        return 200, {"authorizers": [self._wallets[index].view(index) for index in indexes]}

    def _sign_consent(self, body: Any) -> Answer:
        """{member, spender, brand, points, discountMinor, order, reference, nonce, deadline} or {typed_data} → {proof_kind, proof, digest}.

        The spender signs: the member itself, or another one who spends under its grant. 403 for what it will not sign.
        """
        fields = _consent_fields(body_object(body))
        points = whole_number(fields, "points", 64)
        spender = MemberId(hex_bytes(fields, "spender", 20))
        if not 0 < points <= self._points_max:
            return self._above_cap()
        terms = ConsentTerms(
            MemberId(hex_bytes(fields, "member", 20)),
            spender,
            whole_number(fields, "brand", 32),
            points,
            whole_number(fields, "discountMinor", 64),
            Hash(hex_bytes(fields, "order", 32)),
            Reference(hex_bytes(fields, "reference", 32)),
            whole_number(fields, "nonce", 64),
            whole_number(fields, "deadline", 40),
        )
        return self._sign(spender, consent_digest(self._domain, terms))

    def _sign_transfer(self, body: Any) -> Answer:
        """{signer, giver, taker, lots: [{lot_id, points}], nonce, deadline} → {proof_kind, proof, digest}. The lots are hashed here."""
        fields = body_object(body)
        lines = _lines(fields.get("lots"))
        giver, taker, signer = (MemberId(hex_bytes(fields, name, 20)) for name in ("giver", "taker", "signer"))
        if signer not in (giver, taker):
            return 403, {"error": "another_signer", "message": "giver and taker sign a transfer, nobody else"}
        if not 0 < sum(line.points for line in lines) <= self._points_max:
            return self._above_cap()
        terms = TransferTerms(giver, taker, lines_hash(lines), whole_number(fields, "nonce", 64), whole_number(fields, "deadline", 40))
        return self._sign(signer, transfer_digest(self._domain, terms))

    def _sign_act(self, body: Any) -> Answer:
        """{act: {type, member, …}}, numbers as text → {proof_kind, proof, digest}."""
        try:
            act = member_act_from(body_object(body_object(body).get("act")))
        except (KeyError, ValueError, TypeError) as wrong:
            raise BadRequest(f"act is none of a member's: {wrong}") from wrong
        return self._sign(act.member, member_act_digest(self._members_domain, act))

    def _sign(self, member: MemberId, digest: bytes) -> Answer:
        if member not in self._by_member:
            return 403, {"error": "unknown_member", "message": "this process does not hold that member's key"}
        return 200, {**self._by_member[member].proof(digest), "digest": hex_text(digest)}

    def _above_cap(self) -> Answer:
        return 403, {"error": "above_cap", "message": f"a consent is for 1 to {self._points_max} points here"}


def load_config(path: Path) -> WalletsConfig:
    """{listen: {host, port}, coalition: {coalition_id, chain_id, points_address, members_address}, members, points_max}."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        coalition = values["coalition"]
        names, coalition_id = ("points_address", "members_address"), Hash.parse(coalition["coalition_id"])
        domain, members_domain = (Domain(coalition["chain_id"], Address.parse(coalition[name]), coalition_id) for name in names)
        folder = path.resolve().parent
        return WalletsConfig(
            host=values["listen"]["host"],
            port=values["listen"]["port"],
            domain=domain,
            members_domain=members_domain,
            members=whole_number(values, "members", 32),
            points_max=whole_number(values, "points_max", 64),
            seed_file=folder / "seed",
            token_file=folder / "token",
        )
    except (OSError, KeyError, TypeError, ValueError, BadRequest) as wrong:
        raise SystemExit(f"wallets: {path}: {type(wrong).__name__}: {wrong}") from wrong


def open_wallets(config: WalletsConfig) -> JsonServer:
    """The server, bound and ready to serve."""
    wallets = Wallets(read_or_make(config.seed_file), config)
    return serve_on(config.host, config.port, read_or_make(config.token_file).hex(), wallets.routes(), PUBLIC)


def main(arguments: list[str] | None = None) -> int:
    os.umask(0o077)
    parser = argparse.ArgumentParser(prog="python -m scripts.demo.wallets", description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    try:
        server = open_wallets(load_config(parser.parse_args(arguments).config))
    except (UnsafeFile, OSError, ValueError) as wrong:
        print(f"wallets: {wrong}", file=sys.stderr)
        return 1
    print(f"wallets on {server.url}", flush=True)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    return 0


def _wallet(seed: bytes, coalition_id: bytes, index: int) -> Wallet:
    salt = _derived(seed, "salt", index)
    if index % PASSKEY_EVERY == PASSKEY_EVERY - 1:
        authenticator = Authenticator(_derived(seed, "passkey", index))
        made = member_id(coalition_id, AuthorizerKind.PASSKEY, authenticator.passkey.authorizer(), salt)
        return Wallet(authenticator, salt, made)
    key = Key(_derived(seed, "key", index))
    return Wallet(key, salt, member_id(coalition_id, AuthorizerKind.KEY, key.address, salt))


def _derived(seed: bytes, purpose: str, index: int) -> bytes:
    """32 bytes; being no valid secp256k1 key has a chance of one in 2^128."""
    return hmac.new(seed, f"{purpose}:{index}".encode(), hashlib.sha256).digest()


def _lines(lots: Any) -> list[Line]:
    if not isinstance(lots, list):
        raise BadRequest("lots must be a list of {lot_id, points}")
    try:
        return [Line(*split_lot_id(LotId(int(lot["lot_id"]))), Points(whole_number(lot, "points", 64))) for lot in map(body_object, lots)]
    except (KeyError, ValueError, TypeError) as wrong:
        raise BadRequest(f"lots: {wrong}") from wrong


def _consent_fields(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields themselves, or the message of a consent's typed data; of its domain nothing is believed."""
    typed_data = body.get("typed_data")
    if typed_data is None:
        return body
    if body_object(typed_data).get("primaryType") != "Consent":
        raise BadRequest("only a Consent is signed here")
    return body_object(typed_data.get("message"))


if __name__ == "__main__":
    raise SystemExit(main())
