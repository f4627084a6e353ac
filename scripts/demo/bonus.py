"""A bonus programme that sells nothing: the operator runs its agent and holds its key (managed). In the last week of the walk the deli's
agent tells it of sales by evidence, and it gives points of its own for them, within the budget that it granted.

Every day of that week waits until all that was told is on the ledger: what members have the next day does not depend on who is faster.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway.brand_agent.tills import OF_A_TILL, Scope
from gateway.secret_files import read_secret
from scripts.demo.agent_till import AgentTill
from scripts.demo.client import Client, Refused
from scripts.demo.coalition import BONUS, BRANDS, BY_SLUG
from scripts.demo.engine import HOST
from scripts.demo.generator.actuals import PaidSale
from scripts.demo.processes import ROOT, healthy
from scripts.demo.rule_change import SignedRule, bring_into_force, must_run
from scripts.demo.second_people import addresses
from scripts.demo.till import till_token
from scripts.demo.walk import ZONE, Actuals
from scripts.demo.world import EVIDENCE_FILE, World, publisher_of

SELLER = BY_SLUG["deli"]
BUDGET_POINTS = 1_500
DAYS = 7  # the last of the walk
CREDENTIAL = "batch-key"
REFUND_FILE = "bonus-refund.json"
OWNER = f"owner-{BONUS.slug}"
_SECONDS = 120.0
_LOOK_AGAIN_SECONDS = 0.05


def join(world: World) -> None:
    """`splittally brand init --managed`, two approvers, and the shops' owners, who take its points."""
    if not _credential(world).exists():
        _init(world)
    path = f"/v1/brands/{BONUS.brand_id}"
    world.second_people.carry_out([world.operator.get(path)["operation_id"]])
    (key,) = world.operator.get(path)["keys"]
    api_key, _, _ = read_secret(_agent_folder(world) / "gateway_key").partition(".")
    world.second_people.publish(BONUS.brand_id, OWNER, 1, key["key_address"], api_key)
    for brand in BRANDS:
        if world.operator.get(f"/v1/brands/{brand.brand_id}")["owner_acts"] < len(BRANDS):  # its others, and this one
            world.second_people.take_points_of(BONUS.brand_id, brand.brand_id, f"owner-{brand.slug}", brand.points_limit)


def begin(world: World) -> None:
    """The two agents get to know each other; whatever of it was done by a run before is not done again."""
    folder = world.directory.brand(SELLER.slug)
    tills = _agent_folder(world) / "tills.json"
    till_token(folder / "evidence_token", tills, SELLER.slug, frozenset({Scope.EVIDENCE}))
    if not (folder / EVIDENCE_FILE).exists():
        with world.supervisor.away(f"signer-{SELLER.slug}"):
            _name_each_other(world)
    settings = _agent_folder(world) / "agent.json"
    world.supervisor.start(
        f"signer-{BONUS.slug}",
        ["-m", "gateway.brand_agent", "--config", str(settings)],
        lambda: healthy(_url(world)),
        restart=True,
        variables={"CREDENTIALS_DIRECTORY": str(_credential(world).parent)},  # as the system hands it to a service
    )
    token = till_token(world.directory.brand(BONUS.slug) / "till" / "token", tills, "till", OF_A_TILL)
    world.bonus = AgentTill(Client(_url(world), token, world.supervisor.check))
    bring_into_force(world, BONUS, SignedRule(1, BONUS.earns, 100, settings, _agent_folder(world) / "gateway_key"))


def await_told(world: World) -> None:
    """Until all that the seller's agent has to tell was taken or refused, and what was taken is on the ledger."""
    seller, bonus = world.tills[SELLER.slug].agent, world.bonus
    assert seller is not None
    assert bonus is not None
    until = time.monotonic() + _SECONDS
    while seller.status()["evidence_to"][0]["waiting"] or sum(bonus.status()["waiting"].values()):
        if time.monotonic() > until:
            raise Refused(503, {"code": "evidence_waits", "detail": f"{BONUS.name} is not told of all sales: see both agents' logs"})
        world.supervisor.check()
        time.sleep(_LOOK_AGAIN_SECONDS)


def take_back(world: World, actuals: Actuals) -> None:
    """The last sale that earned a bonus is refunded after the walk, whole: the seller's evidence of that takes the bonus back."""
    body = world.directory.read(REFUND_FILE)
    if body is None:
        refunded = {refund.payment_id for refund in actuals.refunds}
        sold = [sale for sale in actuals.sales if sale.brand == SELLER.slug and sale.payment_id not in refunded]
        body = _refund_body(world, sold)
        world.directory.keep(REFUND_FILE, body)
    seller = world.tills[SELLER.slug].agent
    if body and seller is not None:
        seller.refund([body])
        await_told(world)


def tell(world: World) -> dict[str, Any]:
    """What came of it: the ledger's entries as the gateway has them, the budget as the issuer's agent has it."""
    bonus, seller = world.bonus, world.tills[SELLER.slug].agent
    assert bonus is not None
    assert seller is not None
    status = bonus.status()
    (budget,) = status["partners"]
    client = Client(world.gateway_url, read_secret(_agent_folder(world) / "gateway_key"), world.supervisor.check)
    try:
        issued, clawed_back = (_points_of(client, kind) for kind in ("issue", "clawback"))
    finally:
        client.close()
    return {
        "issuer": BONUS.name,
        "seller": SELLER.name,
        "sales": len(issued),
        "points": sum(issued),
        "clawed_back": sum(clawed_back),
        "refused": seller.status()["evidence_to"][0]["refused"],
        "budget_points": budget["budget_points"],
        "budget_left": budget["budget_points"] - budget["points"],
        "alarms": [alarm["detail"] for alarm in status["alarms"]],
    }


def line(told: dict[str, Any]) -> str:
    """For people."""
    took = f"{told['issuer']} gave {told['points']:,} points for {told['sales']:,} sales of {told['seller']} by that one's signed evidence"
    left = f"{told['budget_left']:,} of a budget of {told['budget_points']:,} points are left"
    over = f" ({told['refused']:,} sales were refused)" if told["refused"] else ""
    return f"{took}; refunds took {told['clawed_back']:,} back; {left}{over}"


def managed_line(brands: dict[str, dict[str, Any]]) -> str:
    """For people: by whose word points are issued."""
    names = [brand["name"] for brand in brands.values() if brand["managed"]]
    return f"Managed: {', '.join(names) or 'none'}. The operator holds the key of a managed brand; every other brand holds its own"


def _init(world: World) -> None:
    """Then the key goes to where the system keeps a service's credentials, and the agent's settings name neither rule nor partner yet."""
    home, (owner, publisher) = world.directory.brand(BONUS.slug), addresses(world.directory, [OWNER, publisher_of(BONUS)])
    options = {
        "--dir": home,
        "--gateway": world.gateway_url,
        "--api-key-file": world.directory.gateway / "operator-api.key",
        "--rpc": world.rpc_url,
        "--name": BONUS.name,
        "--brand-id": BONUS.brand_id,
        "--listen": f"{HOST}:{world.ports[BONUS.slug]}",
        "--points": BONUS.earns,
        "--issue-limit": BONUS.points_limit,
        "--lot-validity-months": BONUS.lot_validity_months,
        "--owner": owner,
        "--publisher": publisher,
        "--key-credential": CREDENTIAL,
    }
    must_run("brand", "init", "--managed", *(str(part) for option in options.items() for part in option))
    _credential(world).parent.mkdir(mode=0o700, exist_ok=True)
    (_agent_folder(world) / "key").replace(_credential(world))


def _name_each_other(world: World) -> None:
    """The seller's agent whom it tells, the issuer's whose evidence it takes, by which key and for how many points."""
    config = world.directory.brand(SELLER.slug) / "signer.json"
    told = {"evidence": {"to": [{"brand_id": BONUS.brand_id, "url": _url(world), "token": "evidence_token"}]}}
    _add_to_agent(config, told)
    command = [sys.executable, "-m", "gateway.brand_agent", "--evidence-address", "--config", str(config)]
    key = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    partner = {"brand_id": SELLER.brand_id, "evidence_key": key, "budget_points": BUDGET_POINTS}
    _add_to_agent(_agent_folder(world) / "agent.json", {"partners": [partner], "rules_seconds": 1})
    world.directory.keep(f"brands/{SELLER.slug}/{EVIDENCE_FILE}", told)


def _add_to_agent(config: Path, more: dict[str, Any]) -> None:
    settings = json.loads(config.read_text())
    settings["agent"] |= more
    config.write_text(json.dumps(settings, indent=1))


def _refund_body(world: World, sold: Sequence[PaidSale]) -> dict[str, Any]:
    """Empty where no sale earned a bonus."""
    assert world.bonus is not None
    for sale in reversed(sold):
        points = world.bonus.points_of(f"evidence:{SELLER.brand_id}:{sale.payment_id}")
        if points:
            at = datetime.fromtimestamp(world.clock.head_timestamp(), ZONE)
            return {
                "refund_id": f"{sale.payment_id}-bonus-R",
                "payment_id": sale.payment_id,
                "amount_minor": sale.money_minor,
                "occurred_at": at.isoformat(),
                "business_date": at.date().isoformat(),
            }
    return {}


def _points_of(client: Client, kind: str) -> list[int]:
    found: list[int] = []
    query: dict[str, str | int] = {"kind": kind, "status": "confirmed", "limit": 200}
    while True:
        page = client.get("/v1/operations", **query)
        found += [one["points"] for one in page["operations"]]
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]


def begins_after(days: Sequence[Any]) -> Any:
    """The day of the walk after which the two agents get to know each other."""
    return days[max(0, len(days) - 1 - DAYS)]


def _agent_folder(world: World) -> Path:
    return world.directory.brand(BONUS.slug) / "agent"


def _credential(world: World) -> Path:
    return world.directory.brand(BONUS.slug) / "credentials" / CREDENTIAL


def _url(world: World) -> str:
    return f"http://{HOST}:{world.ports[BONUS.slug]}"
