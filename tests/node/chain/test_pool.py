"""The pool of waiting transactions: order, replacement, gaps, funds."""

import pytest
from eth_account.signers.local import LocalAccount

from node.chain.errors import (
    AlreadyKnown,
    InsufficientFunds,
    InvalidSender,
    NonceTooHigh,
    NonceTooLow,
    PoolFull,
    ReplacementUnderpriced,
)
from node.chain.pool import NONCE_GAP_MAX, Pool, SenderState
from node.chain.transactions import Transaction, decode
from tests.node.running_node import throwaway_account

ALICE, BOB = throwaway_account("alice"), throwaway_account("bob")
RICH = SenderState(nonce=0, balance=10**18)


def _transaction(account: LocalAccount, nonce: int, fee: int = 100, value: int = 0, data: bytes = b"") -> Transaction:
    fields = {"type": 2, "chainId": 1, "nonce": nonce, "gas": 21_000, "to": BOB.address, "value": value, "data": data}
    return decode(account.sign_transaction(fields | {"maxFeePerGas": fee, "maxPriorityFeePerGas": fee}).raw_transaction)


def test_candidates_come_by_arrival_and_each_senders_by_nonce() -> None:
    pool = Pool()
    late, other, early = _transaction(ALICE, 1), _transaction(BOB, 0), _transaction(ALICE, 0)
    for transaction in (late, other, early):
        pool.add(transaction, RICH)
    assert pool.candidates(lambda _: 0) == [other, early, late]


def test_a_transaction_after_a_gap_waits_for_it_to_close() -> None:
    pool = Pool()
    pool.add(_transaction(ALICE, 1), RICH)
    assert pool.candidates(lambda _: 0) == []
    pool.add(_transaction(ALICE, 0), RICH)
    assert [item.nonce for item in pool.candidates(lambda _: 0)] == [0, 1]


def test_the_next_nonce_counts_only_the_unbroken_run() -> None:
    pool = Pool()
    for nonce in (0, 1, 3):
        pool.add(_transaction(ALICE, nonce), RICH)
    sender = _transaction(ALICE, 0).sender
    assert pool.next_nonce(sender, 0) == 2
    assert pool.next_nonce(sender, 5) == 5


def test_a_known_transaction_is_refused() -> None:
    pool = Pool()
    pool.add(_transaction(ALICE, 0), RICH)
    with pytest.raises(AlreadyKnown):
        pool.add(_transaction(ALICE, 0), RICH)


def test_a_replacement_must_pay_a_tenth_more() -> None:
    pool = Pool()
    pool.add(_transaction(ALICE, 0, fee=100), RICH)
    with pytest.raises(ReplacementUnderpriced):
        pool.add(_transaction(ALICE, 0, fee=109), RICH)
    replacement = _transaction(ALICE, 0, fee=110)
    pool.add(replacement, RICH)
    assert pool.candidates(lambda _: 0) == [replacement]
    assert len(pool) == 1


def test_a_used_nonce_and_one_too_far_ahead_are_refused() -> None:
    pool = Pool()
    with pytest.raises(NonceTooLow):
        pool.add(_transaction(ALICE, 4), SenderState(nonce=5, balance=10**18))
    with pytest.raises(NonceTooHigh):
        pool.add(_transaction(ALICE, NONCE_GAP_MAX + 1), RICH)


def test_all_of_a_senders_waiting_cost_must_be_covered() -> None:
    pool = Pool()
    state = SenderState(nonce=0, balance=2 * 2_100_000 + 5)
    pool.add(_transaction(ALICE, 0), state)
    with pytest.raises(InsufficientFunds):
        pool.add(_transaction(ALICE, 1, value=6), state)
    pool.add(_transaction(ALICE, 1, value=5), state)


def test_a_contract_cannot_send() -> None:
    with pytest.raises(InvalidSender):
        Pool().add(_transaction(ALICE, 0), SenderState(nonce=0, balance=10**18, has_code=True))


def test_sealed_transactions_leave_with_whatever_waited_at_their_nonce() -> None:
    pool = Pool()
    sealed = _transaction(ALICE, 0, fee=100)
    pool.add(sealed, RICH)
    pool.add(_transaction(ALICE, 0, fee=200), RICH)
    pool.remove([sealed])
    assert len(pool) == 0


def test_a_transaction_sent_again_while_it_was_sealed_does_not_stay_for_good() -> None:
    pool = Pool()
    pool.add(_transaction(ALICE, 0), RICH)
    assert pool.candidates(lambda _: 1) == []
    assert len(pool) == 0


def test_a_full_pool_refuses_what_is_new_and_takes_replacements() -> None:
    pool = Pool(transactions_max=2)
    pool.add(_transaction(ALICE, 0), RICH)
    pool.add(_transaction(ALICE, 1), RICH)
    with pytest.raises(PoolFull):
        pool.add(_transaction(BOB, 0), RICH)
    pool.add(_transaction(ALICE, 1, fee=200), RICH)
    pool.discard(pool.candidates(lambda _: 0)[0])
    pool.add(_transaction(BOB, 0), RICH)
    assert len(pool) == 2


def test_the_pools_bytes_are_bounded_and_freed_with_what_leaves() -> None:
    first, second = _transaction(ALICE, 0), _transaction(ALICE, 1)
    pool = Pool(bytes_max=len(first.raw) + len(second.raw) - 1)
    pool.add(first, RICH)
    with pytest.raises(PoolFull):
        pool.add(second, RICH)
    pool.remove([first])
    pool.add(second, SenderState(nonce=1, balance=10**18))


def test_a_replacement_counts_with_the_bytes_it_brings_and_without_those_it_drives_out() -> None:
    small = _transaction(ALICE, 0)
    pool = Pool(bytes_max=3 * len(small.raw))
    pool.add(small, RICH)
    with pytest.raises(PoolFull):
        pool.add(_transaction(ALICE, 0, fee=200, data=bytes(3 * len(small.raw))), RICH)
    assert pool.all() == [small]
    larger = _transaction(ALICE, 0, fee=200, data=bytes(len(small.raw)))
    pool.add(larger, RICH)
    pool.add(_transaction(ALICE, 0, fee=300, data=bytes(len(small.raw))), RICH)  # two of them would not fit
    assert [item.signed.max_fee_per_gas for item in pool.all()] == [300]


def test_what_closes_a_gap_gets_into_a_full_pool_and_the_latest_behind_a_gap_goes() -> None:
    pool = Pool(transactions_max=3)
    for nonce in (1, 2, 3):
        pool.add(_transaction(ALICE, nonce), RICH)
    with pytest.raises(PoolFull):
        pool.add(_transaction(ALICE, 4), RICH)
    with pytest.raises(PoolFull):
        pool.add(_transaction(BOB, 1), RICH)
    pool.add(_transaction(ALICE, 0), RICH)
    assert [item.nonce for item in pool.candidates(lambda _: 0)] == [0, 1, 2]


def test_large_ones_behind_a_gap_keep_nobody_out() -> None:
    large = [_transaction(ALICE, nonce, data=bytes(1_000)) for nonce in (1, 2, 3)]
    pool = Pool(bytes_max=sum(len(item.raw) for item in large))
    for item in large:
        pool.add(item, RICH)
    theirs = [_transaction(BOB, 0), _transaction(BOB, 1)]
    for item in theirs:
        pool.add(item, RICH)
    assert pool.candidates(lambda _: 0) == theirs
    assert sorted(item.nonce for item in pool.all() if item.sender == large[0].sender) == [1, 2]


def test_what_a_block_can_take_in_is_never_driven_out() -> None:
    pool = Pool(transactions_max=2)
    for nonce in (0, 1):
        pool.add(_transaction(ALICE, nonce), RICH)
    with pytest.raises(PoolFull):
        pool.add(_transaction(BOB, 0), RICH)
    assert [item.nonce for item in pool.candidates(lambda _: 0)] == [0, 1]


def test_what_follows_on_a_sealed_transaction_is_not_taken_to_be_behind_a_gap() -> None:
    pool = Pool(transactions_max=2)
    first, second = _transaction(ALICE, 0), _transaction(ALICE, 1)
    for item in (first, second):
        pool.add(item, RICH)
    pool.remove([first])
    pool.add(_transaction(BOB, 0), RICH)
    with pytest.raises(PoolFull):
        pool.add(_transaction(BOB, 1), RICH)
    assert second in pool.all()


def test_nothing_is_driven_out_for_what_does_not_fit_even_so() -> None:
    waiting = _transaction(ALICE, 1)
    pool = Pool(bytes_max=2 * len(waiting.raw))
    pool.add(waiting, RICH)
    with pytest.raises(PoolFull):
        pool.add(_transaction(BOB, 0, data=bytes(1_000)), RICH)
    assert pool.all() == [waiting]


def test_both_fees_of_a_replacement_must_rise() -> None:
    pool = Pool()
    fields = {"type": 2, "chainId": 1, "nonce": 0, "gas": 21_000, "to": BOB.address, "value": 0, "maxPriorityFeePerGas": 10}
    for max_fee in (100, 200):
        transaction = decode(ALICE.sign_transaction(fields | {"maxFeePerGas": max_fee}).raw_transaction)
        if max_fee == 100:
            pool.add(transaction, RICH)
        else:
            with pytest.raises(ReplacementUnderpriced):
                pool.add(transaction, RICH)


def test_arrivals_are_named_once_in_order_replacements_too_and_refusals_never() -> None:
    pool = Pool()
    pool.add(_transaction(ALICE, 0), RICH)
    seen = pool.arrivals
    later = [_transaction(BOB, 0), _transaction(ALICE, 0, fee=200)]
    for transaction in later:
        pool.add(transaction, RICH)
    with pytest.raises(AlreadyKnown):
        pool.add(later[0], RICH)
    assert pool.arrived_since(seen) == ([item.hash for item in later], 3)
    assert pool.arrived_since(3) == ([], 3)


def test_the_bell_rings_for_each_arrival_until_one_leaves() -> None:
    pool, rung = Pool(), list[int]()

    def listener() -> None:
        rung.append(len(pool))

    pool.arrival.listen(listener)
    pool.add(_transaction(ALICE, 0), RICH)
    pool.arrival.leave(listener)
    pool.add(_transaction(ALICE, 1), RICH)
    assert rung == [1]
