"""Deploys the contracts of a coalition by the operator's first transactions, in the order of `DEPLOYED`, and checks them at every start.

Addresses follow from the account and its nonces, so they stand in the database before anything is sent; a crash in between is harmless.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from eth_hash.auto import keccak
from rlp import encode as rlp_encode  # type: ignore[import-untyped]
from sqlalchemy import func, select

from gateway.chain.artifacts import DEPLOYED, governance
from gateway.chain.connection import Chain
from gateway.coalition.coalition import Coalition
from gateway.coalition.rows import the_coalition
from gateway.coalition.tables import CoalitionRow
from gateway.config import BadSettings, Settings
from gateway.projection.tables import LedgerBlockRow
from gateway.rounds.contract_ties import WrongCode, check_ties, read_view
from gateway.rounds.gas import DEPLOY_GAS
from gateway.rounds.submitter import Submitter
from gateway.rounds.tables import TransactionRow
from gateway.store.session import Database
from gateway.values.errors import Foreseen, Unavailable
from gateway.values.hex import BadHex
from gateway.values.ids import Address, Hash


class WrongChain(Foreseen):
    """The node serves another chain than the one this gateway's database belongs to."""


class AccountInUse(Foreseen):
    """The operator's account has sent transactions that this gateway does not know."""


def prepare_deployment(database: Database, chain: Chain, submitter: Submitter, settings: Settings, at: int) -> None:
    """Writes the coalition and its deploying transactions, unless they are there. Nothing is sent yet."""
    genesis_hash = chain.genesis_hash()
    chain_id = chain.chain_id()
    coalition_id = _new_coalition_id(chain, settings)
    known_count = chain.transaction_count(submitter.address)
    _check_sandbox(chain, settings)
    with database.write() as session:
        known = session.scalar(select(CoalitionRow))
        if known is not None:
            _check_settings(known, settings)
            return
        if known_count:
            raise AccountInUse(f"{submitter.address} has sent {known_count} transactions; the gateway needs an account of its own")
        founding = _founding(submitter.address, settings)
        _, delay, _, guardian, approvers, needed = founding
        places = {name: contract_address(submitter.address, nonce) for nonce, name in enumerate(DEPLOYED)}
        arguments = _arguments(places, coalition_id, founding, settings)
        for name, artifact in DEPLOYED.items():
            submitter.store(session, f"deploy_{name}", None, artifact().creation(*arguments[name]), DEPLOY_GAS, _BASE_FEE, at)
        session.add(
            CoalitionRow(
                coalition_id=coalition_id,
                chain_id=chain_id,
                genesis_hash=genesis_hash,
                currency=settings.currency,
                utc_offset_seconds=settings.utc_offset_seconds,
                sandbox=settings.sandbox,
                governance_address=places["governance"],
                brands_address=places["brands"],
                members_address=places["members"],
                settlement_address=places["settlement"],
                anchors_address=places["anchors"],
                points_address=places["points_ledger"],
                code_hash=None,
                deployed_block=None,
                guardian_address=guardian,
                approver_addresses=",".join(map(str, approvers)),
                approvals_needed=needed,
                governance_delay_seconds=delay,
                member_delay_seconds=settings.member_delay_seconds,
            )
        )


def check_chain(database: Database, chain: Chain) -> Coalition:
    """The coalition, if the node serves its chain."""
    with database.read() as session:
        coalition = the_coalition(session)
        genesis_hash = session.scalars(select(CoalitionRow.genesis_hash)).one()
    found_hash = chain.genesis_hash()
    found_id = chain.chain_id()
    if (found_hash, found_id) != (genesis_hash, coalition.chain_id):
        raise WrongChain(
            f"{chain.rpc_url} serves chain {found_id} with genesis {found_hash}; "
            f"this gateway's ledger is on chain {coalition.chain_id} with genesis {genesis_hash}"
        )
    return coalition


def refuse_other_contract(database: Database, chain: Chain) -> None:
    """Raises WrongCode if the contracts that are already there are not those of the committed artifacts."""
    with database.read() as session:
        row = session.scalars(select(CoalitionRow)).one()
    what = next(filter(None, (_difference(chain.code(address), name, address) for name, address in _places(row).items())), None)
    if what is not None:
        raise WrongCode(
            f"{what}. Nothing was changed. A contract is never replaced in place: open this data directory with the version "
            "that made it, which keeps the ledger readable, or begin anew with a new data directory and a new node"
        )


def check_code(database: Database, chain: Chain) -> None:
    """Once deployed, the code must be the artifact's and stay what it was; the first look stores the ledger's hash."""
    refuse_other_contract(database, chain)
    with database.read() as session:
        row = session.scalars(select(CoalitionRow)).one()
        mined = TransactionRow.purpose == "deploy_points_ledger", TransactionRow.status == "mined"  # it may have been replaced
        deployed = session.scalars(select(TransactionRow).where(*mined)).first()
    for name, address in _places(row).items():
        if not chain.code(address):
            raise Unavailable(f"There is no {_words(name)} at {address} yet")
    check_ties(chain, row)
    _check_delay(database, chain, row)
    code_hash = Hash(keccak(chain.code(row.points_address)))
    if row.code_hash and row.code_hash != code_hash:
        raise WrongCode(f"the code at {row.points_address} was {row.code_hash} and is {code_hash} now")
    if not row.code_hash:
        with database.write() as session:
            stored = session.scalars(select(CoalitionRow)).one()
            stored.code_hash = code_hash
            stored.deployed_block = deployed.block_number if deployed else None


def _difference(code: bytes, name: str, address: Address) -> str | None:
    """What is wrong with the code at a contract's address; None where there is none yet, or the committed one."""
    if not code or DEPLOYED[name]().is_code(code):
        return None
    if name == "points_ledger":
        for selector, what in _EARLIER.items():
            if selector in code:
                return f"the points ledger at {address} is that of an earlier version, {what}"
    return f"the code at {address} is not that of the committed artifacts' {_words(name)}"


def _places(row: CoalitionRow) -> dict[str, Address]:
    """Where the contracts stand; the verifier of passkeys is known by the members' register."""
    return {
        "points_ledger": row.points_address,
        "governance": row.governance_address,
        "brands": row.brands_address,
        "members": row.members_address,
        "settlement": row.settlement_address,
        "anchors": row.anchors_address,
    }


def _words(name: str) -> str:
    return name.replace("_", " ")


def contract_address(sender: Address, nonce: int) -> Address:
    """Where a contract created by this account at this nonce stands."""
    packed: bytes = rlp_encode([bytes(sender), nonce])
    return Address(keccak(packed)[12:])


def _arguments(
    places: Mapping[str, Address], coalition_id: Hash, founding: tuple[Any, ...], settings: Settings
) -> dict[str, tuple[Any, ...]]:
    """What the contracts are deployed with."""
    governed_by, points = places["governance"], places["points_ledger"]
    return {
        "governance": (coalition_id, founding),
        "passkey_verifier": (),
        "brands": (governed_by, settings.utc_offset_seconds),
        "members": (governed_by, places["passkey_verifier"], points, settings.member_delay_seconds),
        "settlement": (governed_by, places["brands"], points),
        "anchors": (coalition_id,),
        "points_ledger": (governed_by, places["brands"], places["members"], places["settlement"], settings.currency.encode()),
    }


def _founding(operator: Address, settings: Settings) -> tuple[Any, ...]:
    """Who governs with the operator and how slowly. What is built in here only an act of governance itself changes later."""
    missing = [name for name in ("guardian", "approvers") if not getattr(settings, name)]
    if missing:
        raise BadSettings(
            f"{' and '.join(missing)} must be named before a ledger is deployed: the addresses of those without whom the operator "
            'changes nothing. Write guardian = "0x…", approvers = ["0x…", …] and approvals_needed into gateway.toml'
        )
    delay = settings.governance_delay_seconds
    for name in ("governance_delay_seconds", "member_delay_seconds"):
        seconds = getattr(settings, name)
        if not settings.sandbox and seconds < SHORTEST_DELAY_SECONDS:
            raise BadSettings(f"{name} is {seconds}: outside a sandbox it must be at least {SHORTEST_DELAY_SECONDS}, a day")
    guardian, *approvers = (Address.parse(account) for account in (settings.guardian or "", *settings.approvers))
    accounts = [operator, guardian, *approvers]
    if len(set(accounts)) != len(accounts):
        raise BadSettings("operator, guardian and approvers must be different accounts: name another for each that is there twice")
    if settings.approvals_needed > len(approvers):
        raise BadSettings(f"approvals_needed is {settings.approvals_needed}: it must be at most the {len(approvers)} approvers named")
    return settings.sandbox, delay, operator, guardian, sorted(approvers), settings.approvals_needed


def _check_settings(known: CoalitionRow, settings: Settings) -> None:
    """What is built into the contract cannot be changed by settings."""
    for name in ("currency", "utc_offset_seconds", "sandbox", "member_delay_seconds"):
        built_in, wanted = getattr(known, name), getattr(settings, name)
        if built_in != wanted:
            raise BadSettings(
                f"{name} is {wanted!r}, but this coalition began with {built_in!r}, which is built into its contracts: write that"
            )


def _check_sandbox(chain: Chain, settings: Settings) -> None:
    """Whether a chain's time is set at will, its genesis says; what is worth something must not begin on such a one."""
    is_sandbox = chain.is_sandbox()
    if is_sandbox not in (None, settings.sandbox):
        made, remedy = ("as a sandbox", "without --sandbox") if is_sandbox else ("as no sandbox", "with --sandbox")
        raise BadSettings(
            f"sandbox is {str(settings.sandbox).lower()}, but the chain at {chain.rpc_url} was made {made}: write "
            f"sandbox = {str(is_sandbox).lower()}, or make a new node {remedy} and name that"
        )


def _check_delay(database: Database, chain: Chain, row: CoalitionRow) -> None:
    """An act may have changed the delay since the founding: then the projection, which has just been brought to the head, says so."""
    with database.read() as session:
        due, head = the_coalition(session).governance_delay_seconds, session.scalar(select(func.max(LedgerBlockRow.number)))
    found = read_view(chain, row.governance_address, governance(), "getMinDelay", head)
    if found != due:
        raise WrongCode(
            f"Governance at {row.governance_address} makes acts wait {found} seconds, by this gateway's database {due}: "
            "run `splittally rebuild`, and if that does not help, put the database back from a backup"
        )


def _new_coalition_id(chain: Chain, settings: Settings) -> Hash:
    """The one that the chain was made for; on an engine that knows of no coalitions the configured one, else a random one."""
    made_for = chain.coalition_id()
    if made_for is not None:
        return made_for
    if settings.coalition_id is not None:
        return _configured(settings.coalition_id)
    return Hash(secrets.token_bytes(32))


def _configured(coalition_id: str) -> Hash:
    try:
        return Hash.parse(coalition_id)
    except BadHex as error:
        raise BadSettings(f"coalition_id must be 0x and 64 hex digits: {error}") from error


SHORTEST_DELAY_SECONDS = 86_400
_BASE_FEE = 10**9  # what the first blocks of a new chain may ask for
_EARLIER = {
    keccak(b"submitBatch((uint32,uint64,uint40,bytes32),bytes,bytes)")[:4]: "whose batches carry a root that the brand signed",
    keccak(b"setAuthority(address)")[:4]: "whose brands one account alone could re-key",
    keccak(b"enroll((uint8,bytes,bytes32)[])")[:4]: "which was the register of its brands and members itself",
}
"""What a ledger is whose code knows a call, by the call's selector."""
