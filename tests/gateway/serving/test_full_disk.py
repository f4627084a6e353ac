"""The gateway's disk is full for a while: writes are refused as such, reads go on, and once there is room again nothing was lost."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep

import httpx
import pytest

from gateway.secret_files import read_secret
from tests.builders.served_gateway import bearer, children_of
from tests.end_to_end.served_shop import ServedShop, served_shop
from tests.on_postgresql import SERVER

pytestmark = pytest.mark.skipif(bool(SERVER), reason="the files are SQLite's; a PostgreSQL server has a disk of its own")


@contextmanager
def full_disk(shop: ServedShop) -> Iterator[None]:
    """The system refuses each write of the gateway's processes beyond the first byte of a file."""
    assert shop.process is not None
    processes = [shop.process.pid, *children_of(shop.process.pid)]

    def limit(most: int) -> None:
        for pid in processes:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))

    limit(1)
    try:
        yield
    finally:
        limit(resource.RLIM_INFINITY)


def test_a_full_disk_refuses_writes_and_loses_nothing(tmp_path: Path) -> None:
    with served_shop(tmp_path / "shop") as shop:
        shop.sell("p-1")
        shop.ended()
        headers = bearer(read_secret(shop.agent.folder / "gateway_key"))
        with httpx.Client(base_url=f"http://127.0.0.1:{shop.port}", headers=headers, trust_env=False, timeout=60) as client:
            sale = {"member_id": shop.member, "currency": "USD", "gross_minor": 10_000, **shop.when()}
            with full_disk(shop):
                shop.sell("p-2")
                for number in range(3):
                    refused = client.post(
                        "/v1/purchases", json={"payment_id": f"q-{number}", **sale}, headers={"Idempotency-Key": f"q-{number}"}
                    )
                    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable"), refused.text
                assert client.get("/v1/purchases/p-1").json()["points"] == 100
                sleep(2)  # the worker, too, meets the full disk
            shop.sell("p-3", "q-0")
            assert {one["outcome"] for one in shop.ended().values()} == {"confirmed"}
            assert client.get("/v1/purchases/q-1").status_code == 404
        assert shop.counted() == {"issue": 4}
        shop.audit()
