"""The deli changes its rule in the middle of the walk: its publisher signs a version, its agent confirms it, and from then on it earns.

The new version gives the same points in other figures, so that the run's totals stay what they are.
"""

from __future__ import annotations

import time
from typing import Any

from scripts.demo.client import Refused
from scripts.demo.coalition import BY_SLUG
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
    if len(world.operator.get(f"{path}/rules")["rules"]) < VERSION:
        _publish(world, 2 * brand.earns)
    until = time.monotonic() + _GIVEN_UP_AFTER_SECONDS
    while (status := _version(world)["status"]) != "in_force":
        if time.monotonic() > until:
            raise Refused(
                503, {"code": status, "detail": f"version {VERSION} of {brand.name}'s rule waits: see its agent's status and log"}
            )
        world.supervisor.check()
        time.sleep(_LOOK_AGAIN_SECONDS)


def tell_rule(world: World) -> dict[str, Any]:
    """What has become of it."""
    found = _version(world)
    kept = ("version", "points", "per_minor", "status")
    return {"name": BY_SLUG[SLUG].name, **{name: found[name] for name in kept}, "in_force_since": found["in_force_from"][:10]}


def line(told: dict[str, Any]) -> str:
    """For people."""
    earns = f"{told['points']} points for every {told['per_minor']} minor units"
    signed = f"{told['name']}'s publisher signed version {told['version']} of its rule ({earns})"
    return f"{signed}; its agent confirmed it, and it earns since {told['in_force_since']}"


def _publish(world: World, points: int) -> None:
    """Signed in a process that has the publisher's key and asks nobody; handed over by another."""
    folder, home = world.directory.brand(SLUG), world.directory.people / publisher_of(BY_SLUG[SLUG])
    signed = home / f"rule-{VERSION}.json"
    if not signed.exists():
        what = ("--version", str(VERSION), "--points", str(points), "--per-minor", str(PER_MINOR), "--output", str(signed))
        _run("brand", "sign-rule", "--settings", str(folder / "signer.json"), "--home", str(home), *what)
    _run("brand", "publish-rule", str(signed), "--gateway", world.gateway_url, "--api-key-file", str(folder / "api.key"))


def _run(*command: str) -> None:
    code, answer = run_splittally(*command)
    if code:
        raise Refused(503, answer)


def _version(world: World) -> dict[str, Any]:
    rules = world.operator.get(f"/v1/brands/{BY_SLUG[SLUG].brand_id}/rules")["rules"]
    found: dict[str, Any] = next(rule for rule in rules if rule["version"] == VERSION)
    return found
