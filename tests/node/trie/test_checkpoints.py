"""Any nesting of checkpoints over the storages of some accounts reads, and ends, as py-evm's own account database does."""

from random import Random

import pytest
from eth.constants import BLANK_ROOT_HASH
from eth.db.account import AccountDB

from node.chain.state import StateOverlay
from node.chain.trie.accounts import BatchedAccounts

ADDRESSES = [bytes([number]) * 20 for number in range(1, 6)]
SLOTS = range(4)
STEPS, DEPTH_MAX = 400, 12


def databases() -> tuple[AccountDB, BatchedAccounts]:
    both = AccountDB(StateOverlay(lambda _: None), BLANK_ROOT_HASH), BatchedAccounts(StateOverlay(lambda _: None), BLANK_ROOT_HASH)
    for database in both:
        for address in ADDRESSES:
            database.set_nonce(address, 1)
            database.set_storage(address, 0, 7)
        database.persist()
    return both


def contents(database: AccountDB) -> list[object]:
    slots = [(address, slot) for address in ADDRESSES for slot in SLOTS]
    values = [(database.get_storage(*at), database.get_storage(*at, from_journal=False)) for at in slots]
    return [*values, *(database.get_balance(address) for address in ADDRESSES)]


@pytest.mark.parametrize("seed", range(12))
def test_nested_checkpoints_end_as_py_evms_do(seed: int) -> None:
    random, both = Random(seed), databases()
    open_checkpoints: list[tuple[object, object]] = []
    for _ in range(STEPS):
        way = random.choices(("write", "record", "commit", "discard", "send", "end of transaction", "persist"), (8, 6, 3, 3, 2, 1, 0.3))[0]
        address, slot, value = random.choice(ADDRESSES), random.choice(SLOTS), random.randrange(3)
        if way == "write":
            for database in both:
                database.set_storage(address, slot, value)
        elif way == "send":
            for database in both:
                database.set_balance(address, value)
        elif way == "record" and len(open_checkpoints) < DEPTH_MAX:
            open_checkpoints.append((both[0].record(), both[1].record()))
        elif way in ("commit", "discard") and open_checkpoints:
            at = max(0, len(open_checkpoints) - random.choice((1, 1, 1, 2, 5)))  # an outer one ends those inside it
            for database, checkpoint in zip(both, open_checkpoints[at], strict=True):
                getattr(database, way)(checkpoint)
            del open_checkpoints[at:]
        elif way == "end of transaction" and not open_checkpoints:
            wiped = random.random() < 0.3
            for database in both:
                if wiped:
                    database.delete_account(address)
                    database.set_nonce(address, 1)
                database.lock_changes()
        elif way == "persist" and not open_checkpoints:
            for database in both:
                database.persist()
            assert both[0].state_root == both[1].state_root
        assert contents(both[0]) == contents(both[1]), way
    for database, checkpoint in zip(both, open_checkpoints[0] if open_checkpoints else (None, None), strict=True):
        if checkpoint is not None:
            database.discard(checkpoint)
        database.persist()
    assert both[0].state_root == both[1].state_root


def test_a_deletion_that_is_taken_back_brings_the_storage_back() -> None:
    for database in databases():
        outer = database.record()
        database.set_storage(ADDRESSES[0], 1, 5)
        inner = database.record()
        database.delete_account(ADDRESSES[0])
        assert database.get_storage(ADDRESSES[0], 0) == database.get_storage(ADDRESSES[0], 1) == 0
        database.discard(inner)
        assert database.get_storage(ADDRESSES[0], 1) == 5
        database.discard(outer)
        assert (database.get_storage(ADDRESSES[0], 0), database.get_storage(ADDRESSES[0], 1)) == (7, 0)


def test_many_storages_and_many_calls_are_not_multiplied() -> None:
    """What a storage hears of checkpoints does not grow with checkpoints in which nobody writes to it."""
    _, database = databases()
    for address in ADDRESSES:
        database.set_storage(address, 1, 9)
    for _ in range(100):
        database.commit(database.record())
        database.discard(database.record())
    assert database._marked == []
    for store in database._account_stores.values():
        assert len(store._journal_storage._journal._journal_data) == 1  # type: ignore[attr-defined]
