"""What a store's agent says to its brand's agent: items, as many as wait together, and questions how they stand."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from gateway.brand_agent.gateway_client import ForwardingClient, GatewayAnswer, GatewayAway
from gateway.brand_agent.item import ItemKind
from gateway.ledger.signing import Domain

NAMED_AT = "/v1/brand-agent"
ITEMS_PATH, STANDINGS_PATH = "/v1/items", "/v1/items/standings"


class UpstreamClient(ForwardingClient):
    """Nothing is said before what answers has named itself the agent of this brand on this ledger. An agent of a version that has no such
    name is none."""

    NAME = "upstream"
    PEER, A_PEER = "the brand's agent", "no brand's agent that takes what stores forward"
    URL_NAME = "upstream_url"
    _WRONG_KEY = "the store's token ({}): have it made anew there (`store add`), and put it into agent.upstream_token"
    _NO_KEY = "there is no token to ask it with"
    _NAMED_AT = NAMED_AT

    def __init__(
        self,
        url: str,
        token: Callable[[], str],
        domain: Domain,
        brand_id: int,
        authorities: ssl.SSLContext | None = None,
        seconds: float = 20,
    ) -> None:
        super().__init__(url, token, domain, authorities, seconds)
        self._brand_id = brand_id

    def greet(self) -> None:
        """Whether it is there and takes the token."""
        self.standings([])

    def standings(self, named: Sequence[tuple[ItemKind, str]]) -> Sequence[Mapping[str, Any]]:
        """How it says that these stand, each a view or a `problem`. Raises GatewayAway."""
        asked = {"items": [{"kind": kind, "id": external_id} for kind, external_id in named]}
        answer = self.post(STANDINGS_PATH, json.dumps(asked).encode(), "")
        found = answer.body.get("results")
        if answer.status != 200 or not isinstance(found, list) or len(found) != len(named):
            raise GatewayAway(f"it does not say how items stand: {answer.code}")
        return [one if isinstance(one, dict) else {} for one in found]

    def try_again(self, kind: ItemKind, external_id: str) -> GatewayAnswer:
        return self.post(f"/v1/refused/{kind}/{quote(external_id, safe='')}/retry", b"{}", "")

    def _own(self) -> dict[str, Any]:
        return {"brand_id": self._brand_id, **super()._own()}

    def _other(self, differing: Sequence[str]) -> str:
        return "brand" if "brand_id" in differing else super()._other(differing)
