"""Deploys governance, the verifier of passkeys and the points ledger as the operator's transactions 0 to 2, and checks them at every start.

Addresses follow from the account and its nonces, so they stand in the database before anything is sent; a crash in between is harmless.
"""

from __future__ import annotations

import secrets
from typing import Any

from eth_hash.auto import keccak
from rlp import encode as rlp_encode  # type: ignore[import-untyped]
from sqlalchemy import select

from gateway.chain.artifacts import governance, passkey_verifier, points_ledger
from gateway.chain.connection import Chain
from gateway.coalition.coalition import Coalition
from gateway.coalition.rows import the_coalition
from gateway.coalition.tables import CoalitionRow
from gateway.config import BadSettings, Settings
from gateway.rounds.gas import DEPLOY_GAS
from gateway.rounds.submitter import Submitter
from gateway.rounds.tables import TransactionRow
from gateway.store.session import Database
from gateway.values.errors import Unavailable
from gateway.values.hex import BadHex
from gateway.values.ids import Address, Hash


class WrongChain(Exception):
    """The node serves another chain than the one this gateway's database belongs to."""


class WrongCode(Exception):
    """At the ledger's address stands other code than the committed artifact's."""


class AccountInUse(Exception):
    """The operator's account has sent transactions that this gateway does not know."""


def prepare_deployment(database: Database, chain: Chain, submitter: Submitter, settings: Settings, at: int) -> None:
    """Writes the coalition and its deploying transactions, unless they are there. Nothing is sent yet."""
    genesis_hash = chain.genesis_hash()
    chain_id = chain.chain_id()
    coalition_id = _new_coalition_id(chain, settings)
    known_count = chain.transaction_count(submitter.address)
    with database.write() as session:
        known = session.scalar(select(CoalitionRow))
        if known is not None:
            _check_settings(known, settings)
            return
        if known_count:
            raise AccountInUse(f"{submitter.address} has sent {known_count} transactions; the gateway needs an account of its own")
        founding = _founding(submitter.address, settings)
        _, delay, _, guardian, approvers, needed = founding
        governed_by, passkeys, points = (contract_address(submitter.address, nonce) for nonce in range(3))
        for purpose, creation in (
            ("deploy_governance", governance().creation(coalition_id, founding)),
            ("deploy_passkey_verifier", passkey_verifier().creation()),
            (
                "deploy_points_ledger",
                points_ledger().creation(governed_by, passkeys, settings.currency.encode(), settings.utc_offset_seconds),
            ),
        ):
            submitter.store(session, purpose, None, creation, DEPLOY_GAS, _BASE_FEE, at)
        session.add(
            CoalitionRow(
                coalition_id=coalition_id,
                chain_id=chain_id,
                genesis_hash=genesis_hash,
                currency=settings.currency,
                utc_offset_seconds=settings.utc_offset_seconds,
                sandbox=settings.sandbox,
                governance_address=governed_by,
                points_address=points,
                code_hash=None,
                deployed_block=None,
                guardian_address=guardian,
                approver_addresses=",".join(map(str, approvers)),
                approvals_needed=needed,
                governance_delay_seconds=delay,
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
    code, governance_code = chain.code(row.points_address), chain.code(row.governance_address)
    if (not code or points_ledger().is_code(code)) and (not governance_code or governance().is_code(governance_code)):
        return
    if _SUBMIT_WITH_ROOT in code:
        what = f"the points ledger at {row.points_address} is that of an earlier version, whose batches carry a root that the brand signed"
    elif _SET_AUTHORITY in code:
        what = f"the points ledger at {row.points_address} is that of an earlier version, whose brands one account alone could re-key"
    else:
        what = f"the code at {row.points_address} or {row.governance_address} is not that of the committed artifacts"
    raise WrongCode(
        f"{what}. Nothing was changed. A contract is never replaced in place: open this data directory with the version "
        "that made it, which keeps the ledger readable, or begin anew with a new data directory and a new node"
    )


def check_code(database: Database, chain: Chain) -> None:
    """Once deployed, the code must be the artifact's and stay what it was; the first look stores its hash."""
    refuse_other_contract(database, chain)
    with database.read() as session:
        row = session.scalars(select(CoalitionRow)).one()
        mined = TransactionRow.purpose == "deploy_points_ledger", TransactionRow.status == "mined"  # it may have been replaced
        deployed = session.scalars(select(TransactionRow).where(*mined)).first()
    code = chain.code(row.points_address)
    if not code:
        raise Unavailable(f"There is no points ledger at {row.points_address} yet")
    _check_verifier(chain, row.points_address)
    code_hash = Hash(keccak(code))
    if row.code_hash and row.code_hash != code_hash:
        raise WrongCode(f"the code at {row.points_address} was {row.code_hash} and is {code_hash} now")
    if not row.code_hash:
        with database.write() as session:
            stored = session.scalars(select(CoalitionRow)).one()
            stored.code_hash = code_hash
            stored.deployed_block = deployed.block_number if deployed else None


def _check_verifier(chain: Chain, points_address: Address) -> None:
    """Members' passkeys are checked by the committed verifier: the projection goes by what that one answers."""
    answer = chain.eth_call(points_address, points_ledger().call("passkeyVerifier"))
    (verifier,) = points_ledger().returned("passkeyVerifier", answer)
    if not passkey_verifier().is_code(chain.code(Address.parse(verifier))):
        raise WrongCode(
            f"the verifier of passkeys at {verifier} is not that of the committed artifacts: "
            "another version deployed this ledger; begin anew with another data directory"
        )


def contract_address(sender: Address, nonce: int) -> Address:
    """Where a contract created by this account at this nonce stands."""
    packed: bytes = rlp_encode([bytes(sender), nonce])
    return Address(keccak(packed)[12:])


def _founding(operator: Address, settings: Settings) -> tuple[Any, ...]:
    """Who governs with the operator and how slowly. What is built in here only an act of governance itself changes later."""
    missing = [name for name in ("guardian", "approvers") if not getattr(settings, name)]
    if missing:
        raise BadSettings(
            f"{' and '.join(missing)} must be named before a ledger is deployed: the addresses of those without whom the operator "
            'changes nothing. Write guardian = "0x…", approvers = ["0x…", …] and approvals_needed into gateway.toml'
        )
    delay = settings.governance_delay_seconds
    if not settings.sandbox and delay < SHORTEST_DELAY_SECONDS:
        raise BadSettings(f"governance_delay_seconds is {delay}: outside a sandbox it must be at least {SHORTEST_DELAY_SECONDS}, a day")
    guardian, *approvers = (Address.parse(account) for account in (settings.guardian or "", *settings.approvers))
    accounts = [operator, guardian, *approvers]
    if len(set(accounts)) != len(accounts):
        raise BadSettings("operator, guardian and approvers must be different accounts: name another for each that is there twice")
    if settings.approvals_needed > len(approvers):
        raise BadSettings(f"approvals_needed is {settings.approvals_needed}: it must be at most the {len(approvers)} approvers named")
    return settings.sandbox, delay, operator, guardian, sorted(approvers), settings.approvals_needed


def _check_settings(known: CoalitionRow, settings: Settings) -> None:
    """What is built into the contract cannot be changed by settings."""
    for name in ("currency", "utc_offset_seconds", "sandbox"):
        built_in, wanted = getattr(known, name), getattr(settings, name)
        if built_in != wanted:
            raise BadSettings(f"{name} is {wanted!r}, but this coalition began with {built_in!r}")


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
_SET_AUTHORITY = keccak(b"setAuthority(address)")[:4]
_SUBMIT_WITH_ROOT = keccak(b"submitBatch((uint32,uint64,uint40,bytes32),bytes,bytes)")[:4]
