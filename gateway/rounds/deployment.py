"""Deploys access manager, points ledger and passkey verifier as the operator's transactions 0 to 2, registers the verifier as its
transaction 3, and checks all of it at every start.

Addresses follow from the account and its nonces, so they stand in the database before anything is sent; a crash in between is harmless.
"""

from __future__ import annotations

import secrets

from eth_hash.auto import keccak
from rlp import encode as rlp_encode  # type: ignore[import-untyped]
from sqlalchemy import select

from gateway.chain.artifacts import access_manager, passkey_verifier, points_ledger
from gateway.chain.connection import Chain
from gateway.coalition.coalition import Coalition
from gateway.coalition.rows import the_coalition
from gateway.coalition.tables import CoalitionRow
from gateway.config import BadSettings, Settings
from gateway.ledger.members import AuthorizerKind
from gateway.rounds.gas import DEPLOY_GAS, REGISTER_GAS
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
        manager, points = contract_address(submitter.address, 0), contract_address(submitter.address, 1)
        arguments = manager, coalition_id, settings.currency.encode(), settings.utc_offset_seconds
        submitter.store(session, "deploy_access_manager", None, access_manager().creation(submitter.address), DEPLOY_GAS, _BASE_FEE, at)
        submitter.store(session, "deploy_points_ledger", None, points_ledger().creation(*arguments), DEPLOY_GAS, _BASE_FEE, at)
        submitter.store(session, "deploy_passkey_verifier", None, passkey_verifier().creation(), DEPLOY_GAS, _BASE_FEE, at)
        registered = points_ledger().call("setVerifier", AuthorizerKind.PASSKEY, contract_address(submitter.address, 2))
        submitter.store(session, "set_passkey_verifier", points, registered, REGISTER_GAS, _BASE_FEE, at)
        session.add(
            CoalitionRow(
                coalition_id=coalition_id,
                chain_id=chain_id,
                genesis_hash=genesis_hash,
                currency=settings.currency,
                utc_offset_seconds=settings.utc_offset_seconds,
                sandbox=settings.sandbox,
                access_manager_address=manager,
                points_address=points,
                code_hash=None,
                deployed_block=None,
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
    code, manager_code = chain.code(row.points_address), chain.code(row.access_manager_address)
    if (not code or points_ledger().is_code(code)) and (not manager_code or access_manager().is_code(manager_code)):
        return
    if _SUBMIT_WITH_ROOT in code:
        what = f"the points ledger at {row.points_address} is that of an earlier version, whose batches carry a root that the brand signed"
    else:
        what = f"the code at {row.points_address} or {row.access_manager_address} is not that of the committed artifacts"
    raise WrongCode(
        f"{what}. Nothing was changed. A contract is never replaced in place: open this data directory with the version "
        "that made it, which keeps the ledger readable, or begin anew with a new data directory and a new node"
    )


def check_code(database: Database, chain: Chain) -> None:
    """Once deployed, the code must be the artifact's and stay what it was; the first look stores its hash."""
    refuse_other_contract(database, chain)
    with database.read() as session:
        row = session.scalars(select(CoalitionRow)).one()
        deployed = session.scalars(select(TransactionRow).where(TransactionRow.purpose == "deploy_points_ledger")).first()
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
    answer = chain.eth_call(points_address, points_ledger().call("verifier", AuthorizerKind.PASSKEY))
    (verifier,) = points_ledger().returned("verifier", answer)
    if not passkey_verifier().is_code(chain.code(Address.parse(verifier))):
        raise WrongCode(
            f"the verifier of passkeys at {verifier} is not that of the committed artifacts: "
            "another version deployed this ledger; begin anew with another data directory"
        )


def contract_address(sender: Address, nonce: int) -> Address:
    """Where a contract created by this account at this nonce stands."""
    packed: bytes = rlp_encode([bytes(sender), nonce])
    return Address(keccak(packed)[12:])


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


_BASE_FEE = 10**9  # what the first blocks of a new chain may ask for
_SUBMIT_WITH_ROOT = keccak(b"submitBatch((uint32,uint64,uint40,bytes32),bytes,bytes)")[:4]
