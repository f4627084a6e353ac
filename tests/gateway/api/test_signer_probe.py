"""How a brand's signer is found is told when it is registered, moved or asked after, and refuses nothing. The signer is the real one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.access.tables import PrivilegedActionRow
from gateway.brand_signer.books import Books
from gateway.brand_signer.config import Programme
from gateway.brand_signer.journal import Journal
from gateway.brand_signer.json_server import JsonServer, serve_on
from gateway.brand_signer.key import Key
from gateway.brand_signer.routes import PUBLIC, routes_of
from gateway.brand_signer.sales_register import FileRegister
from gateway.brand_signer.sign_batch import BatchSigner
from gateway.brands.http_signer import HttpSigner
from gateway.foreign.addresses import AddressPolicy
from gateway.ledger.signing import Domain
from gateway.secret_files import read_or_make
from gateway.values.ids import Address, Hash
from tests.builders.offline_coalition import COALITION_ID, POINTS_ADDRESS, OfflineCoalition, brand_body, purchase_body

BRAND = 5


@pytest.fixture
def coalition(tmp_path: Path) -> Iterator[OfflineCoalition]:
    signers = HttpSigner(2, AddressPolicy(loopback=True))
    made = OfflineCoalition(tmp_path, signers)
    yield made
    made.close()
    signers.close()


def test_a_registration_tells_how_its_signer_was_found(coalition: OfflineCoalition, tmp_path: Path) -> None:
    with _signer(tmp_path / "signer") as (server, named):
        url = server.url
        answer = coalition.post("operator", "/v1/brands", brand_body(BRAND, signer_url=url, **named))
    said = f"the signer at {url} is this brand's, has its key and knows the token"
    assert (answer.status_code, answer.json()["signer"]) == (202, {"result": "ok", "said": said})


def test_a_mistyped_signer_is_registered_told_and_corrected(coalition: OfflineCoalition, tmp_path: Path) -> None:
    with _signer(tmp_path / "signer") as (server, named):
        nowhere = "http://127.0.0.1:9"
        answer = coalition.post("operator", "/v1/brands", brand_body(BRAND, signer_url=nowhere, key_address=named["key_address"]))
        assert (answer.status_code, answer.json()["signer"]["result"]) == (202, "not_there")
        said = f"The signer at {nowhere} is not there: Connection refused. Start the signer there, or correct signer_url"
        assert answer.json()["signer"]["said"] == said
        moved = coalition.post("operator", f"/v1/brands/{BRAND}/settings", {"signer_url": server.url})
        assert (moved.status_code, moved.json()["signer"]["result"], moved.json()["signer_url"]) == (201, "wrong_token", server.url)
        told = coalition.post("operator", f"/v1/brands/{BRAND}/settings", {"signer_token": named["signer_token"]})
        assert told.json()["signer"]["result"] == "ok"
        assert coalition.post("operator", f"/v1/brands/{BRAND}/signer-probe", {}).json()["result"] == "ok"
    coalition.context.signers.close()  # the connection that it kept open
    with coalition.no_trace():
        assert coalition.post("operator", f"/v1/brands/{BRAND}/signer-probe", {}).json()["result"] == "not_there"


def test_a_signer_of_another_brand_or_key_is_told(coalition: OfflineCoalition, tmp_path: Path) -> None:
    coalition.brand(6)
    coalition.brand(7)
    with _signer(tmp_path / "signer", brand_id=6) as (server, named):
        body = {"signer_url": server.url, "signer_token": named["signer_token"]}
        found = {brand: coalition.post("operator", f"/v1/brands/{brand}/settings", body).json()["signer"] for brand in (6, 7)}
    assert {brand: told["result"] for brand, told in found.items()} == {6: "other_key", 7: "other_brand"}
    assert "splittally brand key" in found[6]["said"]


@pytest.mark.parametrize("answer", [{"status": "ok"}, {"brand_id": True, "address": 5}, {"brand_id": 1, "address": None}, {}])
def test_what_is_no_signer_is_told_without_its_words(coalition: OfflineCoalition, answer: dict[str, Any]) -> None:
    coalition.brand(1)
    server = serve_on(
        "127.0.0.1", 0, "token", {"GET /healthz": lambda _: (200, {"secret": "of the place", **answer})}, frozenset({"GET /healthz"})
    )
    with _serving(server):
        told = coalition.post("brand:1", "/v1/brands/1/settings", {"signer_url": f"http://user:pass@{server.url.removeprefix('http://')}"})
    assert told.json()["signer"]["result"] == "unclear"
    assert "of the place" not in told.text
    assert "pass@" not in told.text


def test_neither_token_nor_secret_is_shown_or_recorded(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    secrets = {"signer_token": "s3cret" * 4, "reference_secret": "0x" + "77" * 32}
    answer = coalition.post("brand:1", "/v1/brands/1/settings", {**secrets, "signer_url": "http://u:hidden@127.0.0.1:9"})
    with coalition.database.read() as session:
        recorded = [
            row.detail for row in session.scalars(select(PrivilegedActionRow).where(PrivilegedActionRow.action == "change_settings"))
        ]
    assert recorded == [
        "extends_by_activity False, carries_clawbacks False; signer_url, signer_token, reference_secret set, signer at http://***@127.0.0.1:9"
    ]
    for text in (*secrets.values(), "hidden"):
        assert text not in answer.text


def test_a_reference_secret_is_corrected_until_something_stands_under_it(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    other = {"reference_secret": "0x" + "77" * 32}
    assert coalition.post("brand:1", "/v1/brands/1/settings", other).status_code == 201
    coalition.post("brand:1", "/v1/purchases", purchase_body(member_id=coalition.shopper().member_id))
    assert coalition.post("brand:1", "/v1/brands/1/settings", other).status_code == 201, "the same is no change"
    with coalition.no_trace():
        refused = coalition.post("brand:1", "/v1/brands/1/settings", {"reference_secret": "0x" + "78" * 32})
        assert (refused.status_code, refused.json()["code"]) == (409, "wrong_state")


def test_a_brand_neither_moves_nor_tries_out_the_signer_of_another(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    coalition.brand(2)
    with coalition.no_trace():
        assert coalition.post("brand:1", "/v1/brands/2/settings", {"signer_url": "http://127.0.0.1:9"}).status_code == 404
        assert coalition.post("brand:1", "/v1/brands/2/signer-probe", {}).status_code == 404
        assert coalition.post("operator", "/v1/brands/9/signer-probe", {}).status_code == 404


@contextmanager
def _signer(folder: Path, brand_id: int = BRAND) -> Iterator[tuple[JsonServer, dict[str, str]]]:
    """Serving, with what its brand is registered with."""
    key, token = Key(read_or_make(folder / "key")), read_or_make(folder / "token").hex()
    domain, register = (
        Domain(7_951, Address.parse(POINTS_ADDRESS), Hash.parse(COALITION_ID)),
        FileRegister(folder / "sales.jsonl", b"s" * 32),
    )
    journal = Journal(folder / "signed.jsonl", domain, brand_id)
    signer = BatchSigner(key, domain, brand_id, Books(Programme((), False, 12, 0, 31), register, b"s" * 32, 0, None), journal)
    server = serve_on("127.0.0.1", 0, token, routes_of(signer, brand_id), PUBLIC)
    with _serving(server):
        yield server, {"key_address": str(key.address), "signer_token": token}
    journal.close()


@contextmanager
def _serving(server: JsonServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
