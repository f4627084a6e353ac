"""A brand's side of the demo: who calls for it, and where it writes down what it sells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gateway.brand_agent.tills import OF_A_TILL, Scope, WrongTill, add_till
from gateway.brand_signer.register_writer import RegisterWriter
from gateway.secret_files import make_secret, read_secret
from scripts.demo.agent_till import AgentTill
from scripts.demo.client import Client, Journal
from scripts.demo.coalition import DemoBrand


@dataclass
class Till:
    """Its API client, the register that its signer checks against, and the way to its agent where it has one."""

    brand: DemoBrand
    client: Client
    register: RegisterWriter
    agent: AgentTill | None = None

    def close(self) -> None:
        self.client.close()
        self.register.close()
        if self.agent is not None:
            self.agent.close()


def open_till(
    brand: DemoBrand,
    folder: Path,
    operator: Client,
    gateway_url: str,
    own_url: str,
    check: Callable[[], None],
    journal: Journal,
    store: Client | None = None,
) -> Till:
    """The till of a brand that is registered; `own_url` is where its signer or agent serves, with its files in `folder`. `store`: the way
    to the agent of its second store."""
    client = Client(gateway_url, _api_key(brand, folder, operator), check, journal)
    agent = (
        AgentTill(Client(own_url, till_token(folder / "till.token", folder / "tills.json", "till", OF_A_TILL), check), store)
        if brand.has_agent
        else None
    )
    return Till(brand, client, RegisterWriter(folder / "sales.jsonl"), agent)


def _api_key(brand: DemoBrand, folder: Path, operator: Client) -> str:
    """The brand's key; a new one is made when the answer with the last one was lost."""
    file = folder / "api.key"
    attempt = 0
    while not file.exists():
        answer = operator.post(
            f"/v1/brands/{brand.brand_id}/api-keys", {"label": "till"}, f"api-key-{brand.brand_id}-{attempt}", journal=False
        )
        if answer["token"]:
            make_secret(file, answer["token"])
        attempt += 1
    return read_secret(file)


def till_token(file: Path, tills: Path, name: str, scopes: frozenset[Scope]) -> str:
    """A token for the agent that lets `tills` in, kept in `file`; another one's where the last was lost before it was kept."""
    attempt = 1
    while not file.exists():
        try:
            make_secret(file, add_till(tills, f"{name}-{attempt}", scopes))
        except WrongTill:
            attempt += 1
    return read_secret(file)
