"""A chain goes through a file and comes out the same; a torn or altered file is refused at its first bad block."""

import gzip
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from eth_keys.datatypes import PrivateKey

from node.__main__ import main
from node.chain.errors import ChainError
from node.chain.genesis import genesis_block, parse_config
from node.chain.sealing import seal
from node.config import DataDirectory
from tests.node.running_node import RunningNode, run_node_command
from tests.node.sealed_chain import OPERATOR, seal_chain, send_some_of_everything

Lines = list[dict[str, Any]]

pytestmark = pytest.mark.filterwarnings("ignore:SELFDESTRUCT opcode present")


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the data of a stopped node and its chain in a file."""
    place = tmp_path_factory.mktemp("export")
    seal_chain(place / "data")
    exported = run_node_command("export", "--data", str(place / "data"), str(place / "chain.jsonl"))
    assert exported.returncode == 0, exported.stderr
    return place


def _command(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(item) for item in arguments])


def _lines(chain: Path) -> Lines:
    return [json.loads(line) for line in (chain / "chain.jsonl").read_text().splitlines()]


def test_an_imported_chain_has_the_same_blocks_and_verifies(chain: Path, tmp_path: Path) -> None:
    imported = _command("import", "--data", tmp_path / "data", chain / "chain.jsonl")
    assert imported.exit_code == 0, imported.output
    result = json.loads(imported.output.splitlines()[-1])
    assert result["imported_blocks"] == len(_lines(chain)) > 12
    verified = [_command("verify", "--data", place / "data") for place in (tmp_path, chain)]
    heads = [json.loads(done.output.splitlines()[-1])["head_hash"] for done in verified]
    assert heads[0] == heads[1] == result["head_hash"]


def test_what_was_imported_exports_to_the_same_file(chain: Path, tmp_path: Path) -> None:
    _command("import", "--data", tmp_path / "data", chain / "chain.jsonl")
    _command("export", "--data", tmp_path / "data", tmp_path / "again.jsonl")
    assert (tmp_path / "again.jsonl").read_bytes() == (chain / "chain.jsonl").read_bytes()


def test_a_compressed_file_says_the_same(chain: Path, tmp_path: Path) -> None:
    assert _command("export", "--data", chain / "data", tmp_path / "chain.jsonl.gz").exit_code == 0
    assert gzip.decompress((tmp_path / "chain.jsonl.gz").read_bytes()) == (chain / "chain.jsonl").read_bytes()
    assert _command("import", "--data", tmp_path / "data", tmp_path / "chain.jsonl.gz").exit_code == 0


def test_a_running_node_can_be_exported(tmp_path: Path) -> None:
    with RunningNode(tmp_path / "data", ("--operator", OPERATOR.address)) as node:
        send_some_of_everything(node)
        exported = run_node_command("export", "--data", str(node.data), str(tmp_path / "chain.jsonl"))
        assert exported.returncode == 0, exported.stderr
        head = node.call("eth_getBlockByNumber", "latest", False)
    assert json.loads(exported.stdout)["head_hash"] == head["hash"]


def test_an_existing_file_is_not_replaced(chain: Path) -> None:
    before = (chain / "chain.jsonl").read_bytes()
    refused = _command("export", "--data", chain / "data", chain / "chain.jsonl")
    assert isinstance(refused.exception, ChainError)
    assert "exists already" in str(refused.exception)
    assert (chain / "chain.jsonl").read_bytes() == before


def test_an_interrupted_import_goes_on_where_it_stopped(chain: Path, tmp_path: Path) -> None:
    whole = (chain / "chain.jsonl").read_bytes()
    torn = b"".join(whole.splitlines(keepends=True)[:6])
    (tmp_path / "torn.jsonl").write_bytes(torn)
    refused = _command("import", "--data", tmp_path / "data", tmp_path / "torn.jsonl")
    assert f"block 6: the file ends before block 6 of {len(_lines(chain)) - 1}" in str(refused.exception)
    assert _command("import", "--data", tmp_path / "data", chain / "chain.jsonl").exit_code == 0


def test_a_chain_without_its_sealers_key_does_not_run(chain: Path, tmp_path: Path) -> None:
    _command("import", "--data", tmp_path / "data", chain / "chain.jsonl")
    ran = run_node_command("run", "--data", str(tmp_path / "data"), "--port", "0")
    assert ran.returncode == 1
    assert "the sealer key" in ran.stderr


def test_with_its_sealers_key_an_imported_chain_goes_on(chain: Path, tmp_path: Path) -> None:
    _command("import", "--data", tmp_path / "data", chain / "chain.jsonl")
    shutil.copy(chain / "data" / "sealer.key", tmp_path / "data" / "sealer.key")
    with RunningNode(tmp_path / "data") as node:
        assert node.send(OPERATOR, to=OPERATOR.address)["blockNumber"] == hex(len(_lines(chain)))


def test_another_coalitions_chain_is_refused(chain: Path, tmp_path: Path) -> None:
    _command("init", "--data", tmp_path / "data")
    refused = _command("import", "--data", tmp_path / "data", chain / "chain.jsonl")
    assert "another genesis" in str(refused.exception)


def _flip(text: str, at: int) -> str:
    return text[:at] + ("1" if text[at] != "1" else "2") + text[at + 1 :]


def _alter_header(lines: Lines) -> None:
    lines[4]["block"] = _flip(lines[4]["block"], 40)


def _alter_transaction(lines: Lines) -> None:
    lines[4]["block"] = _flip(lines[4]["block"], len(lines[4]["block"]) - 60)


def _alter_seal(lines: Lines) -> None:
    lines[4]["seal"] = _flip(lines[4]["seal"], 30)


def _swap_blocks(lines: Lines) -> None:
    lines[4], lines[5] = lines[5], lines[4]


def _leave_a_block_out(lines: Lines) -> None:
    del lines[4]


def _renumber(lines: Lines) -> None:
    lines[4]["block"] = lines[5]["block"]


def _not_hex(lines: Lines) -> None:
    lines[4]["block"] = lines[4]["block"].upper()


@pytest.mark.parametrize("change", [_alter_header, _alter_transaction, _alter_seal, _swap_blocks, _leave_a_block_out, _renumber, _not_hex])
def test_an_altered_file_is_refused_at_its_first_bad_block(chain: Path, tmp_path: Path, change: Callable[[Lines], None]) -> None:
    lines = _lines(chain)
    change(lines)
    (tmp_path / "altered.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    refused = _command("import", "--data", tmp_path / "data", tmp_path / "altered.jsonl")
    assert str(refused.exception).startswith("block 4: ")
    assert _command("import", "--data", tmp_path / "data", chain / "chain.jsonl").exit_code == 0, "the good blocks before it stay good"


def test_a_block_that_the_true_sealer_forged_is_refused(chain: Path, tmp_path: Path) -> None:
    """The seal holds and the parent fits: only execution tells."""
    lines = _lines(chain)
    key = DataDirectory(chain / "data").sealer_key()
    genesis_hash = bytes.fromhex(lines[0]["genesisHash"][2:])
    lines[4] |= _with_another_state_root(lines[4], key, genesis_hash)
    (tmp_path / "forged.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    refused = _command("import", "--data", tmp_path / "data", tmp_path / "forged.jsonl")
    assert str(refused.exception) == "block 4: re-execution gives another block (state_root)"


def _with_another_state_root(line: dict[str, Any], key: PrivateKey, genesis_hash: bytes) -> dict[str, Any]:
    from node.chain.blocks import Block
    from node.chain.following import decode_block

    block = decode_block(line["number"], bytes.fromhex(line["block"][2:]))
    forged = Block(block.header.copy(state_root=b"\x07" * 32), block.transactions)
    return {"block": "0x" + forged.raw.hex(), "seal": "0x" + seal(key, genesis_hash, forged.hash).hex()}


def test_an_altered_genesis_is_refused(chain: Path, tmp_path: Path) -> None:
    lines = _lines(chain)
    lines[0]["genesis"]["timestamp"] += 1
    (tmp_path / "altered.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    refused = _command("import", "--data", tmp_path / "data", tmp_path / "altered.jsonl")
    assert "is what follows from the genesis configuration" in str(refused.exception)
    assert not (tmp_path / "data").exists()


def test_nothing_stays_of_a_chain_whose_genesis_does_not_hold(chain: Path, tmp_path: Path) -> None:
    """Or the directory would be that chain's, and refuse the true one."""
    forgeries = {"genesisHash": "0x" + "11" * 32, "genesisSeal": "0x" + "11" * 65}
    for field, value in forgeries.items():
        lines = _lines(chain)
        lines[0][field] = value
        (tmp_path / "forged.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        refused = _command("import", "--data", tmp_path / "data", tmp_path / "forged.jsonl")
        assert str(refused.exception).startswith("block 0: ")
        assert not (tmp_path / "data").exists()
    assert _command("import", "--data", tmp_path / "data", chain / "chain.jsonl").exit_code == 0


def test_no_flipped_byte_and_no_torn_end_passes(chain: Path, tmp_path: Path) -> None:
    """Every outcome is a named refusal, or the very same chain (white space, a key's order)."""
    whole = (chain / "chain.jsonl").read_bytes()
    dice = random.Random(7_951)
    head = _command("verify", "--data", chain / "data").output.splitlines()[-1]
    for attempt in range(25):
        at = dice.randrange(len(whole))
        altered = whole[:at] if attempt % 3 == 0 else whole[:at] + bytes([whole[at] ^ (1 << dice.randrange(8))]) + whole[at + 1 :]
        (tmp_path / "altered.jsonl").write_bytes(altered)
        data = tmp_path / f"data {attempt}"
        done = _command("import", "--data", data, tmp_path / "altered.jsonl")
        if done.exit_code == 0:
            assert json.loads(done.output.splitlines()[-1])["head_hash"] == json.loads(head)["head_hash"]
        else:
            assert isinstance(done.exception, ChainError), done.exception


@pytest.mark.parametrize("content", [b"", b"\n", b"[]\n", b'{"format":"other/1"}\n', b'{"format":"splittally-chain/1"}\n', b"\xff\xfe"])
def test_a_file_that_is_no_chain_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    refused = _command("import", "--data", tmp_path / "data", tmp_path / "file")
    assert isinstance(refused.exception, ChainError)
    assert not (tmp_path / "data").exists()


def test_the_genesis_in_the_file_is_the_chains_own(chain: Path) -> None:
    config = parse_config((chain / "data" / "genesis.json").read_bytes().strip())
    assert _lines(chain)[0]["genesisHash"] == "0x" + genesis_block(config)[0].hash.hex()
