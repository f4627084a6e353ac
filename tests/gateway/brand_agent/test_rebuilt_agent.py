"""An agent from a backup: it signs nothing until the ledger shows its new key alone in force, and then knows all that was signed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account import Account

from gateway.brand_signer.journal import forget_index
from gateway.brand_signer.key import Key
from gateway.brands.change_brand import set_brand_key
from gateway.brands.register_brand import OPEN_END
from gateway.coalition.rows import SqlCoalition, business_clock
from gateway.ledger.owner_acts import SetBrandKey, owner_act_digest
from gateway.rounds.brand_operation import OwnerSignature
from gateway.secret_files import make_secret, read_or_make
from gateway.store.unit_of_work import writing
from gateway.values.ids import Address
from tests.builders.agents import AgentBuilder, free_port
from tests.builders.brands import ROOT
from tests.builders.coalition import CoalitionBuilder, brand_owner, new_id, running_coalition


@pytest.fixture(scope="module")
def coalition(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoalitionBuilder]:
    with running_coalition(tmp_path_factory.mktemp("coalition"), (1,), 1) as built:
        yield built


def test_an_agent_from_a_backup_is_rebuilt_from_the_ledger(coalition: CoalitionBuilder) -> None:
    brand, [member] = coalition.brands[1], coalition.member_keys
    old = brand.key_address
    for payment_id in ("p-1", "p-2", "p-3"):
        coalition.purchase(1, member, payment_id=payment_id)
        coalition.work_off()
    coalition.refund_payment(1, "p-1", 5_000)
    coalition.work_off()
    journal = brand.folder / "signed.jsonl"
    whole = journal.read_text().splitlines(keepends=True)
    brand.stop()

    agent = _agent(brand.folder, brand.port)
    assert _run(agent, "--address") == (0, f"{old}\n")
    (brand.folder / "key").unlink()  # keys are in no backup, and a backup is of yesterday
    forget_index(journal)
    journal.write_text("".join(whole[:2]))
    new = Key(read_or_make(brand.folder / "key")).address
    _refused(agent, "as of an agent that was restored or moved")
    rebuilding = "rebuild", "--rpc", coalition.node.url
    _refused(agent, f"key {new} is not in force: have the brand's owner set it", *rebuilding)
    _set_key(coalition, new, coalition.now - 1, None)
    _refused(agent, f"key {old}, which signed batch 1, is still in force: have the brand's owner end it", *rebuilding)
    _set_key(coalition, old, 0, coalition.now - 1)
    told = f"{len(whole) - 1} batches stand on the ledger; the agent signs with {new} from its next start on\n"
    assert _run(agent, *rebuilding) == (0, told)
    assert [_content(line) for line in journal.read_text().splitlines()] == [_content(line) for line in whole]
    assert [path.read_text() for path in brand.folder.glob("signed.jsonl.before-*")] == ["".join(whole[:2])]

    agent.start()
    try:
        made = [coalition.purchase(1, member, payment_id="p-4"), coalition.refund_payment(1, "p-2", 5_000)]
        coalition.work_off()
        assert [coalition.operation(one).status for one in made] == ["confirmed"] * 2
    finally:
        agent.kill()
    assert len(journal.read_text().splitlines()) > len(whole)


def _agent(folder: Path, port: int) -> AgentBuilder:
    """The agent in the place of the brand's signer."""
    settings = json.loads((folder / "signer.json").read_text())
    settings["agent"] = {"gateway_url": f"http://127.0.0.1:{free_port()}"}
    agent = AgentBuilder(folder, port)
    agent.config.write_text(json.dumps(settings))
    make_secret(folder / "gateway_key", "none")
    return agent


def _run(agent: AgentBuilder, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "gateway.brand_agent", *arguments, "--config", str(agent.config)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def _refused(agent: AgentBuilder, reason: str, *arguments: str) -> None:
    status, told = _run(agent, *arguments)
    assert (status, reason in told) == (1, True), told


def _set_key(coalition: CoalitionBuilder, key: Address, valid_from: int, valid_until: int | None) -> None:
    nonce = coalition.owner_acts[1]
    coalition.owner_acts[1] += 1
    act = SetBrandKey(1, key, valid_from, OPEN_END if valid_until is None else valid_until, False, nonce, OPEN_END)
    with writing(coalition.database, business_clock()) as work:
        digest = owner_act_digest(work.of(SqlCoalition).facts.brands_domain, act)
        signed = OwnerSignature(nonce, OPEN_END, bytes(Account.unsafe_sign_hash(digest, brand_owner(1).key).signature))
        needs = coalition._brand(work, 1)
        set_brand_key(key_address=key, valid_from=valid_from, valid_until=valid_until, signed=signed, **needs, operation_id=new_id("key"))
    coalition.work_off()


def _content(line: str) -> tuple[object, ...]:
    value = json.loads(line)
    return value.get("number"), value.get("entries"), value.get("signature")
