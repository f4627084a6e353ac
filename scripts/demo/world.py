"""Brings the demo coalition to life: node, gateway, one signer per brand, the members' wallets; then registers brands and members.

Every step may be repeated: on a directory that has been used before, what is there already is found again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import httpx

from gateway.chain.operator_key import create_key_file, load_account
from gateway.secret_files import read_secret
from scripts.demo.agent_till import AgentTill
from scripts.demo.chain_clock import ChainClock
from scripts.demo.client import Client, Journal, Refused
from scripts.demo.coalition import BRANDS, CURRENCY, NAME, UTC_OFFSET_SECONDS, DemoBrand
from scripts.demo.data_directory import DataDirectory
from scripts.demo.engine import HOST, check_same_chain, meet_engine, start_own_node
from scripts.demo.processes import Supervisor, healthy
from scripts.demo.second_people import SecondPeople, addresses, governing_settings
from scripts.demo.second_store import open_store
from scripts.demo.till import Till, open_till

LARGEST_CONSENT_POINTS = 20_000
EVIDENCE_FILE = "evidence.json"
NEW_BLOCK_SEEN_WITHIN_SECONDS = 0.03  # every simulated day begins with a block that the gateway did not ask for


@dataclass
class World:
    """Everything that runs, and the clients that speak to it."""

    directory: DataDirectory
    supervisor: Supervisor
    ports: dict[str, int]
    rpc_url: str
    clock: ChainClock
    operator: Client
    journal: Journal
    coalition: dict[str, Any] = field(default_factory=dict)
    wallets: Client | None = None
    tills: dict[str, Till] = field(default_factory=dict)
    members: list[str] = field(default_factory=list)
    bonus: AgentTill | None = None

    @cached_property
    def second_people(self) -> SecondPeople:
        return SecondPeople(self.directory, self.gateway_url, self.rpc_url, self.operator, self.clock)

    def await_operation(self, operation_id: str, seconds: float = 120) -> None:
        """Returns once it is on the ledger."""
        until = time.monotonic() + seconds
        while (status := self.operator.get(f"/v1/operations/{operation_id}")["status"]) != "confirmed":
            if status == "refused" or time.monotonic() > until:
                raise Refused(503, {"code": status, "detail": f"operation {operation_id} is not on the ledger: see the gateway's log"})
            time.sleep(0.05)

    @property
    def gateway_url(self) -> str:
        return f"http://{HOST}:{self.ports['gateway']}"

    def sign_consent(self, typed_data: dict[str, Any]) -> dict[str, Any]:
        """The spender's `proof_kind` and `proof`, made in the wallets' process."""
        return self.ask_wallets("/sign-consent", {"typed_data": typed_data})

    def ask_wallets(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """`proof_kind` and `proof` of what one of the members signs."""
        assert self.wallets is not None
        answer = self.wallets.ask(path, body)
        return {name: answer[name] for name in ("proof_kind", "proof")}

    def close(self) -> None:
        for till in (*self.tills.values(), self.bonus):
            if till is not None:
                till.close()
        for client in (self.operator, self.wallets):
            if client is not None:
                client.close()
        self.clock.close()
        self.journal.close()


def start_world(
    directory: DataDirectory,
    supervisor: Supervisor,
    ports: dict[str, int],
    database_url: str,
    first_second: int,
    engine_url: str | None = None,
) -> World:
    """Starts node and gateway, or the gateway alone on an engine that runs already; `first_second` is when a new chain begins."""
    operator_key = directory.gateway / "operator.key"
    create_key_file(operator_key)
    operator = load_account(operator_key).address
    if engine_url is None:
        rpc_url = start_own_node(directory, supervisor, ports["node"], operator, first_second)
    else:
        rpc_url = engine_url
        meet_engine(directory, rpc_url, operator, first_second)
    settings = _write_gateway_settings(directory, ports, rpc_url, database_url)
    gateway_url = f"http://{HOST}:{ports['gateway']}"
    ready = partial(healthy, gateway_url, "/readyz")
    supervisor.start("gateway", ["-m", "gateway", "serve", "--config", str(settings)], ready, restart=True)
    journal = Journal(directory.root / "acknowledged.jsonl")
    token = read_secret(directory.gateway / "operator-api.key")
    client = Client(gateway_url, token, supervisor.check, journal)
    world = World(directory, supervisor, ports, rpc_url, ChainClock(rpc_url), client, journal)
    world.coalition = client.get("/v1/coalition")
    check_same_chain(world.clock, rpc_url, world.coalition["genesis_hash"])
    return world


def onboard(world: World, households: int, progress: Callable[[str], None]) -> None:
    """Starts wallets and signers, registers the brands with their rules, and enrolls the members."""
    _start_wallets(world, households)
    onboard_brands(world, BRANDS, progress)
    _enroll(world, households, progress)


def onboard_brands(world: World, brands: Sequence[DemoBrand], progress: Callable[[str], None]) -> None:
    """Starts their signers, registers them, opens their tills; each takes the points of all others."""
    addresses(world.directory, [f"owner-{brand.slug}" for brand in brands])  # made together: each takes a process
    there = {brand["brand_id"] for brand in world.operator.get("/v1/brands") if brand["status"] != "pending"}
    proposed = []
    for brand in brands:
        progress(f"{brand.name} is {'already there' if brand.brand_id in there else 'proposed'}")
        proposed.append(_propose(world, brand))
    if not there.issuperset(brand.brand_id for brand in brands):
        progress("the approvers look, and an hour later approve")
    world.second_people.carry_out(proposed)
    for brand in brands:
        _join(world, brand)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda brand: _open_brand(world, brand, brands), brands))


def _open_brand(world: World, brand: DemoBrand, brands: Sequence[DemoBrand]) -> None:
    """What its owner says first: which keys act in its name, and that it takes the others' points."""
    owner = f"owner-{brand.slug}"
    publish_keys(world, brand, owner, 1)
    others = [each.brand_id for each in brands if each != brand]
    world.second_people.accept_points(brand.brand_id, owner, others, brand.points_limit)


def publish_keys(world: World, brand: DemoBrand, owner: str, number: int) -> None:
    """The brand's document of its keys, signed by its owner."""
    (key,) = world.operator.get(f"/v1/brands/{brand.brand_id}")["keys"]
    api_key, _, _ = read_secret(world.directory.brand(brand.slug) / "api.key").partition(".")
    world.second_people.publish(brand.brand_id, owner, number, key["key_address"], api_key)


def _propose(world: World, brand: DemoBrand) -> str:
    """Starts the brand's signer and proposes the brand; the operation."""
    folder = world.directory.brand(brand.slug)
    port = world.ports[brand.slug]
    config = folder / "signer.json"
    folder.mkdir(parents=True, exist_ok=True)
    config.write_text(json.dumps(signer_settings(world, brand, port), indent=1))
    url = f"http://{HOST}:{port}"
    arguments = ["-m", "gateway.brand_agent" if brand.has_agent else "gateway.brand_signer", "--config", str(config)]
    world.supervisor.start(f"signer-{brand.slug}", arguments, lambda: healthy(url), restart=True)
    body = {
        "brand_id": brand.brand_id,
        "name": brand.name,
        "key_address": httpx.get(f"{url}/healthz").json()["address"],
        "signer_url": url,
        "signer_token": read_secret(folder / "token"),
        "reference_secret": "0x" + read_secret(folder / "reference_secret"),
        "issue_limit": brand.points_limit,
        "par": _ratio(brand.par),
        "redemption": _ratio(brand.redemption),
        "lot_validity_months": brand.lot_validity_months,
        "earn_on_tax": True,
        "owner_address": addresses(world.directory, [f"owner-{brand.slug}"])[0],
    }
    registered = world.operator.post("/v1/brands", body, f"brand-{brand.brand_id}", wait_seconds=0)
    operation_id: str = registered["operation"]["operation_id"]
    return operation_id


def _join(world: World, brand: DemoBrand) -> None:
    """Its earning rule and its till."""
    world.operator.post(f"/v1/brands/{brand.brand_id}/rules", {"points": brand.earns, "per_minor": 100}, f"rule-{brand.brand_id}")
    folder, own_url = world.directory.brand(brand.slug), f"http://{HOST}:{world.ports[brand.slug]}"
    store = open_store(world, brand, brand.second_store) if brand.second_store else None
    check = world.supervisor.check
    world.tills[brand.slug] = open_till(brand, folder, world.operator, world.gateway_url, own_url, check, world.journal, store)


def _enroll(world: World, households: int, progress: Callable[[str], None]) -> None:
    assert world.wallets is not None
    found = world.wallets.ask("/authorizers", {"indexes": list(range(households))})["authorizers"]
    progress(f"{households} members {'are already there' if _is_member(world, found[-1]['member_id']) else 'enroll'}")
    bodies = [{"authorizer": one["authorizer"], "salt": one["salt"]} for one in found]
    world.operator.post("/v1/members/bulk", {"members": bodies}, f"members-{households}", wait_seconds=60)
    world.members = [one["member_id"] for one in found]


def _is_member(world: World, member_id: str) -> bool:
    try:
        return bool(world.operator.get(f"/v1/members/{member_id}/points"))
    except Refused as refusal:
        if refusal.status != 404:
            raise
        return False


def _start_wallets(world: World, households: int) -> None:
    port = world.ports["wallets"]
    world.directory.wallets.mkdir(parents=True, exist_ok=True)
    config = world.directory.wallets / "wallets.json"
    settings = {
        "listen": {"host": HOST, "port": port},
        "coalition": {name: world.coalition[name] for name in ("coalition_id", "chain_id", "points_address", "members_address")},
        "members": households + 1,  # who shops at a newcomer's
        "points_max": LARGEST_CONSENT_POINTS,
    }
    config.write_text(json.dumps(settings, indent=1))
    url = f"http://{HOST}:{port}"
    world.supervisor.start("wallets", ["-m", "scripts.demo.wallets", "--config", str(config)], lambda: healthy(url), restart=True)
    token = read_secret(world.directory.wallets / "token")
    world.wallets = Client(url, token, world.supervisor.check)


def signer_settings(world: World, brand: DemoBrand, port: int) -> dict[str, Any]:
    coalition = {name: world.coalition[name] for name in ("coalition_id", "chain_id", "points_address", "utc_offset_seconds")}
    rule = {"version": 1, "points": brand.earns, "per_minor": 100, "valid_from": 0}
    return _agent_settings(world, brand) | {
        "brand_id": brand.brand_id,
        "listen": {"host": HOST, "port": port},
        "coalition": {**coalition, "sandbox": True},  # the brand's own word, whatever the gateway says
        "programme": {
            "rules": [rule],
            "earn_on_tax": True,
            "lot_validity_months": brand.lot_validity_months,
            "unlisted_points_max": 0,
            "extends_by_activity": brand.extends_by_activity,
            "redemption": {"minor": brand.redemption[0], "points": brand.redemption[1]},
        },
    }


def _agent_settings(world: World, brand: DemoBrand) -> dict[str, Any]:
    """Of a brand that has one: whom it asks, and whose rules it follows."""
    if not brand.has_agent:
        return {}
    (publisher,) = addresses(world.directory, [publisher_of(brand)])
    told = world.directory.read(f"brands/{brand.slug}/{EVIDENCE_FILE}") or {}  # whom of its sales
    return {"agent": {"gateway_url": world.gateway_url, "gateway_key": "api.key", "publisher": publisher, "rules_seconds": 1, **told}}


def publisher_of(brand: DemoBrand) -> str:
    """The person whose key signs the brand's rules."""
    return f"publisher-{brand.slug}"


def _write_gateway_settings(directory: DataDirectory, ports: dict[str, int], rpc_url: str, database_url: str) -> Path:
    directory.gateway.mkdir(parents=True, exist_ok=True)
    settings = {
        "data_dir": str(directory.gateway),
        "rpc_url": rpc_url,
        "host": HOST,
        "port": ports["gateway"],
        "coalition_name": NAME,
        "currency": CURRENCY,
        "utc_offset_seconds": UTC_OFFSET_SECONDS,
        "sandbox": True,
        **governing_settings(directory),
        "poll_seconds": NEW_BLOCK_SEEN_WITHIN_SECONDS,
    }
    if not database_url.startswith("sqlite:"):  # the file of its own moves with the directory
        settings["database_url"] = database_url
    path = directory.gateway / "gateway.toml"
    path.touch(mode=0o600)
    path.chmod(0o600)  # the database's URL may hold a password
    path.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()))
    return path


def _ratio(value: tuple[int, int]) -> dict[str, int]:
    return {"numerator": value[0], "denominator": value[1]}


def seconds_of(started: float) -> float:
    """Wall-clock seconds since `started` (time.monotonic), to a tenth."""
    return round(time.monotonic() - started, 1)
