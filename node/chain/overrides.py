"""Accounts as a caller wants them to be for one call. Nothing of it is ever stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from eth_typing import Address

from node.chain.rules import NodeState


@dataclass(frozen=True)
class AccountOverride:
    """None leaves a field as it is. `storage` changes single slots, or stands for all of them if `whole_storage`."""

    balance: int | None = None
    nonce: int | None = None
    code: bytes | None = None
    storage: Mapping[int, int] = field(default_factory=dict)
    whole_storage: bool = False


Overrides = Mapping[Address, AccountOverride]


def override(state: NodeState, accounts: Overrides) -> None:
    """What follows takes the changed values for the original ones, as refunds and SSTORE prices look at them."""
    for address, change in accounts.items():
        if change.balance is not None:
            state.set_balance(address, change.balance)
        if change.nonce is not None:
            state.set_nonce(address, change.nonce)
        if change.code is not None:
            state.set_code(address, change.code)
        if change.whole_storage:
            state.delete_storage(address)
        for slot, value in change.storage.items():
            state.set_storage(address, slot, value)
    state.lock_changes()
