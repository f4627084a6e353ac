"""What the gateway takes from a signer's answer: a signature, indexes of its own question, codes; every other answer is refused whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from socket import socket
from time import monotonic

import pytest

from gateway.brands.http_signer import HttpSigner
from gateway.foreign.addresses import AddressPolicy
from gateway.rounds.signer_port import NotReached, NumberTaken, Signed, SignerAddress, SignerRefusal, SigningRequest
from gateway.values.errors import Unavailable
from tests.gateway.hostile.hostile_signer import HostileSigner, drips, hostile, nested, nested_within_the_bound, refuses, says

Misdeed = Callable[[HostileSigner, socket], None]
REQUEST = SigningRequest(1, 1, 1, b"\x01", [{}, {}])  # two entries
SIGNATURE = "0x" + "11" * 65
REFUSED: dict[str, Misdeed] = {
    "nested objects": nested(b'{"a":'),
    "nested signature": nested_within_the_bound(200),
    "forged head": says({"signature": SIGNATURE}, 200, "X: y\r\n: z"),
    "compressed, it says": says({"signature": SIGNATURE}, 200, "Content-Encoding: br"),
    "redirect": says({"signature": SIGNATURE}, 307, "Location: http://127.0.0.1:9/sign-batch"),
    "accepted": says({"signature": SIGNATURE}, 202),
    "not UTF-8": says(b'{"signature": "\xff"}'),
    "nothing": says(b""),
    "no object": says([7]),
    "null": says(b"null"),
    "no signature": says({}),
    "short signature": says({"signature": SIGNATURE[:-2]}),
    "long signature": says({"signature": SIGNATURE + "11"}),
    "signature of no hex": says({"signature": "0x" + "1_" * 65}),
    "signature is a number": says({"signature": 7}),
    "index 1.0": refuses("1.0"),
    "index is a truth value": refuses("true"),
    "index is a text": refuses('"1"'),
    "index of no entry": refuses("2"),
    "index below 0": refuses("-1"),
    "index is nothing": refuses("null"),
    "index of 4000 digits": refuses("1" * 4_000),
    "index is no number": refuses("NaN"),
    "reason with a NUL": refuses("0", r'"\u0000"'),
    "reason with a space": refuses("0", '"not today"'),
    "reason that ends in a new line": refuses("0", r'"no\n"'),
    "reason in other letters": refuses("0", '"ｎｏ"'),
    "reason of 65 letters": refuses("0", '"' + "a" * 65 + '"'),
    "reason is empty": refuses("0", '""'),
    "reason is no text": refuses("0", '{"no": 1}'),
    **{
        f"batch number {number!r}": says({"refused": [{"index": 0, "reason": "already_signed", "number": number}]}, 409)
        for number in (0, -1, 2**63, 1.0, True, "7", [7])
    },
    "one refused twice": says({"refused": [{"index": 0, "reason": "no"}] * 2}, 409),
    "none refused": says({"refused": []}, 409),
    "refused is an object": says({"refused": {"index": 0, "reason": "no"}}, 409),
    "one is no object": says({"refused": [7]}, 409),
    "above the bound": says({"refused": [{"index": 0, "reason": "no", "why": "y" * 65_536}]}, 409),
}


@pytest.fixture
def client() -> Iterator[HttpSigner]:
    made = HttpSigner(5.0, AddressPolicy(loopback=True))
    yield made
    made.close()


def answer_to(client: HttpSigner, misdeed: Misdeed) -> Signed | SignerRefusal:
    with hostile(misdeed) as signer:
        return client.sign(SignerAddress(signer.url, "token"), REQUEST)


@pytest.mark.parametrize("name", REFUSED)
def test_any_other_answer_is_refused_whole(client: HttpSigner, name: str) -> None:
    with pytest.raises(Unavailable, match=r"^The signer at http://127\.0\.0\.1:\d+ (does not answer|answered \d+): [ -~]{1,120}$"):
        answer_to(client, REFUSED[name])


def test_a_signature_and_refused_entries_are_taken_and_nothing_beside_them(client: HttpSigner) -> None:
    assert answer_to(client, says({"signature": SIGNATURE, "more": [[]]})) == Signed(bytes.fromhex(SIGNATURE[2:]))
    longest = "a" * 64
    told = {"refused": [{"index": 1, "reason": longest, "why": "\n"}, {"index": 0, "reason": "no_1"}], "more": "\n"}
    assert answer_to(client, says(told, 409)) == SignerRefusal({1: longest, 0: "no_1"})
    told = {"refused": [{"index": 1, "reason": "already_signed", "number": 7}, {"index": 0, "reason": "no_1", "number": None}]}
    assert answer_to(client, says(told, 409)) == SignerRefusal({1: "already_signed", 0: "no_1"}, {1: 7})


def test_the_batch_that_was_signed_is_read_and_no_other(client: HttpSigner) -> None:
    with hostile(says({"number": 7, "entries": "0x" + "01" * 100_000})) as signer:
        address = SignerAddress(signer.url, "token")
        assert client.signed(address, 7) == b"\x01" * 100_000
        with pytest.raises(Unavailable, match="not the batch 8"):
            client.signed(address, 8)
    for misdeed in (says({"number": 7}), says({"number": 7, "entries": "0x" + "01" * 300_000}), says({"error": "not_found"}, 404), drips):
        with hostile(misdeed) as signer, pytest.raises(Unavailable):
            client.signed(SignerAddress(signer.url, "token"), 7)


def test_300_entries_refused_with_the_longest_codes_are_read(client: HttpSigner) -> None:
    told = {"refused": [{"index": index, "reason": "a" * 64} for index in range(300)]}
    with hostile(says(told, 409)) as signer:
        answer = client.sign(SignerAddress(signer.url, "token"), SigningRequest(1, 1, 1, b"\x01", [{}] * 300))
    assert isinstance(answer, SignerRefusal)
    assert len(answer.reasons) == 300


def test_a_number_that_is_taken_is_told_in_no_words_of_the_signers(client: HttpSigner) -> None:
    with pytest.raises(NumberTaken) as taken:
        answer_to(client, says({"error": "number_used", "message": "\n"}, 409))
    assert str(taken.value) == ""


def test_a_signer_that_is_elsewhere_was_not_asked(client: HttpSigner) -> None:
    for url in ("http://127.0.0.1:1", "http://", "http://[::", "ftp://127.0.0.1", "http://127.0.0.1:99999", "http://ex ample", "http://é"):
        with pytest.raises(NotReached, match=r"^The signer at [ -~é]* is not there: [ -~]+$"):
            client.sign(SignerAddress(url, "token"), REQUEST)


def test_a_question_ends_when_its_whole_time_is_over() -> None:
    client, began = HttpSigner(0.5, AddressPolicy(loopback=True)), monotonic()
    with pytest.raises(Unavailable, match="its time is over"):
        answer_to(client, drips)
    assert monotonic() - began < 2
    client.close()
