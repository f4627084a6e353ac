"""geth's prestateTracer: the accounts a transaction touched as they were before it, or what it changed."""

from dataclasses import dataclass

from node.chain.budget import Hold
from node.chain.rules import NodeState
from node.chain.tracing.replay import Replay
from node.chain.tracing.touched import Touched


@dataclass(frozen=True)
class AccountState:
    """A part that did not change, or is empty, is None."""

    balance: int | None
    nonce: int | None
    code: bytes | None
    storage: dict[int, int]


States = dict[bytes, AccountState]


def prestate(done: Replay, touched: Touched, hold: Hold) -> States:
    """Slots that were empty are left out, as are empty code and a nonce of 0."""
    found: States = {}
    for address, slots in _all_touched(done, touched).items():
        storage = {slot: done.before.get_storage(address, slot) for slot in slots}  # type: ignore[arg-type]
        balance, nonce, code = _account(done.before, address)
        hold(2 * len(code))
        found[address] = AccountState(balance, nonce or None, code or None, storage)
    return found


def difference(done: Replay, touched: Touched, hold: Hold) -> tuple[States, States]:
    """Changed accounts whole as they were, and of the new state only what differs."""
    before, after = {}, {}
    for address, slots in _all_touched(done, touched).items():
        old, new = _account(done.before, address), _account(done.after, address)
        storage = {slot: (done.before.get_storage(address, slot), done.after.get_storage(address, slot)) for slot in slots}  # type: ignore[arg-type]
        changed = {slot: pair for slot, pair in storage.items() if pair[0] != pair[1]}
        if old == new and not changed:
            continue
        hold(2 * (len(old[2]) + len(new[2])))
        existed = old != (0, 0, b"")
        if existed:
            old_slots = {slot: pair[0] for slot, pair in changed.items() if pair[0]}
            before[address] = AccountState(old[0], old[1] or None, old[2] or None, old_slots)
        if new != (0, 0, b""):
            balance, nonce, code = (value if value != earlier else None for value, earlier in zip(new, old, strict=True))
            new_slots = {slot: pair[1] for slot, pair in changed.items() if pair[1]}
            after[address] = AccountState(balance, nonce, code, new_slots)  # type: ignore[arg-type]
    return before, after


def _all_touched(done: Replay, touched: Touched) -> dict[bytes, set[int]]:
    """What the code touched, and what every transaction does."""
    receiver = bytes(done.computation.msg.storage_address)
    always = (bytes(done.message.sender), receiver, bytes(done.header.coinbase))
    return {**{address: set[int]() for address in always}, **touched.slots}


def _account(state: NodeState, address: bytes) -> tuple[int, int, bytes]:
    return state.get_balance(address), state.get_nonce(address), state.get_code(address)  # type: ignore[arg-type]
