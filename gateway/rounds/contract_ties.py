"""What the deployed contracts go by was built in at their deployment: one another's addresses, the sandbox, the members' delay. Their code
alone does not say which, so they are asked."""

from __future__ import annotations

from typing import Any

from gateway.chain.artifacts import Artifact, brands, governance, members, passkey_verifier, points_ledger, settlement
from gateway.chain.connection import Chain
from gateway.coalition.tables import CoalitionRow
from gateway.values.errors import Foreseen
from gateway.values.ids import Address


class WrongCode(Foreseen):
    """A contract has other code than the committed artifact's, or goes by something else than this coalition began with."""


def check_ties(chain: Chain, row: CoalitionRow) -> None:
    """Raises WrongCode. The projection goes by what the committed verifier of passkeys answers."""
    points, of_brands, of_members = (row.points_address, points_ledger()), (row.brands_address, brands()), (row.members_address, members())
    of_settlement = row.settlement_address, settlement()
    for (address, artifact), view, due in (
        (points, "governance", row.governance_address),
        (points, "brands", row.brands_address),
        (points, "members", row.members_address),
        (points, "settlement", row.settlement_address),
        (of_brands, "governance", row.governance_address),
        (of_members, "governance", row.governance_address),
        (of_members, "pointsLedger", row.points_address),
        (of_settlement, "brands", row.brands_address),
        (of_settlement, "pointsLedger", row.points_address),
    ):
        found = Address.parse(read_view(chain, address, artifact, view))
        if found != due:
            raise WrongCode(f"{artifact.name} at {address} goes by {view} at {found}, not by that at {due}: {_ANOTHER}")
    verifier = Address.parse(read_view(chain, *of_members, "passkeyVerifier"))
    if not passkey_verifier().is_code(chain.code(verifier)):
        raise WrongCode(f"the verifier of passkeys at {verifier} is not that of the committed artifacts: {_ANOTHER}")
    _check_built_in(chain, row)


def read_view(chain: Chain, address: Address, artifact: Artifact, view: str, block_number: int | None = None) -> Any:
    """What a view without arguments answers; at the newest block unless another is named."""
    (found,) = artifact.returned(view, chain.eth_call(address, artifact.call(view), block_number))
    return found


def _check_built_in(chain: Chain, row: CoalitionRow) -> None:
    """Delays may be below days only in a sandbox, and nobody should take one for the other."""
    for address, artifact in ((row.governance_address, governance()), (row.brands_address, brands()), (row.members_address, members())):
        if read_view(chain, address, artifact, "sandbox") != row.sandbox:
            kinds = ("a sandbox", "no sandbox") if row.sandbox else ("no sandbox", "a sandbox")
            raise WrongCode(f"this coalition is {kinds[0]}, but {artifact.name} at {address} was deployed as {kinds[1]}: {_ANOTHER}")
    found = read_view(chain, row.members_address, members(), "memberDelay")
    if found != row.member_delay_seconds:
        raise WrongCode(
            f"Members at {row.members_address} makes members' acts wait {found} seconds, by this gateway's database "
            f"{row.member_delay_seconds}: {_ANOTHER}"
        )


_ANOTHER = "another version deployed this ledger, or the database was changed: put it back from a backup, or begin with another directory"
