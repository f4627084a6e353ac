"""A coalition as its contracts state it, read from the person's own node: of what the gateway tells, only where they stand is taken,
and they are the committed contracts, tied to each other, or nothing is signed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gateway.chain.artifacts import contract_named
from gateway.chain.connection import Chain
from gateway.second_people.known_coalition import CONTRACTS, KnownCoalition
from gateway.values.errors import WrongState
from gateway.values.hex import hex_text
from gateway.values.ids import Address

# Contract, its function, and the contract whose address that names.
_TIES = (
    ("Brands", "governance", "Governance"),
    ("Members", "governance", "Governance"),
    ("Members", "pointsLedger", "PointsLedger"),
    ("Settlement", "brands", "Brands"),
    ("Settlement", "pointsLedger", "PointsLedger"),
    ("PointsLedger", "governance", "Governance"),
    ("PointsLedger", "brands", "Brands"),
    ("PointsLedger", "members", "Members"),
    ("PointsLedger", "settlement", "Settlement"),
)


def stated_coalition(chain: Chain, told: KnownCoalition) -> KnownCoalition:
    """Sandbox, delay and coalition id by the contracts. Raises WrongState naming what the gateway tells otherwise."""
    if chain.chain_id() != told.chain_id:
        raise WrongState(f"{chain.rpc_url} serves chain {chain.chain_id()}, the coalition is on {told.chain_id}: name its node")
    for contract in CONTRACTS:
        at = told.contracts.get(contract)
        if at is None or not contract_named(contract).is_code(chain.code(at)):
            raise WrongState(
                f"at {at or 'no address'} stands no {contract} as it was published: sign nothing, and ask the other people why"
            )
        _compare("coalition_id", told.coalition_id, contract, _ask(chain, told, contract, "coalitionId"))
    _check_verifier(chain, told)
    for contract, function, named in _TIES:
        _compare(f"the address of {named}", told.contracts[named], contract, _ask(chain, told, contract, function))
    stated = replace(told, sandbox=_ask(chain, told, "Governance", "sandbox"), delay_seconds=_ask(chain, told, "Governance", "getMinDelay"))
    for contract in ("Governance", "Brands", "Members"):
        _compare("sandbox", told.sandbox, contract, _ask(chain, told, contract, "sandbox"))
    return stated


def check_delay(told: KnownCoalition, stated: KnownCoalition) -> None:
    """Apart, since a delay may change by an act: what was told once is no lie."""
    _compare("governance_delay_seconds", told.delay_seconds, "Governance", stated.delay_seconds)


def _check_verifier(chain: Chain, told: KnownCoalition) -> None:
    """Who accepts passkeys was built into the members' register; another one would take any consent, or none."""
    verifier = Address.parse(_ask(chain, told, "Members", "passkeyVerifier"))
    if not contract_named("PasskeyVerifier").is_code(chain.code(verifier)):
        raise WrongState(
            f"Members goes by a verifier of passkeys at {verifier}, which is not PasskeyVerifier as it was published: sign nothing, and "
            "ask the other people why"
        )


def _ask(chain: Chain, coalition: KnownCoalition, contract: str, function: str) -> Any:
    artifact = contract_named(contract)
    (found,) = artifact.returned(function, chain.eth_call(coalition.contracts[contract], artifact.call(function)))
    return found


def _compare(what: str, told: Any, contract: str, found: Any) -> None:
    shown = hex_text(found) if isinstance(found, bytes) else found.lower() if isinstance(found, str) else found
    if str(told) != str(shown):
        raise WrongState(
            f"the gateway says that {what} is {told}, the contract {contract} says {shown}: ask the other people; nothing was signed"
        )
