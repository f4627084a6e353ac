"""A joining brand's directory: its agent's, its owner's and its till's stand apart, since they go to different people and machines."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_account import Account

from gateway.chain.artifacts import contract_named
from gateway.chain.connection import Chain
from gateway.second_people.gateway_client import GatewayClient
from gateway.second_people.known_coalition import KnownCoalition
from gateway.second_people.person import make_person, open_person
from gateway.second_people.stated_coalition import check_delay, stated_coalition
from gateway.secret_files import UnsafeFile, make_secret, read_or_make
from gateway.values.errors import NotFound, WrongState
from gateway.values.ids import Address

GATEWAY_CA = "gateway_ca.pem"


@dataclass(frozen=True, slots=True)
class BrandHome:
    root: Path

    @property
    def agent(self) -> Path:
        """Batch key, token, reference secret, settings, API key, and what the tills said."""
        return self.root / "agent"

    @property
    def settings(self) -> Path:
        return self.agent / "agent.json"

    @property
    def owner(self) -> Path:
        """The owner's key: to be taken away from here."""
        return self.root / "owner"

    @property
    def publisher(self) -> Path:
        """The key that signs the brand's rules: to be taken away from here."""
        return self.root / "publisher"

    @property
    def first_rule(self) -> Path:
        """What the brand's purchases earn from the beginning, signed by its publisher."""
        return self.root / "rule-1.json"

    @property
    def api_key(self) -> Path:
        return self.agent / "gateway_key"

    @property
    def gateway_ca(self) -> Path:
        """The authority of the gateway's certificate, where that is no public one."""
        return self.agent / GATEWAY_CA

    @property
    def till_token(self) -> Path:
        """What the first till calls the agent with: to be taken there."""
        return self.root / "till" / "token"

    @property
    def trial_member(self) -> Path:
        """The key and salt of the brand's own member, to whom it sells on trial."""
        return self.root / "trial-member"

    @property
    def trial_purchase(self) -> Path:
        """What `init` sold on trial: one purchase, however often it is said again."""
        return self.root / "trial-purchase.json"

    @property
    def registration(self) -> Path:
        """What is posted to /v1/brands; it holds the token and the reference secret."""
        return self.root / "registration.json"

    def make(self) -> None:
        for folder in (self.root, self.agent, self.till_token.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def credential(self) -> str | None:
        """The name under which the system hands the batch key to the agent, where it does."""
        named = self.read(self.settings).get("key", {}).get("credential")
        return None if named is None else str(named)

    def batch_key_address(self) -> Address:
        """Of the key that is here, made at the first time; as it was registered, where the key was taken away."""
        key = self.agent / "key"
        if not key.exists() and self.registration.exists():
            return Address.parse(self.read(self.registration)["key_address"])
        return Address.parse(Account.from_key(read_or_make(key)).address)

    def keep(self, path: Path, document: dict[str, Any]) -> None:
        """Once; another one under the same name is refused, since what was said of it may count already."""
        text = json.dumps(document, indent=1, ensure_ascii=True)
        if make_secret(path, text):
            return
        differing = differing_fields(self.read(path), document)
        if any(field.startswith("coalition.") for field in differing):
            told = f"{path} is of another coalition ({', '.join(differing)} differ)"
            raise WrongState(f"{told}: stop that agent and take {self.root} away, or name another --dir")
        if differing:
            told = f"{path} says something else of {', '.join(differing)}"
            raise WrongState(f"{told}: give what was given the first time, or name another --dir")

    def read(self, path: Path) -> Any:
        try:
            return json.loads(path.read_text())
        except FileNotFoundError:
            raise NotFound(f"{path} is not there: begin with `splittally brand init`") from None
        except ValueError:
            raise UnsafeFile(f"{path} is damaged: put it back from a backup") from None


def own_person(place: Path) -> Address:
    """Of whose key is here, made at the first time."""
    return open_person(place).address if place.exists() else make_person(place)


def differing_fields(kept: Any, given: Any, place: str = "") -> list[str]:
    """Where two documents differ, by the names of the fields: what stands there may be secret."""
    if not (isinstance(kept, dict) and isinstance(given, dict)):
        return [] if kept == given else [place or "the whole"]
    names = [*given, *(name for name in kept if name not in given)]
    return [
        field for name in names for field in differing_fields(kept.get(name), given.get(name), f"{place}.{name}" if place else str(name))
    ]


def coalition_of_agent(gateway: GatewayClient, chain: Chain) -> tuple[KnownCoalition, dict[str, Any]]:
    """As its contracts state it, and as an agent's settings name it."""
    told = gateway.coalition()
    stated = stated_coalition(chain, told)
    check_delay(told, stated)
    brands = contract_named("Brands")
    (offset,) = brands.returned("utcOffsetSeconds", chain.eth_call(stated.contracts["Brands"], brands.call("utcOffsetSeconds")))
    return stated, {
        "coalition_id": str(stated.coalition_id),
        "chain_id": stated.chain_id,
        "points_address": str(stated.contracts["PointsLedger"]),
        "utc_offset_seconds": int(offset),
        "sandbox": stated.sandbox,
    }
