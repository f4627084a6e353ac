"""The figures of `scripts/bench gateway` under their published keys, what they are held against, and a table of both."""

from __future__ import annotations

from rich.table import Table

from scripts.benchmarks.figures import Figures
from scripts.benchmarks.targets import Target, looked_up

TARGETS = (
    Target("single_call: confirmed a second", "single_call.confirmed_per_s", 1_000),
    Target("single_call: ms to the agent's answer, p99", "single_call.answer_ms.p99", 150, downward=True),
    Target("single_call: ms to the ledger, p99", "single_call.confirm_ms.p99", 1_000, downward=True),
    Target("single_call: s until the last one sent is there", "single_call.waiting_s", 1, downward=True),
    Target("direct_call: confirmed a second", "direct_call.confirmed_per_s", 400),
    Target("bulk: entries confirmed a second", "bulk.confirmed_entries_per_s", 3_000),
    Target("redeem: pairs confirmed a second", "redeem.confirmed_per_s", 150),
    Target("read: balances a second", "read.per_s", 1_500, aim=2_500),
    Target("read: ms, p99", "read.p99_ms", 20, downward=True),
    Target("read while writing: balances a second", "read_while_writing.per_s", 400),
    Target("one at a time: ms to the ledger, p50", "one_at_a_time.confirm_ms.p50", 40, downward=True),
)
OTHERS = ("postgres", "anvil", "postgres_baseline")


def headlines(name: str, found: Figures) -> Figures:
    """A phase with its published figures first: rates from the closed part, times from the open one."""
    closed, opened = found.get("closed", found), found.get("open", found)
    times = {key: opened[key] for key in ("answer_ms", "confirm_ms") if key in opened}
    match name:
        case "bulk":
            first: Figures = {"confirmed_entries_per_s": rate_of(closed)}
        case "redeem":
            first = {"confirmed_per_s": round(rate_of(closed) / 2, 1)}
        case "read" | "read_while_writing":
            return {"per_s": closed["answered_per_s"], "p99_ms": opened["answer_ms"]["p99"], **found}
        case "one_at_a_time":
            return found if "confirm_ms" in found else {"confirm_ms": found["answer_ms"], **found}
        case _:
            first = {"confirmed_per_s": rate_of(closed)}
    return {**first, "waiting_s": closed.get("settled_after_s"), **times, **found}


def rate_of(part: Figures) -> float:
    """Entries that the ledger confirmed a second; answers, where there is no ledger."""
    return float(part["confirmed_per_s"] if "confirmed_per_s" in part else part["answered_per_s"])


def judged(figures: Figures) -> Figures:
    """Each bound and whether it was met."""
    return {target.key: {"bound": target.bound, "aim": target.aim, "met": target.met(figures)} for target in TARGETS}


def shown(figures: Figures) -> tuple[Table, ...]:
    return _table_of_targets(figures), _table_of_processor_time(figures)


def _table_of_targets(figures: Figures) -> Table:
    size, loads = figures["state"], figures["machine"]
    title = (
        f"{size['members']:,} members, {size['purchases']:,} earlier purchases; "
        f"load {loads['load_before'][0]} before, {loads['load_after'][0]} after"
    )
    table = Table(title=title)
    table.add_column("")
    for heading in ("measured", "bound", "aim", "", "on PostgreSQL", "on anvil", "a table"):
        table.add_column(heading, justify="right", no_wrap=True)
    for target in TARGETS:
        verdict = {True: "met", False: "missed", None: ""}[target.met(figures)]
        bound = f"{'≤' if target.downward else '≥'} {target.bound:,}"
        others = (_number(looked_up(figures.get(name) or {}, target.key)) for name in OTHERS)
        aim = "" if target.aim is None else f"{target.aim:,}"
        table.add_row(target.what, _number(looked_up(figures, target.key)), bound, aim, verdict, *others)
    return table


def _table_of_processor_time(figures: Figures) -> Table:
    """What one confirmed entry, or one read, costs."""
    table = Table(title="Processor milliseconds an item, closed, on SQLite and the embedded node; agents together")
    table.add_column("")
    for heading in ("node", "gateway", "agents", "client", "all"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, phase in figures.items():
        each = phase.get("closed", phase).get("cpu_ms_each") if isinstance(phase, dict) else None
        if each is not None:
            agents = sum(value for program, value in each.items() if program.startswith("agent-"))
            parts = (each.get("node", 0), each["gateway"], agents, each["client"])
            table.add_row(name, *(f"{value:.2f}" for value in (*parts, sum(parts))))
    return table


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
