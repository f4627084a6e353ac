"""The summary of a run: a document with stable keys, and the same for a programme manager to read."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from scripts.demo import admission, agent_till, bonus, expiry, governing, lot_acts, policy, rule_change, showcase, witnesses
from scripts.demo.books import Reconciled
from scripts.demo.coalition import BY_ID, CURRENCY
from scripts.demo.till import Till
from scripts.demo.walk import Actuals
from scripts.demo.world import World


def summarize(world: World, actuals: Actuals, reconciled: Reconciled, seed: int, seconds: dict[str, float]) -> dict[str, Any]:
    """Asks the gateway and the node for everything that is reported; nothing here was remembered on the way."""
    clearing = world.operator.get("/v1/clearing")
    audit = world.operator.get("/v1/audit")
    coalition = world.operator.get("/v1/coalition")
    return {
        "seed": seed,
        "brands": brands_of_summary(world.operator.get("/v1/brands")),
        "members": len(world.members),
        "payments": reconciled.payment_records,
        "purchases": len(actuals.sales),
        "refused_operations": dict(actuals.refused),
        "breaks": {
            "planted": reconciled.score.planted,
            "found": dict(reconciled.found),
            "missed": reconciled.score.missed,
            "false": reconciled.score.false,
            "compounds_planted": reconciled.score.compounds_planted,
            "compounds_found": reconciled.score.compounds_found,
        },
        "reconciliations": reconciled.summaries,
        "clearing": {"currency": clearing["currency"], "owed": clearing["owed"], "net": clearing["net"]},
        "audit": audit["invariants"],
        "ledger": {
            "rpc_url": world.rpc_url,
            "chain_id": coalition["chain_id"],
            "coalition_id": coalition["coalition_id"],
            "genesis_hash": coalition["genesis_hash"],
            "client": world.clock.call("web3_clientVersion"),
            "sealer": coalition["sealer"],
            "points_address": coalition["points_address"],
            "sandbox": coalition["sandbox"],
            "blocks": coalition["head"]["block_number"],
            "entries": coalition["entries"],
            "head_hash": coalition["head"]["block_hash"],
        },
        "agents": {slug: _agent(till, actuals) for slug, till in world.tills.items() if till.agent is not None},
        "expiry_runs": expiry.tell(world),
        "admission": admission.tell(world),
        "seconds": seconds,
    }


def brands_of_summary(brands: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """All that the ledger knows: the demo's own by their slugs, and whoever has joined since then."""
    on_ledger = [brand for brand in brands if brand["status"] != "pending"]
    slugs = {brand_id: brand.slug for brand_id, brand in BY_ID.items()}
    return {slugs.get(brand["brand_id"], f"brand-{brand['brand_id']}"): _brand(brand) for brand in on_ledger}


def failures(summary: dict[str, Any]) -> list[str]:
    """What must not be in a good run."""
    found = [f"invariant {number}: {verdict}" for number, verdict in summary["audit"].items() if not _holds(verdict)]
    found += [f"missed break: {record}" for record in summary["breaks"]["missed"]]
    found += [f"{told['name']}'s agent: {alarm['detail']}" for told in summary["agents"].values() for alarm in told["status"]["alarms"]]
    stores = [told["second_store"] for told in summary["agents"].values() if told["second_store"] is not None]
    found += [f"{store['name']}: {alarm['detail']}" for store in stores for alarm in store["alarms"]]
    found += [f"{summary['bonus']['issuer']}'s agent: {alarm}" for alarm in summary["bonus"]["alarms"]]
    return found + [f"false break: {record}" for record in summary["breaks"]["false"]]


def show(summary: dict[str, Any], console: Console) -> None:
    """For people."""
    console.print()
    console.print(_points_table(summary))
    console.print(clearing_table(summary))
    console.print(_breaks_table(summary))
    breaks = summary["breaks"]
    console.print(f"Breaks missed: {len(breaks['missed'])}, reported without cause: {len(breaks['false'])}")
    for number, verdict in summary["audit"].items():
        style = "green" if verdict == "ok" else "yellow" if _holds(verdict) else "bold red"
        console.print(f"Invariant {number:>2}: [{style}]{verdict}[/]", highlight=False)
    ledger = summary["ledger"]
    console.print(
        f"Ledger: {ledger['entries']} entries in {ledger['blocks']} blocks, head {ledger['head_hash']}", highlight=False, soft_wrap=True
    )
    if ledger["sandbox"]:
        console.print("Sandbox: time is set at will on this chain and delays may be below days: it holds nothing of worth", highlight=False)
    database = summary["database"]
    console.print(f"The gateway's rows: {database['kind']} {database['version']}", highlight=False)
    console.print(witnesses.line(summary["witnesses"]), highlight=False)
    console.print(_receipts_line(summary["receipts"]), highlight=False)
    console.print(governing.line(summary["governance"]), highlight=False)
    console.print(admission.line(summary["admission"]), highlight=False, soft_wrap=True)
    console.print(_succession_line(summary["succession"]), highlight=False)
    for told in summary["agents"].values():
        console.print(agent_till.line(told), highlight=False, soft_wrap=True)
    console.print(expiry.line(summary), highlight=False)
    console.print(rule_change.line(summary["rule"]), highlight=False, soft_wrap=True)
    console.print(bonus.line(summary["bonus"]), highlight=False, soft_wrap=True)
    console.print(bonus.managed_line(summary["brands"]), highlight=False, soft_wrap=True)
    console.print(showcase.processes_line(summary["processes"]), highlight=False)
    for line in (*lot_acts.lines(summary["lots"]), *_household_lines(summary["households"])):
        console.print(line, highlight=False)
    console.print(f"How members paid: {policy.STATEMENT}", highlight=False)
    for problem in failures(summary):
        console.print(f"[bold red]{problem}[/]", highlight=False)


def _brand(view: dict[str, Any]) -> dict[str, Any]:
    points = view["points"]
    keys = ("issued", "opened", "redeemed", "refunded", "clawed_back", "expired", "outstanding")
    return {"brand_id": view["brand_id"], "name": view["name"], "managed": view["managed"], **{key: points[key] for key in keys}}


def _agent(till: Till, actuals: Actuals) -> dict[str, Any]:
    """How the agent says that it stands, and what its tills have sold."""
    assert till.agent is not None
    sold = sum(sale.brand == till.brand.slug for sale in actuals.sales)
    status = {name: value for name, value in till.agent.status().items() if name != "rules"}  # told apart
    return {"name": till.brand.name, "purchases": sold, "status": status, "second_store": _second_store(till, actuals)}


def _second_store(till: Till, actuals: Actuals) -> dict[str, Any] | None:
    """The same of the agent that only forwards."""
    assert till.agent is not None
    status = till.agent.store_status()
    if status is None:
        return None
    sold = sum(sale.brand == till.brand.slug and till.agent.is_at_store(sale.payment_id) for sale in actuals.sales)
    return {"name": till.brand.second_store, "purchases": sold, "waiting": sum(status["waiting"].values()), "alarms": status["alarms"]}


def _holds(verdict: str) -> bool:
    return verdict == "ok" or verdict.startswith("not applicable")


def _points_table(summary: dict[str, Any]) -> Table:
    table = Table(title="Points by issuing brand")
    for column in ("Brand", "issued", "opened", "redeemed", "point refunds", "clawed back", "expired", "outstanding"):
        table.add_column(column, justify="left" if column == "Brand" else "right")
    for brand in summary["brands"].values():
        figures = (brand[key] for key in ("issued", "opened", "redeemed", "refunded", "clawed_back", "expired", "outstanding"))
        table.add_row(brand["name"], *(f"{figure:,}" for figure in figures))
    return table


def clearing_table(summary: dict[str, Any]) -> Table:
    """Row owes column: every brand of the coalition, so that the net positions sum to zero."""
    brands = summary["brands"].values()
    table = Table(title=f"Who owes whom ({CURRENCY}): the row's brand owes the column's")
    table.add_column("Issuer")
    for brand in brands:
        table.add_column(brand["name"], justify="right")
    table.add_column("Net position", justify="right")
    owed = {(one["issuer_id"], one["acceptor_id"]): one["amount_minor"] for one in summary["clearing"]["owed"]}
    net = {one["brand_id"]: one["amount_minor"] for one in summary["clearing"]["net"]}
    for issuer in brands:
        row = [_money(owed.get((issuer["brand_id"], acceptor["brand_id"]), 0)) for acceptor in brands]
        table.add_row(issuer["name"], *row, _money(net.get(issuer["brand_id"], 0)))
    return table


def _breaks_table(summary: dict[str, Any]) -> Table:
    table = Table(title=f"Breaks among {summary['payments']:,} payment records")
    for column in ("Kind", "planted", "found"):
        table.add_column(column, justify="left" if column == "Kind" else "right")
    breaks = summary["breaks"]
    for kind in sorted({*breaks["planted"], *breaks["found"]}):
        table.add_row(kind.replace("_", " "), str(breaks["planted"].get(kind, 0)), str(breaks["found"].get(kind, 0)))
    return table


def _receipts_line(receipts: dict[str, Any]) -> str:
    why = next((one["reason"] for one in receipts.values() if one["file"] is None), None)
    return f"Receipts: none. {why}" if why else f"Receipts verified: {', '.join(name for name, one in receipts.items() if one['verified'])}"


def _succession_line(end: dict[str, Any]) -> str:
    by = (
        "its owner and a successor have both signed that it changes hands and issues no more"
        if end["handed_over"]
        else "its owner is the same"
    )
    return f"{end['name']} runs off until {end['last_day']}, approved by two second people; {by}"


def _household_lines(households: dict[str, Any]) -> list[str]:
    lines = [f"Paid with a passkey: {households['paid_by_passkey']:,} purchases"]
    acts = households["acts"]
    if acts is None:
        return [*lines, "Households: too few members had the points for a pool, a grant, a spend lock and a transfer"]
    pool, grant, spend_lock, moved = (acts[name] for name in ("pool", "brand_grant", "spend_lock", "transfer"))
    shared = f"{pool['own_points']} points of the shopper's own and {pool['granted_points']} of another member's, who had granted them"
    asked = f"{grant['redeemed']} points without a prompt; {grant['asked_above']} were refused ({grant['refused']})"
    waited = f"unlocking waited {spend_lock['delay_days']} day(s), then {spend_lock['redeemed_after']} points were spent"
    both = f"{moved['points']} points of {moved['lots']} lot(s) went to another member; both had signed ({moved['status']})"
    return [
        *lines,
        f"Household pool: a purchase at {pool['brand']} took {shared} ({pool['status']})",
        f"Grant to a brand: {grant['brand']} took {asked}",
        f"Spend lock: a redemption was refused ({spend_lock['refused']}); {waited}",
        f"Transfer: {both}, and what they signed was good once ({moved['again']})",
    ]


def _money(minor: int) -> str:
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100:,}.{abs(minor) % 100:02d}"
