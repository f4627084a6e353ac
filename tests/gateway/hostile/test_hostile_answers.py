"""Whatever a brand's signer answers: another brand's purchases are confirmed meanwhile and after a restart, nothing it said is shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from socket import socket
from time import monotonic

import pytest

from tests.builders.coalition import CoalitionBuilder
from tests.gateway.hostile.attacked import QUESTION_SECONDS, confirm, point_at, said_of, status_of
from tests.gateway.hostile.hostile_signer import (
    MEBIBYTE,
    HostileSigner,
    drips,
    drips_its_head,
    gzip_bomb,
    hangs,
    hostile,
    huge_head,
    nested,
    nested_within_the_bound,
    never_begins,
    never_ends,
    refuses,
    says,
)

FORGED = "2026-01-01 00:00:00,000 INFO gateway: all is well"
ATTACKS: dict[str, Callable[[HostileSigner, socket], None]] = {
    "drips": drips,
    "drips its head": drips_its_head,
    "never ends": never_ends,
    "never begins": never_begins,
    "gzip bomb": gzip_bomb(),
    "nested": nested(),
    "nested, small": nested_within_the_bound(),
    "huge head": huge_head(),
    "a page": says(b"<html>Welcome</html>"),
    "nobody's signature": says({"signature": "0x" + "11" * 64 + "1b"}),
    "index 2^70": refuses(str(2**70)),
    "index 1e999": refuses("1e999"),
    "lone surrogate": refuses("0", r'"\ud800x"'),
    "reason with a new line": refuses("0", rf'"no\n{FORGED}"'),
    "says too much": says({"error": f"wrong\n{FORGED}", "message": f"\x1b[2J{FORGED}"}, 500),
}
SHOWN = r"The signer at http://127\.0\.0\.1:\d+ (does not answer|answered \d+): [ -~]{1,120}|[ -~]*valid key[ -~]*"


@pytest.mark.parametrize("name", ATTACKS)
def test_an_answer_harms_nobody_else(coalition: CoalitionBuilder, caplog: pytest.LogCaptureFixture, name: str) -> None:
    attacker, other = coalition.member_keys
    with hostile(ATTACKS[name]) as signer:
        point_at(coalition, 1, signer.url)
        attacked, beside = coalition.purchase(1, attacker), coalition.purchase(2, other)
        confirm(coalition, beside)
        coalition.turn_until(lambda: said_of(coalition, 1) != "", QUESTION_SECONDS + 9)
        assert re.fullmatch(SHOWN, said_of(coalition, 1))
        assert signer.sent < 8 * MEBIBYTE, "what was not read stays with the attacker and in the sockets' buffers"
        coalition.restart_worker()
        afterwards = coalition.purchase(2, other)
        confirm(coalition, afterwards)
        assert status_of(coalition, attacked) == "packed"
    shown = caplog.text + said_of(coalition, 1)
    assert FORGED not in shown
    assert "Traceback" not in shown
    point_at(coalition, 1, coalition.brands[1].url)
    confirm(coalition, attacked)


def test_a_redirect_is_not_followed(coalition: CoalitionBuilder) -> None:
    with hostile(hangs) as elsewhere, hostile(says(b"", 307, f"Location: {elsewhere.url}/sign-batch")) as signer:
        point_at(coalition, 1, signer.url)
        coalition.purchase(1, next(iter(coalition.member_keys)))
        coalition.turn_until(lambda: "answered 307" in said_of(coalition, 1), 10)
        assert signer.asked_at
        assert not elsewhere.asked_at


def test_credentials_in_a_signers_url_are_neither_shown_nor_logged(coalition: CoalitionBuilder, caplog: pytest.LogCaptureFixture) -> None:
    with hostile(says({}, 500)) as signer:
        point_at(coalition, 1, signer.url.replace("//", "//ann:s3cret@"))
        coalition.purchase(1, next(iter(coalition.member_keys)))
        coalition.turn_until(lambda: "answered 500" in said_of(coalition, 1), 10)
        assert "s3cret" not in said_of(coalition, 1) + caplog.text


@pytest.mark.parametrize("place", ["169.254.169.254", "[::ffff:169.254.169.254]", "10.0.0.1", "0.0.0.0"])
def test_a_signer_at_a_forbidden_address_is_never_connected_to(coalition: CoalitionBuilder, place: str) -> None:
    began = monotonic()
    point_at(coalition, 1, f"http://{place}/latest/meta-data")
    beside = coalition.purchase(2, next(iter(coalition.member_keys)))
    coalition.purchase(1, next(iter(coalition.member_keys)))
    coalition.turn_until(lambda: "is not there" in said_of(coalition, 1) and status_of(coalition, beside) == "confirmed", 10)
    assert re.search(r"never connected to|signer_networks", said_of(coalition, 1))
    assert monotonic() - began < 10
