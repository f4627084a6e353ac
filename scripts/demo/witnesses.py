"""Who countersigns what the one sealer says: a brand, and an auditor of her own. Each is a process with a key that it made itself.

They look at the chain all the time; at the end both have signed the same head, and the operator anchors what they signed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

from gateway.chain.anchored import AnchorSequence
from gateway.chain.connection import Chain
from gateway.ledger.anchors import AnchorKind
from gateway.ledger.checkpoints import Checkpoint, checkpoint_root
from gateway.values.hex import to_bytes
from gateway.values.ids import Address, Hash
from scripts.demo.client import Refused
from scripts.demo.commands import run_splittally
from scripts.demo.second_people import api_key_file
from scripts.demo.world import World

WITNESSES = {"grocer": "brands/grocer/api.key", "auditor": None}
"""By name; the API key beside which a brand's runs."""
EVERY_SECONDS = 2  # a witness of a real ledger looks every minute
GIVEN_UP_AFTER_SECONDS = 120.0
Found = TypeVar("Found")


def start_witnesses(world: World) -> None:
    """An engine that seals nothing has none. Nobody waits for them until the end."""
    if world.coalition["sealer"] is None:
        return
    for name, api_key in WITNESSES.items():
        folder = world.directory.witnesses / name
        folder.mkdir(parents=True, exist_ok=True)
        key_file = api_key_file(world.directory, world.operator) if api_key is None else world.directory.root / api_key
        settings = {
            "rpc_url": world.rpc_url,
            "genesis_hash": world.coalition["genesis_hash"],
            "every_seconds": EVERY_SECONDS,
            "publish": {"url": world.gateway_url, "api_key_file": str(key_file)},
        }
        (folder / "witness.json").write_text(json.dumps(settings, indent=1))
        arguments = ["-m", "gateway.witness", "--config", str(folder / "witness.json")]
        world.supervisor.start(f"witness-{name}", arguments, lambda: True, restart=True)


def anchor_the_head(world: World) -> dict[str, Any] | None:
    """Once all have signed the head: which block, by whom, and how much of it a stranger finds in the state."""
    if world.coalition["sealer"] is None:
        return None
    signed, operator = _until(lambda: _handed_over(world), "not every witness has signed the head: see logs/witness-*.log")
    sequence = AnchorSequence(
        Chain(world.rpc_url),
        Address.parse(world.coalition["anchors_address"]),
        operator,
        AnchorKind.CHECKPOINT,
        Hash.parse(world.coalition["genesis_hash"]),
    )
    roots = {_root(world, each) for each in signed}
    _until(lambda: roots <= _roots(sequence, len(signed)), "the anchors are not on the ledger: see the gateway's log")
    _until(lambda: _all_at_the_head(world), "not every witness has signed the anchors' block: see logs/witness-*.log")  # receipts name it
    return {
        "block_number": signed[0]["number"],
        "block_hash": signed[0]["block_hash"],
        "witnesses": len(WITNESSES),
        "countersigned_by": sorted(each["witness"] for each in signed),
        "anchored": len(roots & _roots(sequence, len(signed))),
    }


def line(witnessed: dict[str, Any] | None) -> str:
    if witnessed is None:
        return "Checkpoints: none. The engine seals no blocks"
    by, all_of_them = len(witnessed["countersigned_by"]), witnessed["witnesses"]
    anchored = "anchored on the ledger" if witnessed["anchored"] == by else "not anchored"
    return f"Checkpoint of block {witnessed['block_number']} countersigned by {by} of {all_of_them} witnesses, {anchored}"


def _all_at_the_head(world: World) -> list[dict[str, Any]] | None:
    head = int(world.clock.head()["number"], 16)
    newest = world.operator.get("/v1/checkpoints")["checkpoints"]
    signed = [each for each in newest if each["agrees"] and each["number"] == head]
    return signed if len(signed) >= len(WITNESSES) else None


def _handed_over(world: World) -> tuple[list[dict[str, Any]], Address] | None:
    """What they signed, and the operator who anchors it; none where another block came in between, or the gateway begins anew."""
    signed = _all_at_the_head(world)
    if signed is None:
        return None
    code, answer = run_splittally("--config", str(world.directory.gateway / "gateway.toml"), "checkpoints", "anchor")
    is_all = code == 0 and (answer["block"], answer["countersigned_by"]) == (signed[0]["number"], len(signed))
    return (signed, Address.parse(answer["signer"])) if is_all else None


def _roots(sequence: AnchorSequence, newest: int) -> set[Hash]:
    length = sequence.length()
    return {sequence.at(number).root for number in range(max(0, length - newest), length)}


def _root(world: World, signed: dict[str, Any]) -> Hash:
    """What a stranger expects to find anchored of a checkpoint that the gateway shows."""
    genesis, block = Hash.parse(world.coalition["genesis_hash"]), Hash.parse(signed["block_hash"])
    seen = signed["number"], block, signed["block_time"], signed["witnessed_at"]
    return checkpoint_root(Checkpoint(genesis, *seen, Address.parse(signed["witness"]), to_bytes(signed["signature"])))


def _until(reached: Callable[[], Found | None], otherwise: str) -> Found:
    deadline = time.monotonic() + GIVEN_UP_AFTER_SECONDS
    while not (found := reached()):
        if time.monotonic() > deadline:
            raise Refused(503, {"code": "not_witnessed", "detail": otherwise})
        time.sleep(0.05)
    return found
