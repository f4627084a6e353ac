"""Whatever a primary sends or does not send, a replica says so and stops, or goes on: it never stands still in silence."""

import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.chain import rlp
from node.chain.errors import ChainError, StoreFailed
from node.chain.ports import Table
from node.config import DataDirectory
from node.opening import sole_user
from node.replica.follower import Follower, ReplicaFailed
from node.replica.primary import Primary, PrimaryUnreachable
from tests.node.replica.processes import Instead, Lie, RunningReplica, Trickle, Withheld, lying, replica_of
from tests.node.replica.two_stories import begin_two_stories
from tests.node.running_node import RpcFailure, RunningNode, run_node_command
from tests.node.sealed_chain import NOBODY, OPERATOR
from tests.node.small_disk import small_disk

ARGUMENTS = ("--operator", OPERATOR.address)
IN_THE_HEADERS = b"HTTP/1.1 200 OK\r\nx-filler: "
IN_THE_BODY = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n["
CREDENTIALS = "replica:open-sesame"


@pytest.fixture
def primary(tmp_path: Path) -> Iterator[RunningNode]:
    with RunningNode(tmp_path / "primary", ARGUMENTS) as running:
        running.send(OPERATOR, to=NOBODY, value=1)
        yield running


def _nested(levels: int) -> str:
    data = b""
    for _ in range(levels):
        data = rlp.list_of(data)
    return "0x" + data.hex()


def _instead_of_block(number: int, answer: Any) -> Lie:
    def lie(method: str, params: list[Any], result: Any) -> Any:
        return answer if (method, params) == ("debug_getRawBlock", [hex(number)]) else result

    return lie


def test_a_block_of_lists_within_lists_is_refused(primary: RunningNode, tmp_path: Path) -> None:
    lie = _instead_of_block(1, _nested(100_000))
    with lying(primary.url, lie) as url, RunningReplica(tmp_path / "replica", replica_of(url)) as replica:
        assert "block 1: it cannot be decoded: its lists are nested more than 16 deep" in replica.refusal()


def test_a_transaction_of_lists_within_lists_is_refused(primary: RunningNode) -> None:
    with pytest.raises(RpcFailure, match="transaction cannot be decoded") as refused:
        primary.call("eth_sendRawTransaction", _nested(100_000))
    assert refused.value.code == -32000


def test_an_answer_of_lists_within_lists_is_no_answer(primary: RunningNode, tmp_path: Path) -> None:
    def lie(method: str, params: list[Any], result: Any) -> Any:
        raise Instead(b"[" * 5_000_000)

    with lying(primary.url, lie) as url:
        ran = run_node_command("run", "--data", str(tmp_path / "replica"), "--port", "0", *replica_of(url))
    assert (ran.returncode, "does not speak JSON-RPC" in ran.stderr) == (1, True)


def test_a_refusal_that_cannot_be_kept_is_one_all_the_same(primary: RunningNode, tmp_path: Path) -> None:
    (tmp_path / "replica" / "refused.json" / "in the way").mkdir(parents=True)
    with lying(primary.url, _instead_of_block(1, "0xc0")) as url, RunningReplica(tmp_path / "replica", replica_of(url)) as replica:
        said = replica.refusal()
    assert "block 1: it cannot be decoded" in said
    assert "it could not be kept in" in said
    assert not list((tmp_path / "replica").glob("refused.new"))


def test_on_a_full_disk_a_refusal_is_one_all_the_same_and_earlier_evidence_stays(primary: RunningNode, tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk", megabytes=16) as disk,
        lying(primary.url, _instead_of_block(2, "0xc0")) as url,
        RunningReplica(disk.path / "replica", replica_of(url)) as replica,
    ):
        replica.wait_for_block(1)
        (replica.data / "refused.json").write_text("of an earlier time")
        disk.fill(leave_bytes=0)
        primary.send(OPERATOR, to=NOBODY, value=1)
        assert re.search(r"block 2: it cannot be decoded.*it could not be kept in .*No space left on device", replica.refusal())
        assert (replica.data / "refused.json").read_text() == "of an earlier time"


def test_a_primary_that_rewrote_history_and_hides_it_is_refused(tmp_path: Path) -> None:
    begin_two_stories(tmp_path)

    def lie(method: str, params: list[Any], result: Any) -> Any:
        if method == "debug_getRawBlock":
            raise Withheld
        return result

    with RunningNode(tmp_path / "other story", ARGUMENTS) as other:
        other.send(OPERATOR, to=NOBODY, value=3)
        with lying(other.url, lie) as url, RunningReplica(tmp_path / "replica", replica_of(url)) as replica:
            assert "block 2: the primary rewrote history" in replica.refusal()
    evidence = json.loads((tmp_path / "replica" / "refused.json").read_text())
    assert evidence["theirs"] is None
    assert evidence["ours"]["block"].startswith("0x")


@pytest.mark.parametrize("beginning", [IN_THE_HEADERS, IN_THE_BODY], ids=["headers", "body"])
def test_an_answer_that_trickles_in_is_given_up(primary: RunningNode, beginning: bytes) -> None:
    def lie(method: str, params: list[Any], result: Any) -> Any:
        raise Trickle(beginning)

    with lying(primary.url, lie) as url, Primary(url, answer_seconds=1) as asked:
        with pytest.raises(PrimaryUnreachable, match="takes more than 1 s for an answer"):
            asked.head_and_header(0)
        with pytest.raises(PrimaryUnreachable, match="takes more than 1 s for an answer"):
            asked.head_and_header(0)
    with Primary(primary.url, answer_seconds=30) as asked:
        assert asked.head_and_header(0)[0] == 1


@pytest.mark.parametrize("beginning", [IN_THE_HEADERS, IN_THE_BODY], ids=["headers", "body"])
def test_a_replica_stops_while_an_answer_trickles_in(primary: RunningNode, tmp_path: Path, beginning: bytes) -> None:
    trickles = threading.Event()

    def lie(method: str, params: list[Any], result: Any) -> Any:
        if method == "debug_getRawBlock":
            trickles.set()
            raise Trickle(beginning)
        return result

    with lying(primary.url, lie) as url, RunningReplica(tmp_path / "replica", replica_of(url)) as replica:
        assert trickles.wait(60)
        assert replica.call("eth_blockNumber") == "0x0"
        started = time.monotonic()
        assert replica.stop() == 0
        assert time.monotonic() - started < 40


def test_neither_answers_nor_evidence_show_the_primarys_credentials(primary: RunningNode, tmp_path: Path) -> None:
    forge = threading.Event()

    def lie(method: str, params: list[Any], result: Any) -> Any:
        return "0xc0" if forge.is_set() and (method, params) == ("debug_getRawBlock", ["0x2"]) else result

    with lying(primary.url, lie, CREDENTIALS) as url:
        with_credentials = url.replace("//", f"//{CREDENTIALS}@") + "/?key=open-sesame"
        with RunningReplica(tmp_path / "replica", replica_of(with_credentials)) as replica:
            replica.wait_for_block(1)
            with pytest.raises(RpcFailure, match=f"send it to {url}") as refused:
                replica.call("eth_sendRawTransaction", primary.signed(OPERATOR, to=NOBODY))
            forge.set()
            primary.send(OPERATOR, to=NOBODY, value=1)
            said = replica.refusal()
        without = run_node_command(
            "run", "--data", str(tmp_path / "none"), "--port", "0", *replica_of(url.replace("//", "//a:open-sesame@"))
        )
    evidence = (tmp_path / "replica" / "refused.json").read_text()
    assert json.loads(evidence)["primary"] == url + "/"
    assert without.returncode == 1
    for shown in (refused.value.message, said, evidence, without.stderr):
        assert "open-sesame" not in shown


@pytest.mark.parametrize(
    "url",
    ["http://a:open-sesame@[x", "http://a:open-sesame@host:port", "http://a:?open-sesame@h", "gopher://a:open-sesame@h", "a:open-sesame@h"],
)
def test_an_address_that_is_none_is_not_quoted_with_its_credentials(tmp_path: Path, url: str) -> None:
    ran = run_node_command("run", "--data", str(tmp_path / "replica"), "--port", "0", *replica_of(url))
    assert ran.returncode == 1
    assert "open-sesame" not in ran.stderr


def _followed_until_it_stops(data: Path, url: str, spoil: Any) -> ChainError | None:
    """What a follower says that stopped by itself, `spoil` having been at its history."""
    stopped = threading.Event()
    with sole_user(DataDirectory(data)) as history, Primary(url) as primary:
        spoil(history)
        follower = Follower(history, primary, data / "refused.json", (), stopped.set)
        follower.start()
        try:
            assert stopped.wait(60), "the follower went on, or ended in silence"
        finally:
            follower.stop()
        return follower.refusal


def test_a_replica_whose_own_disk_fails_has_no_evidence_against_its_primary(primary: RunningNode, tmp_path: Path) -> None:
    with RunningReplica(tmp_path / "replica", replica_of(primary.url)) as replica:
        replica.wait_for_block(1)
        replica.stop()
    primary.send(OPERATOR, to=NOBODY, value=1)

    def overwrite_the_state(history: Any) -> None:
        history.store.commit({Table.STATE: {history.head.state_root: b"\x80"}})

    refusal = _followed_until_it_stops(tmp_path / "replica", primary.url, overwrite_the_state)
    assert isinstance(refusal, StoreFailed)
    assert "is corrupt" in str(refusal)
    assert not (tmp_path / "replica" / "refused.json").exists()


def test_a_defect_of_the_followers_own_ends_the_replica(primary: RunningNode, tmp_path: Path) -> None:
    with RunningReplica(tmp_path / "replica", replica_of(primary.url)) as replica:
        replica.wait_for_block(1)
        replica.stop()
    primary.send(OPERATOR, to=NOBODY, value=1)

    def lose_the_configuration(history: Any) -> None:
        history.config = None

    refusal = _followed_until_it_stops(tmp_path / "replica", primary.url, lose_the_configuration)
    assert isinstance(refusal, ReplicaFailed)
    assert "the replica failed after block 1: AttributeError" in str(refusal)
