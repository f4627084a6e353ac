"""The figures of `scripts/bench ledger` under their published keys, what they are held against, and a table of both."""

from __future__ import annotations

from statistics import median

from rich.table import Table

from scripts.benchmarks.figures import Figures
from scripts.benchmarks.redeeming import WAYS, By
from scripts.benchmarks.targets import Target, looked_up

_WAYS_SHOWN: dict[By, str] = {
    "key": "by a member's key",
    "passkey": "by a passkey",
    "brand_grant": "under a grant to the brand",
    "member_grant": "under a grant to another member",
}


TARGETS = (
    Target("entries/s, batches of 1,000, existing members", "batched_existing.entries_per_s", 2_500, aim=4_000),
    Target("× stock py-evm, same blocks", "ratios.batched_to_stock", 4),
    Target("× one transaction an entry on stock py-evm", "ratios.batched_to_stock_single", 10),
    Target("× anvil, same blocks", "ratios.batched_to_anvil", 1),
    Target("transactions/s of one entry, 100 a block", "single.transactions_per_s", 300, aim=600),
    Target("ms to commit 1,000 entries, p99", "commit_ms.p99", 40, downward=True),
    Target("ms for a balance's proof, p50", "proof_ms.p50", 1.5, downward=True),
    Target("ms from sending one entry to its durable receipt, p50", "one_at_a_time_ms.p50", 15, downward=True),
)


def report(taken: Figures) -> Figures:
    """What the phases measured, under published keys; the whole of it stands in `details`."""
    rounds = taken["rounds"]
    figures: Figures = {
        "machine": taken["machine"],
        "members": taken["members"],
        "batched_existing": {
            "entries_per_s": taken["sustained"]["entries_per_s"],
            "stock_entries_per_s": _rate(rounds["stock"]),
            "anvil_entries_per_s": _rate(rounds["anvil"]),
            "pyrevm_entries_per_s": _rate(rounds["revm"]),
            "in_turns_entries_per_s": _rate(rounds["node"]),
            "burst_entries_per_s": _rate(taken["burst"]),
            "burst_anvil_entries_per_s": _rate(taken["burst"]["anvil"]),
            "http_entries_per_s": _rate(taken["over_http"]["batched_existing"]),
            "sustained_seconds": taken["sustained"]["seconds"],
            "entries_per_cpu_s": taken["sustained"]["entries_per_cpu_s"],
        },
        "batched_new": taken["batched_new"],
        "single": {
            "transactions_per_s": _rate(rounds["single"]),
            "stock_transactions_per_s": _rate(rounds["single_plain"]),
            "stock_same_transactions_per_s": _rate(rounds["single_stock"]),
            "anvil_transactions_per_s": _rate(rounds["single_anvil"]),
            "at_once_transactions_per_s": _rate(taken["singles_at_once"]),
        },
        "smaller_batches": taken["smaller_batches"],
        "redemptions": {f"{way}_per_s": _rate(taken["redemptions"][way]) for way in WAYS},
        "gas": taken["gas"],
        "one_at_a_time_ms": {**taken["one_at_a_time_ms"], "http": taken["over_http"]["one_at_a_time_ms"]},
        "commit_ms": taken["commit_ms"],
        "proof_ms": {**taken["proof_ms"], "http": taken["over_http"]["proof_ms"]},
        "ratios": {
            "batched_to_stock": _ratio(rounds["node"], rounds["stock"]),
            "batched_to_stock_cpu": _ratio(rounds["node"], rounds["stock"], "entries_per_cpu_s"),
            "batched_to_anvil": _ratio(rounds["node"], rounds["anvil"]),
            "batched_to_anvil_cpu": _ratio(rounds["node"], rounds["anvil"], "entries_per_cpu_s"),
            "batched_to_stock_single": _ratio(rounds["node"], rounds["single_plain"]),
            "batched_to_stock_single_cpu": _ratio(rounds["node"], rounds["single_plain"], "entries_per_cpu_s"),
            "burst_to_anvil": _ratio(taken["burst"], taken["burst"]["anvil"]),
            "single_to_stock_single": _ratio(rounds["single"], rounds["single_plain"]),
            "single_to_stock_same": _ratio(rounds["single"], rounds["single_stock"]),
            "single_to_anvil": _ratio(rounds["single"], rounds["single_anvil"]),
        },
        "same_state": {"stock": True, "anvil": taken["same_on_anvil"]},
        "left_out": taken["left_out"],
        "details": {key: taken[key] for key in ("sustained", "rounds", "burst", "redemptions", "over_http")},
    }
    figures["targets"] = {target.key: {"bound": target.bound, "aim": target.aim, "met": target.met(figures)} for target in TARGETS}
    return figures


def shown(figures: Figures) -> tuple[Table, ...]:
    return _table_of_targets(figures), _table_of_engines(figures), _table_of_redemptions(figures), _table_of_gas(figures)


def _table_of_targets(figures: Figures) -> Table:
    loads = figures["machine"]
    title = f"{figures['members']:,} members, on disk with fsync; load {loads['load_before'][0]} before, {loads['load_after'][0]} after"
    table = Table(title=title)
    table.add_column("")
    for heading in ("measured", "bound", "aim", ""):
        table.add_column(heading, justify="right", no_wrap=True)
    for target in TARGETS:
        value, met = looked_up(figures, target.key), target.met(figures)
        bound = f"{'≤' if target.downward else '≥'} {target.bound:,}"
        verdict = {True: "met", False: "missed", None: ""}[met]
        table.add_row(target.what, _number(value), bound, "" if target.aim is None else f"{target.aim:,}", verdict)
    return table


def _table_of_engines(figures: Figures) -> Table:
    table = Table(title="Entries a second by engine, same transactions and state")
    table.add_column("")
    for heading in ("node", "stock py-evm", "anvil", "revm alone"):
        table.add_column(heading, justify="right", no_wrap=True)
    batched, single = figures["batched_existing"], figures["single"]
    rows = (
        ("batches of 1,000, sustained", batched["entries_per_s"], None, None, None),
        ("batches of 1,000, in turns", *(batched[f"{name}entries_per_s"] for name in ("in_turns_", "stock_", "anvil_", "pyrevm_"))),
        ("batches of 1,000, seven a block", batched["burst_entries_per_s"], None, batched["burst_anvil_entries_per_s"], None),
        ("batches of 1,000, over HTTP", batched["http_entries_per_s"], None, None, None),
        ("batches of 1,000, new members", figures["batched_new"]["entries_per_s"], None, None, None),
        *((f"batches of {row['batch']}", row["entries_per_s"], None, None, None) for row in figures["smaller_batches"]),
        ("single, 100 a block", *(single[f"{name}transactions_per_s"] for name in ("", "stock_same_", "anvil_")), None),
        ("single, plain ERC-1155", None, single["stock_transactions_per_s"], None, None),
        ("single, all at once", single["at_once_transactions_per_s"], None, None, None),
    )
    for name, *values in rows:
        table.add_row(name, *map(_number, values))
    return table


def _table_of_redemptions(figures: Figures) -> Table:
    table = Table(title="Redemptions a second, each with its own consent or grant")
    table.add_column("")
    table.add_column("node", justify="right", no_wrap=True)
    for way in WAYS:
        table.add_row(_WAYS_SHOWN[way], _number(figures["redemptions"][f"{way}_per_s"]))
    return table


def _table_of_gas(figures: Figures) -> Table:
    table = Table(title="Gas by act, calldata included; of entries what one more adds to a batch")
    table.add_column("whose")
    table.add_column("act")
    table.add_column("gas", justify="right", no_wrap=True)
    for whose, acts in figures["gas"].items():
        for number, (act, gas) in enumerate(acts.items()):
            shown_act = f"a batch of {int(act):,} issues" if whose == "batches" else act
            table.add_row("" if number else whose, shown_act, f"{gas:,}", end_section=number == len(acts) - 1)
    return table


def _rate(figures: Figures | None) -> float | None:
    return None if figures is None else float(figures["entries_per_s"])


def _ratio(one: Figures, other: Figures | None, key: str = "entries_per_s") -> float | None:
    """Of what ran in turns, the median of the turns: a burst of other load on the machine then spoils one of them only."""
    if other is None:
        return None
    pairs = zip(one.get("runs", [one]), other.get("runs", [other]), strict=True)
    return round(float(median(mine[key] / theirs[key] for mine, theirs in pairs)), 2)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
