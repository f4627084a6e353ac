"""`splittally checkpoints list | anchor`: what witnesses countersigned becomes part of the state, where a stranger finds it."""

from __future__ import annotations

from dataclasses import asdict

import click
from eth_account import Account
from eth_account.signers.local import LocalAccount

from gateway.chain.anchored import AnchoredRoot, AnchorSequence
from gateway.chain.operator_key import load_account
from gateway.checkpoints.views import CheckpointView, newest_checkpoints
from gateway.coalition.tables import CoalitionRow
from gateway.commands.running.anchoring import hand_over
from gateway.commands.running.opening import open_chain, open_database, settings_of_command
from gateway.commands.running.printing import Column, print_json, print_rows
from gateway.commands.running.troubles import troubles_named
from gateway.ledger.anchors import Anchor, AnchorKind, anchor_digest
from gateway.ledger.checkpoints import Checkpoint, checkpoint_anchor, checkpoint_root
from gateway.ledger.signing import Domain
from gateway.receipts.prove import coalition_row
from gateway.values.errors import WrongState
from gateway.values.hex import to_bytes
from gateway.values.ids import Address, Hash

_PURPOSE = "anchor_checkpoints"
COLUMNS = (
    Column("Witness", lambda row: row["witness"]),
    Column("Block", lambda row: row["number"], is_figure=True),
    Column("Hash", lambda row: row["block_hash"]),
    Column("Agrees", lambda row: {True: "yes", False: "NO", None: "not projected yet"}[row["agrees"]]),
)
FIELDS = ("witness", "number", "block_hash", "block_time", "witnessed_at", "signature", "agrees")


@troubles_named
def show_checkpoints(as_json: bool, as_csv: bool) -> None:
    with open_database().read() as session:
        found = [asdict(view) for view in newest_checkpoints(session)]
    print_rows(found, COLUMNS, FIELDS, as_json=as_json, as_csv=as_csv)


@troubles_named
def anchor_newest(as_json: bool) -> None:
    """Those of earlier blocks than what is anchored already are left out: they say nothing more."""
    database, chain = open_database(), open_chain()
    with database.read() as session:
        coalition = coalition_row(session)
        newest = _newest(coalition, newest_checkpoints(session))
    if not newest:
        raise WrongState("No witness has countersigned a block of this ledger: run one, with `publish` in its settings (docs/witnesses.md)")
    account = load_account(settings_of_command().operator_key_file)
    signer = Address.parse(account.address)
    sequence = AnchorSequence(chain, coalition.anchors_address, signer, AnchorKind.CHECKPOINT, coalition.genesis_hash)
    length, last = _end(sequence)
    missing = _not_anchored(newest, last)
    previous = last[0].root if last else Hash(bytes(32))
    if missing:
        domain = Domain(coalition.chain_id, coalition.anchors_address, coalition.coalition_id)
        signed = _signed(account, domain, missing, length, previous)
        hand_over(database, chain, coalition, _PURPOSE, signed)
    _tell(newest, missing, signer, length, as_json)


def _newest(coalition: CoalitionRow, views: list[CheckpointView]) -> list[Checkpoint]:
    """By block; those that contradict the ledger are for the audit to name, not for the operator to sign."""
    agreeing = sorted((view for view in views if view.agrees), key=lambda view: (view.number, view.witness))
    return [
        Checkpoint(
            coalition.genesis_hash,
            view.number,
            Hash.parse(view.block_hash),
            view.block_time,
            view.witnessed_at,
            Address.parse(view.witness),
            to_bytes(view.signature),
        )
        for view in agreeing
    ]


def _end(sequence: AnchorSequence) -> tuple[int, list[AnchoredRoot]]:
    """How long it is, and the roots of the newest block in it, the last one first."""
    length = sequence.length()
    found: list[AnchoredRoot] = []
    for number in range(length - 1, -1, -1):
        root = sequence.at(number)
        if found and root.count != found[0].count:
            break
        found.append(root)
    return length, found


def _not_anchored(newest: list[Checkpoint], last: list[AnchoredRoot]) -> list[Checkpoint]:
    block, roots = (last[0].count, {each.root for each in last}) if last else (-1, set())
    return [each for each in newest if each.number >= block and checkpoint_root(each) not in roots]


def _signed(account: LocalAccount, domain: Domain, checkpoints: list[Checkpoint], number: int, previous: Hash) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    for place, checkpoint in enumerate(checkpoints):
        anchor: Anchor = checkpoint_anchor(checkpoint, number + place, previous)
        signature = bytes(Account.unsafe_sign_hash(anchor_digest(domain, anchor), account.key).signature)
        found.append(anchor.called(Address.parse(account.address), signature))
        previous = anchor.root
    return found


def _tell(newest: list[Checkpoint], missing: list[Checkpoint], signer: Address, length: int, as_json: bool) -> None:
    block = newest[-1].number
    by = sum(each.number == block for each in newest)
    if as_json:
        facts = {"kind": int(AnchorKind.CHECKPOINT), "subject": str(newest[-1].genesis_hash), "signer": str(signer)}
        print_json({"block": block, "countersigned_by": by, "handed_over": len(missing), "anchored": length, **facts})
    elif missing:
        click.echo(f"Block {block}, countersigned by {by}: handed over to the worker. Run this again once its round is over")
    else:
        click.echo(f"Block {block}, countersigned by {by}: anchored by {signer}, {length} checkpoints in all")
