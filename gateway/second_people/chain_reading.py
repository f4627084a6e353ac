"""The ledger as a second person reads it from a node of its own choice: whether an act is proposed, and what holds."""

from __future__ import annotations

from typing import Any

from gateway.chain.artifacts import contract_named
from gateway.chain.connection import Chain
from gateway.ledger.brand_states import BrandState
from gateway.second_people.act_words import ActCall, day_text
from gateway.second_people.check_act import ToldAct
from gateway.second_people.known_coalition import KnownCoalition
from gateway.values.hex import to_int
from gateway.values.ids import Address, Hash

_DONE = 1  # the timelock's timestamp of an act that was executed


class ChainReading:
    """Of contracts that were found to be what they should (`stated_coalition`)."""

    def __init__(self, chain: Chain, coalition: KnownCoalition) -> None:
        self._chain = chain
        self._coalition = coalition

    def head_timestamp(self) -> int:
        return to_int(self._chain.call("eth_getBlockByNumber", "latest", False)["timestamp"])

    def ready_at(self, act: ToldAct) -> int | None:
        """By the contract; None for what was never proposed, cancelled or executed."""
        (found,) = self._ask("Governance", "getTimestamp", act.act_id)
        return int(found) if found > _DONE else None

    def is_executed(self, act_id: Hash) -> bool:
        (found,) = self._ask("Governance", "getTimestamp", act_id)
        return bool(found == _DONE)

    def holds(self, call: ActCall) -> dict[str, Any]:
        found: dict[str, Any] = {
            "approvers": [each.lower() for each in self._ask("Governance", "approvers")[0]],
            "approvals needed": self._ask("Governance", "threshold")[0],
            "guardian": self._ask("Governance", "guardian")[0].lower(),
            "operator": self._ask("Governance", "operator")[0].lower(),
            "delay in seconds": self._ask("Governance", "getMinDelay")[0],
            "pause": "used" if self._ask("PointsLedger", "pauseState")[1] else "not used",
        }
        if call.brand_id is not None and call.function != "registerBrand":
            limit, status, last_day = self._ask("Brands", "brand", call.brand_id)
            found |= {"issue limit": limit, "status": BrandState(status).name.lower() if status else None}
            found |= {"last day": day_text(last_day) if last_day else None}
            found["owner"] = self._ask("Brands", "brandOwner", call.brand_id)[0].lower()
        return found

    def brand_owner(self, brand_id: int) -> Address:
        return Address.parse(self._ask("Brands", "brandOwner", brand_id)[0])

    def exposure_limit(self, acceptor_id: int, issuer_id: int) -> int:
        """How many of the issuer's points the acceptor lets itself be owed."""
        return int(self._ask("Brands", "exposureLimit", acceptor_id, issuer_id)[0])

    def owner_acts(self, brand_id: int) -> int:
        """The nonce of the owner's next act."""
        return int(self._ask("Brands", "ownerActs", brand_id)[0])

    def _ask(self, contract: str, function: str, *arguments: Any) -> tuple[Any, ...]:
        artifact = contract_named(contract)
        answer = self._chain.eth_call(self._coalition.contracts[contract], artifact.call(function, *arguments))
        return artifact.returned(function, answer)
