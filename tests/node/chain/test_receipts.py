"""Receipts, blooms and log filters against the libraries Ethereum clients use."""

from eth.rlp.logs import Log as LibraryLog
from eth.rlp.receipts import Receipt as LibraryReceipt
from eth_bloom import BloomFilter
from hypothesis import given
from hypothesis import strategies as st

from node.chain.logs import LogFilter
from node.chain.receipts import Log, Receipt, bloom_of, encode, pack, unpack

WORDS = st.binary(min_size=32, max_size=32)
LOGS = st.lists(
    st.builds(Log, st.binary(min_size=20, max_size=20), st.lists(WORDS, max_size=4).map(tuple), st.binary(max_size=80)), max_size=6
)


def _receipt(logs: list[Log], type_id: int = 2) -> Receipt:
    return Receipt(type_id, True, 21_000, tuple(logs), bloom_of(logs), b"\x01" * 20, None)


@given(LOGS)
def test_the_bloom_is_the_one_an_independent_library_makes(logs: list[Log]) -> None:
    expected = BloomFilter.from_iterable([item for log in logs for item in (log.address, *log.topics)])
    assert int.from_bytes(bloom_of(logs), "big") == int(expected)


@given(LOGS)
def test_the_encoding_is_the_one_an_independent_library_makes(logs: list[Log]) -> None:
    library_logs = [LibraryLog(log.address, [int.from_bytes(topic, "big") for topic in log.topics], log.data) for log in logs]
    expected = LibraryReceipt(state_root=b"\x01", gas_used=21_000, logs=library_logs)
    assert encode(_receipt(logs, type_id=0)) == expected.encode()
    assert encode(_receipt(logs, type_id=2)) == b"\x02" + expected.encode()


@given(LOGS)
def test_packed_receipts_read_back(logs: list[Log]) -> None:
    receipts = [_receipt(logs), Receipt(0, False, 50_000, (), bytes(256), b"\x02" * 20, b"\x03" * 20)]
    assert unpack(pack(receipts, [encode(item) for item in receipts])) == tuple(receipts)


@given(LOGS, WORDS)
def test_a_bloom_never_denies_what_is_in_it(logs: list[Log], other: bytes) -> None:
    bloom = bloom_of(logs)
    for log in logs:
        topics = tuple(frozenset({topic, other}) for topic in log.topics)
        assert LogFilter(frozenset({log.address}), topics).bloom_test()(bloom)
    assert not LogFilter(topics=(frozenset({other}),)).bloom_test()(bytes(256))
    assert LogFilter().bloom_test()(bytes(256))


def test_a_filter_matches_by_address_and_by_topic_position() -> None:
    log = Log(b"\x01" * 20, (b"\x0a" * 32, b"\x0b" * 32), b"")
    anything, here = frozenset[bytes](), frozenset({log.address})
    assert LogFilter().matches(log)
    assert LogFilter(here, (frozenset({b"\x0a" * 32}),)).matches(log)
    assert LogFilter(here, (anything, frozenset({b"\x0b" * 32, b"\x0c" * 32}))).matches(log)
    assert LogFilter(topics=(anything, anything)).matches(log)


def test_a_filter_refuses_another_address_topic_or_too_few_topics() -> None:
    log = Log(b"\x01" * 20, (b"\x0a" * 32,), b"")
    assert not LogFilter(frozenset({b"\x02" * 20})).matches(log)
    assert not LogFilter(topics=(frozenset({b"\x0b" * 32}),)).matches(log)
    assert not LogFilter(topics=(frozenset(), frozenset())).matches(log)
