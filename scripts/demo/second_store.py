"""A second store of a brand: its tills call an agent of their own, which has no key of the brand's and only forwards to the brand's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.brand_agent.tills import OF_A_TILL
from scripts.demo.client import Client
from scripts.demo.coalition import DemoBrand
from scripts.demo.engine import HOST
from scripts.demo.processes import ROOT, healthy
from scripts.demo.till import till_token

if TYPE_CHECKING:
    from scripts.demo.world import World

PORT_NAME = "second-store"


def open_store(world: World, brand: DemoBrand, name: str) -> Client:
    """Starts the agent of this store; the way of its till to it."""
    folder = world.directory.brand(brand.slug)
    home, own_url = folder / name, f"http://{HOST}:{world.ports[PORT_NAME]}"
    if not (home / "upstream_token").exists():
        _make(folder, home, name, f"http://{HOST}:{world.ports[brand.slug]}", f"{HOST}:{world.ports[PORT_NAME]}")
    arguments = ["-m", "gateway.brand_agent", "--config", str(home / "agent.json")]
    world.supervisor.start(f"store-{brand.slug}", arguments, lambda: healthy(own_url), restart=True)
    return Client(own_url, till_token(home / "till.token", home / "tills.json", "till", OF_A_TILL), world.supervisor.check)


def _make(folder: Path, home: Path, name: str, upstream: str, listen: str) -> None:
    """As the guide has it. What a run that was killed at it left is made anew, under another name."""
    attempt = 1 + len(list(folder.glob(f"{name}.left-*")))
    if home.exists():
        home.rename(folder / f"{name}.left-{attempt}")
        attempt += 1
    named = name if attempt == 1 else f"{name}-{attempt}"
    made = ["store", "add", named, "--config", str(folder / "signer.json"), "--dir", str(home), "--upstream", upstream, "--listen", listen]
    subprocess.run([sys.executable, "-m", "gateway.brand_agent", *made], cwd=ROOT, check=True, capture_output=True)
