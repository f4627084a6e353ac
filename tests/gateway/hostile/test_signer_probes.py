"""A signer that is tried out may be anybody's program: it takes seconds, one place of its own brand's, and leads nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep

import pytest

from gateway.brands.http_signer import HttpSigner
from gateway.foreign.addresses import AddressPolicy
from tests.builders.offline_coalition import OfflineCoalition
from tests.gateway.hostile.hostile_signer import (
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
    says,
)
from tests.gateway.hostile.test_answers_read import Misdeed


@pytest.fixture
def coalition(tmp_path: Path) -> Iterator[OfflineCoalition]:
    signers = HttpSigner(1, AddressPolicy(loopback=True))
    made = OfflineCoalition(tmp_path, signers)
    made.brand(1)
    yield made
    made.close()
    signers.close()


@pytest.mark.parametrize(
    "misdeed",
    [
        nested(),
        nested_within_the_bound(200),
        says(b'{"brand_id": 1e999}'),
        gzip_bomb(),
        huge_head(),
        never_ends,
        never_begins,
        hangs,
        drips,
        drips_its_head,
    ],
)
def test_a_hostile_signer_is_unclear_within_seconds(coalition: OfflineCoalition, misdeed: Misdeed) -> None:
    began = monotonic()
    with hostile(misdeed) as signer:
        told = coalition.post("brand:1", "/v1/brands/1/settings", {"signer_url": signer.url}).json()["signer"]
    assert (told["result"], monotonic() - began < 10) == ("unclear", True)
    assert re.fullmatch(r"[ -~]{1,250}", told["said"])


def test_nobody_is_led_elsewhere_by_a_signer(coalition: OfflineCoalition) -> None:
    with hostile(says({})) as elsewhere, hostile(says({}, 307, f"Location: {elsewhere.url}/healthz")) as signer:
        told = coalition.post("brand:1", "/v1/brands/1/settings", {"signer_url": signer.url}).json()["signer"]
        assert (told["result"], len(signer.asked_at), elsewhere.asked_at) == ("unclear", 1, [])


def test_no_signer_is_looked_for_where_the_gateway_may_not_go(coalition: OfflineCoalition, tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    signers = HttpSigner(2, AddressPolicy())
    elsewhere = OfflineCoalition(tmp_path / "live", signers)
    elsewhere.brand(1)
    with hostile(says({})) as signer:
        told = elsewhere.post("brand:1", "/v1/brands/1/settings", {"signer_url": signer.url}).json()["signer"]
        assert (told["result"], signer.asked_at) == ("not_there", [])
    assert "signer_networks" in told["said"]
    elsewhere.close()
    signers.close()


def test_a_brand_has_one_silent_signer_asked_at_a_time(tmp_path: Path) -> None:
    signers = HttpSigner(60, AddressPolicy(loopback=True))
    coalition = OfflineCoalition(tmp_path, signers)
    coalition.brand(1)
    coalition.brand(2)
    with hostile(hangs) as signer, ThreadPoolExecutor(1) as another:
        first = another.submit(coalition.post, "brand:1", "/v1/brands/1/settings", {"signer_url": signer.url})
        while not signer.asked_at:
            sleep(0.01)
        refused = coalition.post("brand:1", "/v1/brands/1/signer-probe", {})
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
        assert coalition.post("brand:1", "/v1/brands/1/settings", {"signer_url": signer.url}).json()["signer"] is None
        assert coalition.post("brand:2", "/v1/brands/2/signer-probe", {}).json()["result"] == "not_there"
        signer.over.set()
        assert first.result().json()["signer"]["result"] == "unclear"
    assert coalition.post("brand:1", "/v1/brands/1/signer-probe", {}).json()["result"] == "not_there"
    coalition.close()
    signers.close()
