"""The access list with which a message would run (EIP-2930): found by running it until the list no longer grows."""

from dataclasses import dataclass, replace

from node.chain.blocks import gas_charged
from node.chain.execution import Call, Scene, free_of_charge, run_on
from node.chain.failures import failure_text
from node.chain.tracing.touched import Touched
from node.chain.tracing.watched import watched_state

ROUNDS_MAX = 8  # each adds at least an entry; code that looks at its own gas could go on and on
AccessList = tuple[tuple[bytes, tuple[int, ...]], ...]


@dataclass(frozen=True)
class FoundAccessList:
    access_list: AccessList
    gas_used: int
    failure: str | None


def access_list_of(scene: Scene, request: Call) -> FoundAccessList:
    given = request.access_list
    for _ in range(ROUNDS_MAX):
        touched = Touched()
        watched = replace(scene, state_class=watched_state(touched))
        state = free_of_charge(watched, request).state()
        computation = run_on(state, request)
        free = {request.sender, bytes(computation.msg.storage_address), *computation.precompiles}
        found = _merged(given, touched, free)
        failure = failure_text(computation.error) if computation.is_error else None
        if found == request.access_list:
            break
        request = replace(request, access_list=found)
    return FoundAccessList(found, gas_charged(request.gas, computation), failure)


def _merged(given: AccessList, touched: Touched, free: set[bytes]) -> AccessList:
    """Accounts that cost nothing to touch stand there only if their slots do."""
    slots = {address: set(keys) for address, keys in given}
    for address, keys in touched.slots.items():
        if keys or address not in free:
            slots.setdefault(address, set()).update(keys)
    return tuple((address, tuple(sorted(keys))) for address, keys in sorted(slots.items()))
