"""The main job on a reduced extract: every layer, real processes, one command."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import decode
from web3 import Web3

from scripts.demo import bonus
from scripts.demo.coalition import BONUS
from scripts.demo.sales import load_sales
from scripts.demo.showcase import VERIFIER
from tests.end_to_end import demo_run
from tests.recorded import main_job
from tests.recorded.data_files import assert_as_recorded

SUMMARY_KEYS = {"brands", "succession", "witnesses", "members", "payments", "breaks", "clearing", "audit", "ledger", "database", "seconds"}
BRAND_KEYS = {"issued", "redeemed", "refunded", "clawed_back", "expired", "outstanding"}
LEDGER_KEYS = {"rpc_url", "chain_id", "points_address", "blocks", "entries", "head_hash"}
TRANSFER_SINGLE = Web3.keccak(text="TransferSingle(address,address,address,uint256,uint256)")
VIEWS = [
    {
        "type": "function",
        "name": "balanceOf",
        "stateMutability": "view",
        "inputs": [{"name": "member", "type": "address"}, {"name": "lotId", "type": "uint256"}],
        "outputs": [{"name": "held", "type": "uint256"}],
    }
]


@pytest.fixture
def serving(data: Path, summary: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The same data directory once more, kept up."""
    again = data.with_suffix(".again.json")
    again.unlink(missing_ok=True)
    process = demo_run.start(data, "--json", str(again), *demo_run.REDUCED)
    try:
        import time

        deadline = time.monotonic() + 300
        while not again.exists() or not again.read_text().endswith("}\n"):
            assert process.poll() is None, data.with_suffix(".log").read_text()[-4000:]
            assert time.monotonic() < deadline
            time.sleep(0.2)
        yield json.loads(again.read_text())
    finally:
        process.terminate()
        process.wait(timeout=60)


def test_the_summary_has_its_stable_keys(summary: dict[str, Any]) -> None:
    assert set(summary) >= SUMMARY_KEYS
    assert len(summary["brands"]) >= 4
    assert all(set(brand) >= BRAND_KEYS for brand in summary["brands"].values())
    assert set(summary["ledger"]) >= LEDGER_KEYS
    assert set(summary["audit"]) == {str(number) for number in range(1, 14)}


def test_a_second_run_says_what_is_already_there(data: Path, serving: dict[str, Any]) -> None:
    told = data.with_suffix(".log").read_text()
    assert told.count(" is proposed") == told.count("members enroll") * 4 == 4
    assert told.count(" is already there") == told.count(" members are already there") * 4 >= 4
    assert told.count("the approvers look, and an hour later approve") == 1


def test_nothing_that_a_run_leaves_is_for_others(data: Path, summary: dict[str, Any]) -> None:
    assert [path for path in (data, *data.rglob("*")) if path.lstat().st_mode & 0o077 and not path.is_symlink()] == []


def test_no_place_of_the_operator_holds_a_second_persons_key(data: Path, summary: dict[str, Any]) -> None:
    """Neither the gateway's and the node's directories, database and logs, nor what this run wrote down of its answers."""
    files = (*(data / "second-people").glob("*/owner.key"), *(data / "witnesses").glob("*/key"))
    people = {file.parent.name: bytes.fromhex(file.read_text().strip().removeprefix("0x")) for file in files}
    assert {"guardian", "ann", "bea", "cyd", "owner-deli", "successor-deli", "grocer", "auditor"} <= set(people)
    their_own = {data / "second-people", data / "witnesses"}
    elsewhere = [path for path in data.rglob("*") if path.is_file() and their_own.isdisjoint(path.parents)]
    held = [path.read_bytes() for path in elsewhere]
    operators = bytes.fromhex((data / "gateway" / "operator.key").read_text().strip()[2:])
    assert any(operators.hex().encode() in content for content in held), "the scan finds what is there"
    for name, key in people.items():
        assert not any(form in content for form in (key, key.hex().encode()) for content in held), name


def test_it_ends_with_the_recorded_figures(summary: dict[str, Any]) -> None:
    assert_as_recorded("main_job/reduced", main_job.lasting(summary))


def test_one_brand_runs_off_with_a_successor(summary: dict[str, Any]) -> None:
    succession = summary["succession"]
    assert (succession["status"], succession["handed_over"]) == ("running_off", True)


def test_every_planted_break_is_found_and_no_other(summary: dict[str, Any]) -> None:
    assert summary["breaks"]["missed"] == []
    assert summary["breaks"]["false"] == []
    assert sum(summary["breaks"]["planted"].values()) > 0


def test_no_invariant_fails(summary: dict[str, Any]) -> None:
    assert all(verdict == "ok" or verdict.startswith("not applicable") for verdict in summary["audit"].values())


def test_points_are_issued_redeemed_across_brands_and_owed(summary: dict[str, Any]) -> None:
    assert all(brand["issued"] > 0 for brand in summary["brands"].values())
    assert summary["clearing"]["owed"]
    assert sum(net["points"] for net in summary["clearing"]["net"]) == 0
    assert sum(net["amount_minor"] for net in summary["clearing"]["net"]) == 0


def test_the_last_weeks_sales_of_the_deli_earn_another_issuers_bonus(data: Path, summary: dict[str, Any]) -> None:
    """Reckoned from the sales and from what of them was paid with points; neither agent is asked."""
    told, extract = summary["bonus"], load_sales(40, 35)
    week = [day for day in extract.by_day if (extract.last_day - day).days < bonus.DAYS]
    points: dict[str, int] = {}
    for day in week:
        paid = json.loads((data / "walk" / f"{day}.json").read_text())["paid_with_points_minor"]
        sold = [sale for sale in extract.by_day[day] if sale.brand == "deli"]
        points |= {sale.payment_id: BONUS.earns * (sale.gross_minor - paid.get(sale.payment_id, 0)) // 100 for sale in sold}
    earned = [each for each in points.values() if each]
    assert (told["sales"], told["points"], told["refused"]) == (len(earned), sum(earned), 0)
    assert told["budget_left"] == bonus.BUDGET_POINTS - sum(earned), "what was clawed back stays used"
    on_ledger = summary["brands"]["bonus"]
    assert (on_ledger["issued"], on_ledger["clawed_back"]) == (told["points"], told["clawed_back"])
    refund = json.loads((data / bonus.REFUND_FILE).read_text())
    assert 0 < told["clawed_back"] <= sum(earned)
    assert points[refund["payment_id"]] > 0, "a sale that earned a bonus was refunded"
    assert bonus.line(told) in data.with_suffix(".log").read_text()


def test_the_bonus_programme_alone_is_managed(data: Path, summary: dict[str, Any]) -> None:
    assert [slug for slug, brand in summary["brands"].items() if brand["managed"]] == ["bonus"]
    folder = data / "brands" / "bonus"
    assert (folder / "credentials" / bonus.CREDENTIAL).exists()
    assert not (folder / "agent" / "key").exists(), "the agent's own directory holds no key"
    assert "Managed: Town Bonus. The operator holds the key" in data.with_suffix(".log").read_text()


def test_the_ledger_worker_is_a_process_of_its_own(summary: dict[str, Any]) -> None:
    assert summary["processes"] == {"ledger_worker": 1, "api": 1}, "as the gateway is by default"


def test_receipts_of_the_run_are_genuine(summary: dict[str, Any]) -> None:
    assert summary["receipts"]["member"]["verified"]
    assert summary["receipts"]["entry"]["verified"]


def test_two_witnesses_countersign_and_receipts_name_them(data: Path, summary: dict[str, Any]) -> None:
    seen = summary["witnesses"]
    assert (seen["witnesses"], len(set(seen["countersigned_by"])), seen["anchored"]) == (2, 2, 2)
    logs = [[json.loads(entry) for entry in file.read_text().splitlines()] for file in (data / "witnesses").glob("*/checkpoints.jsonl")]
    assert {log[0]["witness"] for log in logs} == set(seen["countersigned_by"])
    assert all(seen["block_hash"] in (entry.get("block_hash") for entry in log) for log in logs)
    for name in ("member", "entry"):
        receipt = data / "receipts" / f"{name}.json"
        ledger = summary["ledger"]
        asked = ["--genesis-hash", ledger["genesis_hash"], "--sealer", ledger["sealer"], "--points-address", ledger["points_address"]]
        asked += ["--may-omit", *(part for witness in seen["countersigned_by"] for part in ("--witness", witness))]
        done = subprocess.run([sys.executable, VERIFIER, receipt, *asked], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    words = data.with_suffix(".log").read_text()
    assert f"Checkpoint of block {seen['block_number']} countersigned by 2 of 2 witnesses, anchored on the ledger" in words


def test_a_second_run_continues_and_a_stranger_with_the_abi_gets_the_same_sums(summary: dict[str, Any], serving: dict[str, Any]) -> None:
    assert serving["brands"] == summary["brands"]
    assert serving["ledger"]["entries"] == summary["ledger"]["entries"]
    outstanding = {brand["brand_id"]: brand["outstanding"] for brand in serving["brands"].values()}
    assert _outstanding_by_a_stranger(serving["ledger"]["rpc_url"], serving["ledger"]["points_address"]) == outstanding


def _outstanding_by_a_stranger(rpc_url: str, address: str) -> dict[int, int]:
    """Holders from the logs, sums by eth_call: knows nothing but the RPC address and the ABI."""
    ledger = Web3(Web3.HTTPProvider(rpc_url))
    logs = ledger.eth.get_logs({"address": Web3.to_checksum_address(address), "topics": [TRANSFER_SINGLE], "fromBlock": 0})
    holders = set()
    for log in logs:
        lot_id, _points = decode(["uint256", "uint256"], log["data"])
        holders.update((Web3.to_checksum_address(topic[-20:]), lot_id) for topic in log["topics"][2:4] if any(topic))
    contract = ledger.eth.contract(Web3.to_checksum_address(address), abi=VIEWS)
    sums: dict[int, int] = defaultdict(int)
    for member, lot_id in holders:
        sums[lot_id >> 32] += contract.functions.balanceOf(member, lot_id).call()
    return dict(sums)
