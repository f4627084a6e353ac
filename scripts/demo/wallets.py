"""The process that holds the demo members' keys: `python -m scripts.demo.wallets --config FILE`. The gateway never sees them.

One seed in a file of its own; a household's key and salt are derived from it. It signs a member's consent to a redemption after
building the digest itself, up to a cap, for members it holds.
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
from gateway.ledger.consents import ConsentTerms, consent_digest
from gateway.ledger.members import AuthorizerKind, member_id
from gateway.ledger.signing import Domain
from gateway.secret_files import UnsafeFile, read_or_make
from gateway.values.ids import Address, Hash, MemberId, Reference

PUBLIC = frozenset({"GET /healthz"})


@dataclass(frozen=True, slots=True)
class WalletsConfig:
    """`points_max` is the most points of one consent; files stand beside the settings."""

    host: str
    port: int
    domain: Domain
    members: int
    points_max: int
    seed_file: Path
    token_file: Path


@dataclass(frozen=True)
class Wallet:
    """One household's key and its member id in this coalition."""

    key: Key
    salt: bytes
    member: bytes

    def view(self, index: int) -> dict[str, Any]:
        return {
            "index": index,
            "member_id": "0x" + self.member.hex(),
            "kind": int(AuthorizerKind.KEY),
            "address": "0x" + self.key.address.hex(),
            "salt": "0x" + self.salt.hex(),
        }


class Wallets:
    """All wallets of a seed, by household index and by member id."""

    def __init__(self, seed: bytes, domain: Domain, members: int, points_max: int) -> None:
        self._domain = domain
        self._points_max = points_max
        self._wallets = [_wallet(seed, domain.coalition_id, index) for index in range(members)]
        self._by_member = {wallet.member: wallet for wallet in self._wallets}

    def routes(self) -> dict[str, Route]:
        return {
            "GET /healthz": lambda _: (200, {"status": "ok", "members": len(self._wallets)}),
            "POST /authorizers": self._authorizers,
            "POST /sign-consent": self._sign_consent,
        }

    def _authorizers(self, body: Any) -> Answer:
        """{indexes: [0, 1, …]} → {authorizers: [{index, member_id, kind, address, salt}]}."""
        indexes = body_object(body).get("indexes")
        if not isinstance(indexes, list) or not all(type(index) is int and 0 <= index < len(self._wallets) for index in indexes):
            raise BadRequest(f"indexes must be a list of whole numbers from 0 to {len(self._wallets) - 1}")
        return 200, {"authorizers": [self._wallets[index].view(index) for index in indexes]}

    def _sign_consent(self, body: Any) -> Answer:
        """{member, spender, brand, points, discountMinor, order, reference, nonce, deadline} or {typed_data} → {signature, digest}.

        403 for what it will not sign.
        """
        fields = _consent_fields(body_object(body))
        member = hex_bytes(fields, "member", 20)
        points = whole_number(fields, "points", 64)
        if member not in self._by_member:
            return 403, {"error": "unknown_member", "message": "this process does not hold that member's key"}
        if hex_bytes(fields, "spender", 20) != member:
            return 403, {"error": "another_spender", "message": "a wallet signs here for its own points alone"}
        if not 0 < points <= self._points_max:
            return 403, {"error": "above_cap", "message": f"a consent is for 1 to {self._points_max} points here"}
        terms = ConsentTerms(
            MemberId(member),
            MemberId(member),
            whole_number(fields, "brand", 32),
            points,
            whole_number(fields, "discountMinor", 64),
            Hash(hex_bytes(fields, "order", 32)),
            Reference(hex_bytes(fields, "reference", 32)),
            whole_number(fields, "nonce", 64),
            whole_number(fields, "deadline", 40),
        )
        digest = consent_digest(self._domain, terms)
        return 200, {"signature": "0x" + self._by_member[member].key.sign(digest).hex(), "digest": "0x" + digest.hex()}


def load_config(path: Path) -> WalletsConfig:
    """{listen: {host, port}, coalition: {coalition_id, chain_id, points_address}, members, points_max}."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        coalition = values["coalition"]
        domain = Domain(coalition["chain_id"], Address.parse(coalition["points_address"]), Hash.parse(coalition["coalition_id"]))
        folder = path.resolve().parent
        return WalletsConfig(
            host=values["listen"]["host"],
            port=values["listen"]["port"],
            domain=domain,
            members=whole_number(values, "members", 32),
            points_max=whole_number(values, "points_max", 64),
            seed_file=folder / "seed",
            token_file=folder / "token",
        )
    except (OSError, KeyError, TypeError, ValueError, BadRequest) as wrong:
        raise SystemExit(f"wallets: {path}: {type(wrong).__name__}: {wrong}") from wrong


def open_wallets(config: WalletsConfig) -> JsonServer:
    """The server, bound and ready to serve."""
    wallets = Wallets(read_or_make(config.seed_file), config.domain, config.members, config.points_max)
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
    key = Key(_derived(seed, "key", index))
    salt = _derived(seed, "salt", index)
    return Wallet(key, salt, member_id(coalition_id, AuthorizerKind.KEY, key.address, salt))


def _derived(seed: bytes, purpose: str, index: int) -> bytes:
    """32 bytes; being no valid secp256k1 key has a chance of one in 2^128."""
    return hmac.new(seed, f"{purpose}:{index}".encode(), hashlib.sha256).digest()


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
