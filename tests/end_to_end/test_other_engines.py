"""The main job on an engine that somebody else started comes to the same totals as on the node of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gateway.chain.operator_key import load_account
from scripts.demo.sales import load_sales
from scripts.demo.walk import first_second
from tests.conformance.clients.outside import anvil
from tests.depth import at_soak_alone
from tests.end_to_end import demo_run
from tests.end_to_end.demo_run import totals
from tests.node.running_node import RunningNode

BEGINNING = first_second(load_sales())


def run_on(url: str, data: Path, *arguments: str) -> dict[str, Any]:
    return demo_run.run_once(data, "--rpc", url, "--seed", demo_run.SEED, *(arguments or demo_run.REDUCED))


def test_anvil_carries_the_main_job_to_the_same_totals(summary: dict[str, Any], tmp_path: Path) -> None:
    with anvil() as engine:
        on_anvil = run_on(engine.url, tmp_path / "demo")
    assert totals(on_anvil) == totals(summary)
    assert on_anvil["ledger"]["client"].startswith("anvil/")
    assert on_anvil["ledger"]["coalition_id"] != summary["ledger"]["coalition_id"]
    assert not list((tmp_path / "demo" / "node").glob("*"))


def test_an_engine_without_seals_gives_no_receipt_and_says_why(tmp_path: Path) -> None:
    with anvil() as engine:
        on_anvil = run_on(engine.url, tmp_path / "demo", "--households", "12", "--days", "5")
    assert on_anvil["ledger"]["sealer"] is None
    assert on_anvil["witnesses"] is None
    for receipt in on_anvil["receipts"].values():
        assert receipt["file"] is None
        assert receipt["verified"] is None
        assert "carry no seal" in receipt["reason"]


def test_a_walk_begun_on_one_chain_is_not_continued_on_another(tmp_path: Path) -> None:
    short = ("--households", "12", "--days", "3")
    with anvil() as engine:
        run_on(engine.url, tmp_path / "demo", *short)
    with anvil() as engine:
        complaint = refused(engine.url, tmp_path / "demo", *short)
    assert "knows nothing of" in complaint
    assert "--fresh" in complaint


def test_the_projects_node_started_by_hand_is_an_engine_like_any_other(tmp_path: Path) -> None:
    by_hand = _by_hand(tmp_path, "--households", "12", "--days", "5")
    assert by_hand["breaks"]["missed"] == by_hand["breaks"]["false"] == []


@at_soak_alone
def test_the_projects_node_started_by_hand_comes_to_the_same_totals(summary: dict[str, Any], tmp_path: Path) -> None:
    assert totals(_by_hand(tmp_path, *demo_run.REDUCED)) == totals(summary)


def _by_hand(tmp_path: Path, *arguments: str) -> dict[str, Any]:
    data = tmp_path / "demo"
    with RunningNode(tmp_path / "first", ("--sandbox", "--timestamp", str(BEGINNING))) as unfunded:
        complaint = refused(unfunded.url, data, *arguments)
    operator = load_account(data / "gateway" / "operator.key").address
    assert operator in complaint
    assert "Send it 10 ether" in complaint
    with RunningNode(tmp_path / "second", ("--sandbox", "--timestamp", str(BEGINNING), "--operator", operator)) as node:
        by_hand = run_on(node.url, data, *arguments)
    assert by_hand["receipts"]["member"]["verified"]
    assert by_hand["receipts"]["entry"]["verified"]
    return by_hand


def refused(url: str, data: Path, *arguments: str) -> str:
    """What a run that ends with 1 says."""
    data.with_suffix(".log").unlink(missing_ok=True)
    process = demo_run.start(data, "--once", "--rpc", url, "--seed", demo_run.SEED, *arguments)
    assert process.wait(timeout=120) == 1
    return data.with_suffix(".log").read_text()
