"""Deployment at fixed nonces survives a crash in between, and every start checks chain and code."""

from __future__ import annotations

from pathlib import Path

import pytest
from eth_hash.auto import keccak
from sqlalchemy import select, update

from gateway.app import make_worker
from gateway.chain.artifacts import brands, governance, points_ledger, settlement
from gateway.chain.connection import Chain
from gateway.chain.operator_key import load_account
from gateway.coalition.tables import CoalitionRow
from gateway.config import BadSettings
from gateway.projection.tables import LedgerGovernorsRow
from gateway.rounds.completion import Completions
from gateway.rounds.contract_ties import WrongCode, check_ties
from gateway.rounds.deployment import AccountInUse, WrongChain, contract_address, prepare_deployment
from gateway.rounds.gas import DEPLOY_GAS
from gateway.rounds.submitter import NONCE_COUNTER, Submitter
from gateway.rounds.tables import TransactionRow
from gateway.store.counters import CounterRow
from gateway.values.errors import Unavailable
from gateway.values.ids import Address, Hash
from tests.builders.coalition import START, BlankGateway, blank_gateway, open_patiently
from tests.node.running_node import RunningNode


def account_of(blank: BlankGateway) -> str:
    address: str = load_account(blank.settings.operator_key_file).address
    return address


def submitter_of(blank: BlankGateway) -> Submitter:
    account = load_account(blank.settings.operator_key_file)
    return Submitter(blank.database, blank.chain, account, blank.chain.chain_id())


def test_a_crash_between_the_deploying_transactions_is_harmless(tmp_path: Path) -> None:
    with blank_gateway(tmp_path) as blank:
        prepare_deployment(blank.database, blank.chain, submitter_of(blank), blank.settings, START)
        with blank.database.read() as session:
            first, second, *others = session.scalars(select(TransactionRow).order_by(TransactionRow.nonce))
            foreseen = session.scalars(select(CoalitionRow)).one()
        blank.node.receipt(blank.node.call("eth_sendRawTransaction", "0x" + first.raw.hex()))
        worker = make_worker(blank.database, blank.chain, Completions(), blank.settings)
        worker.open()
        worker.close()
        with blank.database.read() as session:
            mined = session.scalars(select(TransactionRow).order_by(TransactionRow.nonce)).all()
            deployed = session.scalars(select(CoalitionRow)).one()
        raw = [row.raw for row in (first, second, *others)]
        assert [(row.nonce, row.raw, row.status) for row in mined] == [(nonce, each, "mined") for nonce, each in enumerate(raw)]
        assert (deployed.points_address, deployed.governance_address) == (
            foreseen.points_address,
            contract_address(submitter_of(blank).address, 0),
        )
        assert points_ledger().is_code(blank.chain.code(deployed.points_address))
        assert deployed.deployed_block == mined[-1].block_number
        assert str(deployed.coalition_id) == blank.node.ready["coalition_id"]  # type: ignore[index]


def test_a_deployment_that_waited_too_long_is_replaced_and_opened_in_the_end(tmp_path: Path) -> None:
    with blank_gateway(tmp_path, stuck_after_seconds=0.3) as blank:
        submitter = submitter_of(blank)
        prepare_deployment(blank.database, blank.chain, submitter, blank.settings, START)
        with blank.database.read() as session:
            stored = list(session.scalars(select(TransactionRow.transaction_id)))
        submitter._underpriced |= set(stored)  # as if the node had said so
        assert submitter.replace_stuck(0, START) == len(stored)
        worker = make_worker(blank.database, blank.chain, Completions(), blank.settings)
        open_patiently(worker)
        worker.close()
        with blank.database.read() as session:
            points = session.scalars(select(TransactionRow).where(TransactionRow.purpose == "deploy_points_ledger")).all()
            (mined,) = (row for row in points if row.status == "mined")
            assert session.scalars(select(CoalitionRow.deployed_block)).one() == mined.block_number
        assert len(points) > 1


def test_the_node_of_another_chain_is_refused(tmp_path: Path) -> None:
    with blank_gateway(tmp_path / "one") as blank:
        worker = make_worker(blank.database, blank.chain, Completions(), blank.settings)
        worker.open()
        worker.close()
        operator = load_account(blank.settings.operator_key_file).address
        with RunningNode(tmp_path / "other", ("--sandbox", "--operator", operator)) as other:
            chain = Chain(other.url)
            stranger = make_worker(blank.database, chain, Completions(), blank.settings)
            with pytest.raises(WrongChain, match="genesis"):
                stranger.open()
            stranger.close()
            chain.close()
        again = make_worker(blank.database, blank.chain, Completions(), blank.settings)
        again.open()
        again.close()


def test_other_code_than_at_the_last_start_is_refused(tmp_path: Path) -> None:
    with blank_gateway(tmp_path) as blank:
        worker = make_worker(blank.database, blank.chain, Completions(), blank.settings)
        worker.open()
        worker.close()
        with blank.database.write() as session:
            known = session.scalars(select(CoalitionRow)).one()
            other = known.governance_address
            session.execute(update(CoalitionRow).values(code_hash=Hash(bytes(32))))
        with pytest.raises(WrongCode, match="was 0x00"):
            worker.open()
        worker.close()
        with blank.database.write() as session:
            session.execute(update(CoalitionRow).values(points_address=other))
        with pytest.raises(WrongCode, match="committed artifacts"):
            worker.open()
        worker.close()


@pytest.mark.parametrize(
    ("call", "named"),
    [
        ("submitBatch((uint32,uint64,uint40,bytes32),bytes,bytes)", "whose batches carry a root"),
        ("setAuthority(address)", "whose brands one account alone could re-key"),
        ("enroll((uint8,bytes,bytes32)[])", "which was the register of its brands and members itself"),
    ],
)
def test_a_ledger_of_an_earlier_contract_is_refused_by_name_before_it_is_read(tmp_path: Path, call: str, named: str) -> None:
    """Any code that knows a call of that version alone."""
    runtime = b"\x63" + keccak(call.encode())[:4] + b"\0"
    creation = _creation(runtime)
    with blank_gateway(tmp_path) as blank:
        worker = make_worker(blank.database, blank.chain, Completions(), blank.settings)
        worker.open()
        worker.close()
        operator = load_account(blank.settings.operator_key_file)
        earlier = Address.parse(blank.node.send(operator, data="0x" + creation.hex(), gas=1_000_000)["contractAddress"])
        with blank.database.write() as session:
            session.execute(update(CoalitionRow).values(points_address=earlier))
        again = make_worker(blank.database, blank.chain, Completions(), blank.settings)
        with pytest.raises(WrongCode, match=rf"earlier version, {named}.* or begin anew with a new data directory"):
            again.open()
        again.close()


def test_a_ledger_without_the_committed_verifier_of_passkeys_is_refused(tmp_path: Path) -> None:
    with blank_gateway(tmp_path) as blank:
        submitter = submitter_of(blank)
        prepare_deployment(blank.database, blank.chain, submitter, blank.settings, START)
        with blank.database.write() as session:
            row = session.scalars(select(TransactionRow).where(TransactionRow.purpose == "deploy_passkey_verifier")).one()
            nonces = update(CounterRow).where(CounterRow.name == NONCE_COUNTER)
            given = session.scalars(select(CounterRow.last).where(CounterRow.name == NONCE_COUNTER)).one()
            session.delete(row)
            session.execute(nonces.values(last=row.nonce))
            submitter.store(session, row.purpose, None, _creation(b"\0"), DEPLOY_GAS, 10**9, START)
            session.execute(nonces.values(last=given))
        worker = make_worker(blank.database, blank.chain, Completions(), blank.settings)
        with pytest.raises(WrongCode, match="verifier of passkeys"):
            worker.open()
        worker.close()


def test_a_settlement_that_asks_other_brands_for_their_owners_is_refused(tmp_path: Path) -> None:
    """The committed code and the ledger's own, but whoever deployed it named a register of its own."""
    with blank_gateway(tmp_path) as blank:
        submitter = submitter_of(blank)
        prepare_deployment(blank.database, blank.chain, submitter, blank.settings, START)
        with blank.database.write() as session:
            coalition = session.scalars(select(CoalitionRow)).one()
            row = session.scalars(select(TransactionRow).where(TransactionRow.purpose == "deploy_settlement")).one()
            session.delete(row)
            session.execute(update(CounterRow).where(CounterRow.name == NONCE_COUNTER).values(last=row.nonce))
            creation = settlement().creation(coalition.governance_address, coalition.members_address, coalition.points_address)
            submitter.store(session, row.purpose, None, creation, DEPLOY_GAS, 10**9, START)
        worker = make_worker(blank.database, blank.chain, Completions(), blank.settings)
        with pytest.raises(WrongCode, match=r"Settlement at 0x\w+ goes by brands at"):
            worker.open()
        worker.close()


def test_contracts_that_do_not_go_by_one_another_are_refused(tmp_path: Path) -> None:
    """A second register of brands has the committed code, but the ledger goes by the first."""
    with blank_gateway(tmp_path) as blank:
        worker = make_worker(blank.database, blank.chain, Completions(), blank.settings)
        worker.open()
        worker.close()
        with blank.database.read() as session:
            governed_by = session.scalars(select(CoalitionRow.governance_address)).one()
        operator, creation = load_account(blank.settings.operator_key_file), brands().creation(governed_by, 0)
        second = Address.parse(blank.node.send(operator, data="0x" + creation.hex(), gas=8_000_000)["contractAddress"])
        with blank.database.write() as session:
            session.execute(update(CoalitionRow).values(brands_address=second))
        with pytest.raises(WrongCode, match=rf"PointsLedger at 0x\w+ goes by brands at 0x\w+, not by that at {second}"):
            worker.open()
        worker.close()


@pytest.mark.parametrize("name", ["governance", "brands", "members", "settlement", "anchors", "points_ledger"])
def test_other_code_at_any_place_is_refused(tmp_path: Path, name: str) -> None:
    with blank_gateway(tmp_path) as blank:
        worker = make_worker(blank.database, blank.chain, Completions(), blank.settings)
        worker.open()
        worker.close()
        column = "points_address" if name == "points_ledger" else f"{name}_address"
        with blank.database.write() as session:
            session.execute(update(CoalitionRow).values({column: contract_address(submitter_of(blank).address, 1)}))
        with pytest.raises(WrongCode, match=f"is not that of the committed artifacts' {name.replace('_', ' ')}"):
            worker.open()
        worker.close()


def test_a_chain_that_is_a_sandbox_or_none_other_than_the_settings_say_is_refused_before_anything_is_deployed(tmp_path: Path) -> None:
    long_enough = {"governance_delay_seconds": 86_400, "member_delay_seconds": 86_400}
    with blank_gateway(tmp_path, **long_enough) as blank, RunningNode(tmp_path / "earnest", ("--operator", account_of(blank))) as earnest:
        as_earnest = blank.settings.model_copy(update={"sandbox": False})
        for url, settings, remedy in (
            (blank.node.url, as_earnest, "sandbox is false, .* made as a sandbox: write sandbox = true, or make a new node without"),
            (earnest.url, blank.settings, "sandbox is true, .* made as no sandbox: write sandbox = false, or make a new node with"),
        ):
            chain = Chain(url)
            worker = make_worker(blank.database, chain, Completions(), settings)
            with pytest.raises(BadSettings, match=remedy):
                worker.open()
            worker.close()
            chain.close()
        with blank.database.read() as session:
            assert session.scalars(select(TransactionRow)).all() == []


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"member_delay_seconds": 5}, r"Members at 0x\w+ makes members' acts wait 0 seconds, by this gateway's database 5"),
        ({"sandbox": False}, r"this coalition is no sandbox, but Governance at 0x\w+ was deployed as a sandbox"),
    ],
)
def test_what_the_database_says_was_built_in_must_be(tmp_path: Path, changed: dict[str, object], refusal: str) -> None:
    with blank_gateway(tmp_path) as blank:
        worker = make_worker(blank.database, blank.chain, Completions(), blank.settings)
        worker.open()
        worker.close()
        with blank.database.write() as session:
            session.execute(update(CoalitionRow).values(**changed))
            row = session.scalars(select(CoalitionRow)).one()
        with pytest.raises(WrongCode, match=f"{refusal}.* begin with another directory"):
            check_ties(blank.chain, row)


def test_a_delay_that_is_not_the_chains_is_refused_and_a_rebuilt_projection_has_the_chains(tmp_path: Path) -> None:
    with blank_gateway(tmp_path) as blank:
        worker = make_worker(blank.database, blank.chain, Completions(), blank.settings)
        worker.open()
        with blank.database.write() as session:
            session.execute(update(LedgerGovernorsRow).values(delay_seconds=7))
        with pytest.raises(WrongCode, match=r"makes acts wait 0 seconds, by this gateway's database 7: run `splittally rebuild`"):
            worker.open()
        worker.follower.rebuild()
        worker.open()
        worker.close()


def test_another_delay_of_members_acts_than_was_built_in_is_no_setting(tmp_path: Path) -> None:
    with blank_gateway(tmp_path) as blank:
        worker = make_worker(blank.database, blank.chain, Completions(), blank.settings)
        worker.open()
        worker.close()
        other = make_worker(blank.database, blank.chain, Completions(), blank.settings.model_copy(update={"member_delay_seconds": 60}))
        with pytest.raises(BadSettings, match="member_delay_seconds is 60, but this coalition began with 0"):
            other.open()
        other.close()


def test_code_that_differs_in_one_byte_is_not_the_artifacts(tmp_path: Path) -> None:
    with blank_gateway(tmp_path) as blank:
        worker = make_worker(blank.database, blank.chain, Completions(), blank.settings)
        worker.open()
        worker.close()
        with blank.database.read() as session:
            row = session.scalars(select(CoalitionRow)).one()
        code = blank.chain.code(row.points_address)
    assert points_ledger().is_code(code)
    assert not points_ledger().is_code(bytes([code[0] ^ 1]) + code[1:])
    assert not points_ledger().is_code(code[:-1])
    assert not governance().is_code(code)


def test_an_account_that_was_used_before_is_not_taken(tmp_path: Path) -> None:
    with blank_gateway(tmp_path) as blank:
        operator = load_account(blank.settings.operator_key_file)
        blank.node.send(operator, to=operator.address)
        worker = make_worker(blank.database, blank.chain, Completions(), blank.settings)
        with pytest.raises(AccountInUse, match="1 transactions"):
            worker.open()
        worker.close()


def test_an_account_without_funds_is_named(tmp_path: Path) -> None:
    with blank_gateway(tmp_path / "funded") as blank, RunningNode(tmp_path / "poor", ("--sandbox",)) as poor:
        chain = Chain(poor.url)
        worker = make_worker(blank.database, chain, Completions(), blank.settings)
        with pytest.raises(Unavailable, match="insufficient funds"):
            worker.open()
        worker.close()
        chain.close()


def test_a_node_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with blank_gateway(tmp_path) as blank:
        blank.node.kill()
        worker = make_worker(blank.database, blank.chain, Completions(), blank.settings)
        with pytest.raises(Unavailable, match="does not answer"):
            worker.open()
        worker.close()


def _creation(runtime: bytes) -> bytes:
    """Code that deploys this code."""
    return bytes.fromhex(f"60{len(runtime):02x}80600b6000396000f3") + runtime
