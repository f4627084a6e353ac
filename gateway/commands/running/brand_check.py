"""`splittally brand check`: what a brand still lacks, one line each, and on request a purchase from the till to the ledger."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from gateway.chain.connection import Chain
from gateway.commands.running.agent_here import AgentHere, NotHere, agent_here, gateway_authorities
from gateway.commands.running.brand_home import BrandHome, coalition_of_agent
from gateway.commands.running.printing import print_json
from gateway.commands.running.trial_purchase import buy, trial_member
from gateway.commands.running.troubles import troubles_named
from gateway.second_people.chain_reading import ChainReading
from gateway.second_people.gateway_client import GatewayClient
from gateway.second_people.known_coalition import KnownCoalition
from gateway.secret_files import read_secret
from gateway.values.errors import Foreseen, Invalid
from gateway.values.printing import printable
from gateway.values.urls import without_secrets

_SECONDS = 3.0
_ASKED_SECONDS = 8.0  # the agent has some for each of two questions


@dataclass
class BrandFindings:
    """What was looked at, in order: name, whether it is as it should be, and in words what was found or what to do."""

    as_json: bool
    found: list[dict[str, Any]] = field(default_factory=list)
    is_over: bool = False
    """Nothing that is waited for can make it good."""

    def note(self, name: str, is_good: bool, said: str) -> bool:
        self.found.append({"name": name, "ok": is_good, "said": said})
        if not self.as_json:
            click.echo(f"{'ok     ' if is_good else 'LACKING'}  {name}: {said}")
        return is_good

    @property
    def are_good(self) -> bool:
        return all(each["ok"] for each in self.found)

    @property
    def lacking(self) -> list[str]:
        return [f"{each['name']}: {each['said']}" for each in self.found if not each["ok"]]

    def view(self) -> dict[str, Any]:
        return {"ok": self.are_good, "findings": self.found}


@dataclass(frozen=True, slots=True)
class Around:
    """Whom a brand deals with. `gateway` is asked with the brand's own API key."""

    gateway: GatewayClient
    chain: Chain


@dataclass(frozen=True, slots=True)
class OnLedger:
    """A brand that is there, as the gateway tells of it; `key` signs its batches."""

    told: dict[str, Any]
    key: str
    coalition: KnownCoalition


@troubles_named
def check_brand(directory: Path, gateway_url: str, api_key_file: Path | None, rpc_url: str, member: str | None, as_json: bool) -> None:
    home, findings = BrandHome(directory), BrandFindings(as_json)
    if check_settings(home, findings):
        gateway = GatewayClient(gateway_url, read_secret(api_key_file or home.api_key), authorities=gateway_authorities(home, gateway_url))
        around = Around(gateway, Chain(rpc_url))
        click.get_current_context().call_on_close(gateway.close)
        click.get_current_context().call_on_close(around.chain.close)
        look_around(home, around, findings, member)
    if as_json:
        print_json(findings.view())
    if not findings.are_good:
        raise SystemExit(1)


def look_around(home: BrandHome, around: Around, findings: BrandFindings, member: str | None, kept: Path | None = None) -> bool:
    """Of settings that hold: whether everything around is as they say. Sells to the `member`, if there is one; whether that went well."""
    brand = what_a_sale_needs(home, around, findings)
    sells = findings.are_good
    if brand is not None:
        brand_id = int(brand.told["brand_id"])
        _document(around.gateway, brand_id, brand.key, findings)
        _exposures(around.gateway, ChainReading(around.chain, brand.coalition), brand_id, findings)
    if member is None:
        return False
    if brand is None or not sells:
        return findings.note("test purchase", False, "none was made: first put right what is lacking")
    to = trial_member(around.gateway, home, member)
    till = agent_here(home).client(read_secret(home.till_token))
    try:
        return buy(around.gateway, till, to, brand.told, findings.note, kept)
    finally:
        till.close()


def what_a_sale_needs(home: BrandHome, around: Around, findings: BrandFindings) -> OnLedger | None:
    """The coalition, the agent and both ways to it, the brand on the ledger, its key and its rule; None where it is not there."""
    settings, (coalition, ledger) = home.read(home.settings), coalition_of_agent(around.gateway, around.chain)
    differing = [name for name, value in ledger.items() if settings["coalition"].get(name, False) != value]
    said = f"correct coalition.{', coalition.'.join(differing)} in {home.settings}" if differing else "the settings name this coalition"
    findings.note("coalition", not differing, said)
    agent = agent_here(home)
    key = _agent_here(agent, settings, home, findings)
    if findings.found[-1]["ok"]:  # the agent runs
        _seen_from_agent(agent, settings, home, findings)
    brand_id = int(settings["brand_id"])
    if not _on_ledger(around.gateway, brand_id, home, findings):
        return None
    brand = around.gateway.read(f"/v1/brands/{brand_id}")
    _seen_from_gateway(around.gateway, brand_id, findings)
    _keys_and_rule(brand, settings, home, key, findings)
    return OnLedger(brand, key, coalition)


def check_settings(home: BrandHome, findings: BrandFindings) -> bool:
    """As the agent itself reads them."""
    if "key" in home.read(home.settings):  # which its service alone gets
        return findings.note("settings", True, "the agent's key is handed to its service: what its log says at the start counts")
    command = [sys.executable, "-m", "gateway.brand_agent", "--config", str(home.settings), "--address"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = done.stdout.strip() if done.returncode == 0 else done.stderr.strip().removeprefix("brand agent: ")
    return findings.note("settings", done.returncode == 0, f"the agent takes them; its key is {said}" if done.returncode == 0 else said)


def _agent_here(agent: AgentHere, settings: dict[str, Any], home: BrandHome, findings: BrandFindings) -> str:
    """The address of its key: where it is in no file, the one that the agent says."""
    url, key = agent.url, str(home.batch_key_address())
    try:
        told = agent.greeting(_SECONDS)
        if "key" in settings and told.get("brand_id") == settings["brand_id"]:
            key = printable(str(told.get("address")))
        is_ours = told.get("address") == key
        findings.note(
            "agent here", is_ours, f"it runs at {url}" if is_ours else f"another program listens at {url}: end it, or set another port"
        )
    except NotHere as why:
        start = f"{sys.executable} -m gateway.brand_agent --config {home.settings}"
        findings.note("agent here", False, f"it is not at {url} ({why}): {start}")
    return key


def _seen_from_agent(here: AgentHere, settings: dict[str, Any], home: BrandHome, findings: BrandFindings) -> None:
    """The gateway, as the agent finds it now."""
    named, name, again = settings["agent"]["gateway_url"], "gateway seen from the agent", "start the agent again"
    agent = here.client(read_secret(home.agent / "token"), _ASKED_SECONDS)
    try:
        told = agent.read("/v1/gateway")
        is_there, asked, said = told["gateway"] == "there", printable(str(told["gateway_url"])), printable(str(told["said"]))
    except (Foreseen, KeyError, TypeError) as refused:
        findings.note(
            name, False, f"the agent does not say ({refused}): {again}, in this version and with the token that is in {home.agent}"
        )
        return
    finally:
        agent.close()
    if asked != without_secrets(named.rstrip("/")):
        findings.note(name, False, f"the agent asks {asked}, agent.gateway_url in {home.settings} is {without_secrets(named)}: {again}")
    else:
        findings.note(name, is_there, f"{asked} is there" if is_there else f"agent.gateway_url in {home.settings} is {asked}: {said}")


def _on_ledger(gateway: GatewayClient, brand_id: int, home: BrandHome, findings: BrandFindings) -> bool:
    try:
        brand = gateway.read(f"/v1/brands/{brand_id}")
    except Invalid as refused:
        if refused.facts.get("code") != "not_found":
            raise
        return findings.note(
            "on the ledger", False, f"the operator has not registered it: {home.registration} is to be posted to /v1/brands"
        )
    if brand["status"] != "pending":
        return findings.note("on the ledger", True, f"{brand['name']} is {brand['status']}")
    operation = gateway.read(f"/v1/operations/{brand['operation_id']}")
    findings.is_over = operation["status"] == "refused"
    said = f"it waits for approvers: operation {brand['operation_id']}, which the operator sees at /v1/operations"
    if findings.is_over:
        said = f"its registration was refused ({operation['reason']}): ask the operator why, and register it under another --dir"
    return findings.note("on the ledger", False, said)


def _seen_from_gateway(gateway: GatewayClient, brand_id: int, findings: BrandFindings) -> None:
    try:
        told = gateway.post(f"/v1/brands/{brand_id}/signer-probe", {})
        said = (
            f"{told['said']} (POST /v1/brands/{brand_id}/settings takes another URL or token)" if told["result"] != "ok" else told["said"]
        )
        findings.note("agent seen from the gateway", told["result"] == "ok", without_secrets(said))
    except Foreseen as refused:
        findings.note("agent seen from the gateway", False, str(refused))


def _keys_and_rule(brand: dict[str, Any], settings: dict[str, Any], home: BrandHome, key: str, findings: BrandFindings) -> None:
    listed = {each["key_address"]: each["managed"] for each in brand["keys"]}
    held = " (managed: the operator holds it)" if listed.get(key) else ""
    said = f"{key} signs its batches{held}" if key in listed else f"{key} signs no batches: its owner says so with `splittally brand key`"
    findings.note("batch key", key in listed, said)
    if brand["publisher_address"] is not None:
        _signed_rule(brand, settings, home, findings)
    else:
        _rule_of_settings(brand, settings, findings)
    promised = {name: settings["programme"].get(name) for name in ("earn_on_tax", "lot_validity_months")}
    differing = [name for name, value in promised.items() if brand[name] != value]
    if differing:
        findings.note(
            "programme", False, f"the gateway has another {' and '.join(differing)} than programme in {home.settings}: correct it there"
        )


def _signed_rule(brand: dict[str, Any], settings: dict[str, Any], home: BrandHome, findings: BrandFindings) -> None:
    """What its publisher signs, the agent follows by itself."""
    publisher, followed = brand["publisher_address"], settings["agent"].get("publisher")
    earns = next((rule for rule in brand["rules"] if rule["status"] == "in_force"), None)
    waiting = next((rule for rule in brand["rules"] if rule["status"] == "published"), None)
    if publisher != followed:
        findings.note(
            "earning rule", False, f"agent.publisher in {home.settings} is {followed}, the gateway has {publisher}: make both the same"
        )
    elif waiting is not None:
        said = f"version {waiting['version']} waits for the agent: ask it again in a few seconds, and see rule_refused in its status"
        findings.note("earning rule", False, said)
    elif earns is None:
        findings.note("earning rule", False, f"none is in force: splittally brand publish-rule {home.first_rule}")
    else:
        findings.note("earning rule", True, f"version {earns['version']}, {earns['points']} points per {earns['per_minor']} minor units")


def _rule_of_settings(brand: dict[str, Any], settings: dict[str, Any], findings: BrandFindings) -> None:
    rules = [(each["version"], each["points"], each["per_minor"]) for each in brand["rules"]]
    own = [(each["version"], each["points"], each["per_minor"]) for each in settings["programme"]["rules"]]
    missing = [rule for rule in rules if rule not in own]
    if not rules:
        findings.note("earning rule", False, f"none is published: POST /v1/brands/{brand['brand_id']}/rules")
    elif missing:
        what = "; ".join(f"version {version}: {points} per {per_minor}" for version, points, per_minor in missing)
        findings.note("earning rule", False, f"the agent does not know {what}: add it to programme.rules, and start the agent again")
    else:
        findings.note("earning rule", True, f"{rules[-1][1]} points per {rules[-1][2]} minor units, as the agent has it")


def _document(gateway: GatewayClient, brand_id: int, key: str, findings: BrandFindings) -> None:
    documents = gateway.documents(brand_id)
    is_good = bool(documents) and key in documents[-1]["document"]
    needed = "its owner says with `splittally brand publish` which keys act in its name: until then the audit names the brand"
    findings.note("document of its keys", is_good, f"document {documents[-1]['number']} names the batch key" if is_good else needed)


def _exposures(gateway: GatewayClient, ledger: ChainReading, brand_id: int, findings: BrandFindings) -> None:
    others = {each["brand_id"]: each["name"] for each in gateway.read("/v1/brands") if each["brand_id"] != brand_id}
    takes = [name for other, name in others.items() if ledger.exposure_limit(brand_id, other)]
    taken = [name for other, name in others.items() if ledger.exposure_limit(other, brand_id)]
    needed = "of no brand: its owner says with `splittally brand accept` how many of whose points it takes"
    findings.note("takes points", bool(takes), f"of {', '.join(takes)}" if takes else needed)
    findings.note(
        "its points are taken",
        bool(taken),
        f"by {', '.join(taken)}" if taken else "by no other brand: ask their owners for `splittally brand accept`",
    )
