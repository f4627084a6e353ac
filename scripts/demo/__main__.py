"""The main job: real sales become points on a durable ledger, are spent across brands, and are reconciled. Run it with `scripts/run`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from gateway.secret_files import UnsafeFile
from gateway.store.engine import UnfitDatabase
from scripts.demo import bonus
from scripts.demo.admission import state_criteria
from scripts.demo.arguments import parse
from scripts.demo.books import cut_off_of, reconcile_all
from scripts.demo.client import Refused
from scripts.demo.data_directory import DirectoryInUse, PortTaken, check_free, open_directory
from scripts.demo.engine import UnfitEngine
from scripts.demo.gateway_database import describe, url_of_run
from scripts.demo.generator.planning import make_plan
from scripts.demo.governing import veto_an_act
from scripts.demo.households import live_together
from scripts.demo.lot_acts import bring_along, fail_a_refund, keep_alive_by_activity, tell
from scripts.demo.processes import ProcessDied, Supervisor
from scripts.demo.rule_change import change_rule, tell_rule
from scripts.demo.sales import load_sales
from scripts.demo.seed import default_seed
from scripts.demo.showcase import keep_receipts, member_page, processes_of_gateway
from scripts.demo.succession import end_a_brand
from scripts.demo.summary import failures, show, summarize
from scripts.demo.walk import NotSettled, first_second, walk
from scripts.demo.witnesses import anchor_the_head, start_witnesses
from scripts.demo.world import World, onboard, seconds_of, start_world

console = Console(stderr=True, width=None if sys.stderr.isatty() else 120)


class OtherRun(Exception):
    """The directory holds a walk with other sales or another seed."""


def main() -> int:
    os.umask(0o077)  # keys, and what members bought
    arguments = parse()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        directory = open_directory(arguments.data, arguments.fresh)
        database_url = url_of_run(directory, arguments.database)
        with Supervisor(directory.root) as supervisor:
            return _run(arguments, directory, database_url, supervisor)
    except (DirectoryInUse, PortTaken, OtherRun, UnfitDatabase, UnfitEngine, ProcessDied, NotSettled, Refused, UnsafeFile) as problem:
        console.print(f"[bold red]{problem}[/]", highlight=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("Stopped. The same command continues where this one left off.")
        return 130


def _run(arguments: argparse.Namespace, directory: Any, database_url: str, supervisor: Supervisor) -> int:
    seconds: dict[str, float] = {}
    began = time.monotonic()
    extract = load_sales(arguments.households, arguments.days)
    seed = _seed_of_run(directory, arguments, extract.households, extract.days)
    plan = make_plan(extract.sales, seed, extract.first_day, cut_off_of(extract.last_day))
    ports = directory.ports({"gateway": arguments.port, "node": arguments.rpc_port})
    check_free({name: port for name, port in ports.items() if name != "node" or not arguments.rpc})
    console.print(f"{len(extract.sales):,} purchases of {extract.households} households, {extract.days} days, seed {seed}", highlight=False)
    with _phase(seconds, "start"):
        world = start_world(directory, supervisor, ports, database_url, first_second(extract), arguments.rpc)
    try:
        with _phase(seconds, "onboarding"):
            state_criteria(world)
            onboard(world, extract.households, lambda what: console.print(f"  {what}"))
            bonus.join(world)
            opening_file_id = bring_along(world)
            keep_alive_by_activity(world)
            start_witnesses(world)
        with _phase(seconds, "walk"), _progress() as bar:
            task = bar.add_task("Walking through the days", total=extract.days)
            days = list(extract.by_day)
            middle, before_evidence = days[len(days) // 2], bonus.begins_after(days)

            def walked(day: date, purchases: int) -> None:
                bar.update(task, advance=1, description=f"{day}  {purchases:,} purchases")
                if day == middle:
                    change_rule(world)
                if day == before_evidence:
                    bonus.begin(world)
                if day > before_evidence:
                    bonus.await_told(world)
                if not console.is_terminal and (day - extract.first_day).days % 7 == 6:
                    console.print(f"  {day}: {purchases:,} purchases", highlight=False)

            actuals = walk(world, extract, plan, str(seed), walked)
        with _phase(seconds, "reconciliation"):
            reconciled = reconcile_all(world, plan, actuals, seed, lambda what: console.print(f"  {what}"))
        with _phase(seconds, "households"):
            households = live_together(world)
        with _phase(seconds, "bonus"):
            bonus.take_back(world, actuals)
        with _phase(seconds, "succession"):
            governed, succession = veto_an_act(world), end_a_brand(world)
        with _phase(seconds, "lots"):
            lots = tell(world, opening_file_id, fail_a_refund(world, actuals.refunds))
        with _phase(seconds, "audit"):
            summary = summarize(world, actuals, reconciled, seed, seconds)
        summary["governance"] = governed
        summary["succession"] = succession
        summary["rule"] = tell_rule(world)
        summary["bonus"] = bonus.tell(world)
        summary["processes"] = processes_of_gateway(world)
        summary["lots"] = lots
        summary["households"] = {"paid_by_passkey": actuals.paid_by_passkey, "acts": households}
        with _phase(seconds, "checkpoint"):
            summary["witnesses"] = anchor_the_head(world)
        with _phase(seconds, "receipts"):
            receipts = keep_receipts(world, summary)
        seconds["total"] = seconds_of(began)
        summary["receipts"] = receipts
        summary["database"] = describe(database_url)
        show(summary, console)
        if arguments.json:
            arguments.json.write_text(json.dumps(summary, indent=1) + "\n")
        if not arguments.once:
            _serve(world)
        return 1 if failures(summary) else 0
    finally:
        world.close()


def _serve(world: World) -> None:
    """Keeps everything up until a signal comes."""
    console.print(
        f"\nAPI:         {world.gateway_url}/docs   (operator's key: {world.directory.gateway / 'operator-api.key'})",
        highlight=False,
        soft_wrap=True,
    )
    console.print(f"A member:    {world.gateway_url}{member_page(world)}", highlight=False, soft_wrap=True)
    console.print(f"Ledger RPC:  {world.rpc_url}", highlight=False, soft_wrap=True)
    console.print("Ctrl-C ends it; the same command continues on the same data.")
    while True:
        time.sleep(0.5)
        world.supervisor.check()


def _seed_of_run(directory: Any, arguments: argparse.Namespace, households: int, days: int) -> int:
    """The seed of this directory's walk; a second run on it continues the first, so it cannot be another walk."""
    kept = directory.read("run.json")
    asked = {"households": households, "days": days}
    if kept is None:
        kept = {"seed": default_seed() if arguments.seed is None else arguments.seed, **asked}
        directory.keep("run.json", kept)
    if {name: kept[name] for name in asked} != asked or arguments.seed not in (None, kept["seed"]):
        raise OtherRun(f"{directory.root} holds the walk {kept}; start anew with --fresh, or choose another --data")
    seed: int = kept["seed"]
    return seed


@contextmanager
def _phase(seconds: dict[str, float], name: str) -> Iterator[None]:
    started = time.monotonic()
    console.print(f"[bold]{name.capitalize()}[/] …")
    yield
    seconds[name] = seconds_of(started)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


if __name__ == "__main__":
    sys.exit(main())
