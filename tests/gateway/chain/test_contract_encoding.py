"""The quick ways of encoding and decoding say what web3's own contract object says."""

from __future__ import annotations

from typing import Any

import pytest
from eth_typing import ABIEvent
from eth_utils import to_checksum_address
from eth_utils.abi import collapse_if_tuple, event_abi_to_log_topic, filter_abi_by_type
from web3 import Web3
from web3.types import LogReceipt

from gateway.chain.artifacts import DEPLOYED, Artifact, brands, error_name, governance, members, points_ledger
from gateway.chain.shapes import Log
from gateway.values.errors import Unavailable
from gateway.values.hex import hex_text, to_bytes
from gateway.values.ids import Address, Hash, MemberId

SOMEBODY, PLACE = Address(b"\x11" * 20), Address(b"\xaa" * 20)
WORD = Hash(b"\x22" * 32)
CALLS: list[tuple[Artifact, str, tuple[Any, ...]]] = [
    (points_ledger(), "submitBatch", ((1, 2, 3), bytes(range(256)) * 5, b"\x33" * 65)),
    (members(), "enroll", ([(1, SOMEBODY, WORD), (2, b"", bytes(32))],)),
    (points_ledger(), "balanceOfBatch", ([MemberId(SOMEBODY)], [2**256 - 1])),
    (brands(), "setBrandTerms", (7, (1, 2, 3, 4, 5, 6, 7), (8, 9, b"\x44" * 65))),
    (brands(), "setBrandKey", (7, SOMEBODY, (0, 2**40 - 1, True), (8, 9, b"\x44" * 65))),
    (governance(), "schedule", (SOMEBODY, 0, b"\x02" * 100, WORD, WORD, 5)),
]
VALUES = {
    "bool": True,
    "address": SOMEBODY,
    "bytes": b"three",
    "bytes4": b"four",
    "bytes32": WORD,
    "string": "four",
    "uint256[]": (5, 6),
    "uint32[]": (7, 8),
    "address[]": (SOMEBODY,),
    "tuple": (1, 2, 3, 4, 5, 6, 7),
}
EVENTS = [
    (artifact, event) for artifact in (load() for load in DEPLOYED.values()) for event in filter_abi_by_type("event", artifact.contract.abi)
]


@pytest.mark.parametrize(("artifact", "function", "arguments"), CALLS, ids=[function for _, function, _ in CALLS])
def test_a_call_is_web3s(artifact: Artifact, function: str, arguments: tuple[Any, ...]) -> None:
    data = artifact.call(function, *arguments)
    assert hex_text(data) == artifact.contract.encode_abi(function, arguments)
    named = artifact.contract.decode_function_input(data)[1]
    assert list(map(_plain, artifact.arguments(function, data))) == list(map(_plain, named.values()))


@pytest.mark.parametrize(("artifact", "event"), EVENTS, ids=[event["name"] for _, event in EVENTS])
def test_an_event_is_web3s(artifact: Artifact, event: ABIEvent) -> None:
    log = _log_of(event)
    found = artifact.event(log)
    assert found is not None
    theirs = artifact.contract.events[event["name"]].process_log(_as_web3_has_it(log))
    assert (found.name, found.log) == (theirs["event"], log)
    assert {name: _plain(value) for name, value in found.values.items()} == {name: _plain(value) for name, value in theirs["args"].items()}
    addresses = [parameter["name"] for parameter in event["inputs"] if parameter["type"] == "address"]
    assert all(isinstance(found.values[name], Address) for name in addresses)


def test_a_log_that_breaks_its_events_form_is_the_nodes_fault() -> None:
    moved = next(event for _, event in EVENTS if event["name"] == "TransferSingle")
    recorded = next(event for _, event in EVENTS if event["name"] == "BatchRecorded")
    short, cut = _log_of(moved, leave_out_topics=1), _log_of(recorded, leave_out_bytes=1)
    for log in (short, cut):
        with pytest.raises(Unavailable, match=r"The node sent"):
            points_ledger().event(log)


def test_what_is_no_event_of_the_contract_is_none() -> None:
    foreign = next(event for artifact, event in EVENTS if artifact is governance() and event["name"] == "RoleGranted")
    assert points_ledger().event(_log_of(foreign)) is None


def test_an_answer_that_breaks_the_abi_is_the_nodes_fault() -> None:
    with pytest.raises(Unavailable, match="ABI"):
        points_ledger().returned("batch", b"")


def test_a_contract_begins_with_its_code_and_its_arguments() -> None:
    creation = brands().creation(SOMEBODY, 3_600)
    code = bytes(brands().contract.bytecode)
    assert creation == code + Web3().codec.encode(["address", "int32"], [SOMEBODY, 3_600])


def test_errors_have_their_names() -> None:
    assert error_name(Web3.keccak(text="BrandUnknown(uint32)")[:4] + bytes(32)) == "BrandUnknown"
    assert error_name(Web3.keccak(text="ApprovalsMissing()")[:4]) == "ApprovalsMissing"
    assert error_name(Web3.keccak(text="BatchSignatureInvalid()")[:4]) == "BatchSignatureInvalid"
    assert error_name(Web3.keccak(text="MemberProofInvalid()")[:4]) == "MemberProofInvalid"
    assert error_name(Web3.keccak(text="RootZero(uint256)")[:4] + bytes(32)) == "RootZero"
    assert error_name(b"\x01\x02\x03\x04") == "0x01020304"
    assert error_name(b"") == "no_reason"


def _log_of(event: ABIEvent, leave_out_topics: int = 0, leave_out_bytes: int = 0) -> Log:
    values = {parameter["name"]: VALUES.get(parameter["type"], 7) for parameter in event["inputs"]}
    codec = Web3().codec
    indexed = [parameter for parameter in event["inputs"] if parameter["indexed"]]
    others = [parameter for parameter in event["inputs"] if not parameter["indexed"]]
    topics = [bytes(event_abi_to_log_topic(event)), *(codec.encode([each["type"]], [values[each["name"]]]) for each in indexed)]
    data = codec.encode([collapse_if_tuple(each) for each in others], [values[each["name"]] for each in others])
    return Log(PLACE, tuple(topics[: len(topics) - leave_out_topics]), data[: len(data) - leave_out_bytes], 1, WORD, WORD, 0)


def _as_web3_has_it(log: Log) -> LogReceipt:
    place = {"logIndex": 0, "transactionIndex": 0, "transactionHash": WORD, "blockHash": WORD, "blockNumber": 1, "removed": False}
    return {"address": to_checksum_address(log.address), "topics": list(log.topics), "data": log.data, **place}  # type: ignore[typeddict-item]


def _plain(value: Any) -> Any:
    """Addresses as bytes, structs and lists as tuples."""
    if isinstance(value, dict):
        return tuple(map(_plain, value.values()))
    if isinstance(value, list | tuple):
        return tuple(map(_plain, value))
    return to_bytes(value) if isinstance(value, str) and value.startswith("0x") else value
