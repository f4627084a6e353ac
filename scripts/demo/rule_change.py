"""The deli changes its rule in the middle of the walk: its publisher signs a version, its agent confirms it, and from then on it earns.

The new version gives the same points in other figures, so that the run's totals stay what they are.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.demo.client import Refused
from scripts.demo.coalition import BY_SLUG, DemoBrand
from scripts.demo.commands import run_splittally
from scripts.demo.second_people import addresses
from scripts.demo.world import World, publisher_of

SLUG = "deli"
VERSION = 2
PER_MINOR = 200
_GIVEN_UP_AFTER_SECONDS = 120.0
_LOOK_AGAIN_SECONDS = 0.1


def change_rule(world: World) -> None:
    """Whatever of it was done by a run before is not done again."""
    brand = BY_SLUG[SLUG]
    path = f"/v1/brands/{brand.brand_id}"
    (publisher,) = addresses(world.directory, [publisher_of(brand)])
    world.operator.post(f"{path}/settings", {"publisher_address": publisher}, f"publisher-{SLUG}")
    folder = world.directory.brand(SLUG)
    bring_into_force(world, brand, SignedRule(VERSION, 2 * brand.earns, PER_MINOR, folder / "signer.json", folder / "api.key"))


@dataclass(frozen=True)
class SignedRule:
    """A version that the brand's publisher is to sign; its agent's settings name the brand, the file its API key."""

    version: int
    points: int
    per_minor: int
    settings: Path
    api_key_file: Path


def bring_into_force(world: World, brand: DemoBrand, rule: SignedRule) -> None:
    """Signed, published unless it was, and confirmed by the brand's agent."""
    if len(world.operator.get(f"/v1/brands/{brand.brand_id}/rules")["rules"]) < rule.version:
        _publish(world, brand, rule)
    until = time.monotonic() + _GIVEN_UP_AFTER_SECONDS
    while (status := _version(world, brand, rule.version)["status"]) != "in_force":
        if time.monotonic() > until:
            waits = f"version {rule.version} of {brand.name}'s rule waits: see its agent's status and log"
            raise Refused(503, {"code": status, "detail": waits})
        world.supervisor.check()
        time.sleep(_LOOK_AGAIN_SECONDS)


def tell_rule(world: World) -> dict[str, Any]:
    """What has become of it."""
    found = _version(world, BY_SLUG[SLUG], VERSION)
    kept = ("version", "points", "per_minor", "status")
    return {"name": BY_SLUG[SLUG].name, **{name: found[name] for name in kept}, "in_force_since": found["in_force_from"][:10]}


def line(told: dict[str, Any]) -> str:
    """For people."""
    earns = f"{told['points']} points for every {told['per_minor']} minor units"
    signed = f"{told['name']}'s publisher signed version {told['version']} of its rule ({earns})"
    return f"{signed}; its agent confirmed it, and it earns since {told['in_force_since']}"


def _publish(world: World, brand: DemoBrand, rule: SignedRule) -> None:
    """Signed in a process that has the publisher's key and asks nobody; handed over by another."""
    home = world.directory.people / publisher_of(brand)
    signed = home / f"rule-{rule.version}.json"
    if not signed.exists():
        figures = {"--version": rule.version, "--points": rule.points, "--per-minor": rule.per_minor, "--output": signed}
        what = [str(part) for option in figures.items() for part in option]
        must_run("brand", "sign-rule", "--settings", str(rule.settings), "--home", str(home), *what)
    must_run("brand", "publish-rule", str(signed), "--gateway", world.gateway_url, "--api-key-file", str(rule.api_key_file))


def must_run(*command: str) -> dict[str, Any]:
    """The answer of a command of `splittally` that has nothing to say against it; given again while the gateway is away."""
    until = time.monotonic() + _GIVEN_UP_AFTER_SECONDS
    while True:
        code, answer = run_splittally(*command)
        if code == 0:
            return answer
        if answer.get("code") != "unavailable" or time.monotonic() > until:
            raise Refused(503, answer)
        time.sleep(_LOOK_AGAIN_SECONDS)


def _version(world: World, brand: DemoBrand, version: int) -> dict[str, Any]:
    rules = world.operator.get(f"/v1/brands/{brand.brand_id}/rules")["rules"]
    found: dict[str, Any] = next(rule for rule in rules if rule["version"] == version)
    return found
