"""What is kept for ever is kept under the recorded hashes: a request sent again years later must meet its first answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.builders.offline_coalition import OfflineCoalition
from tests.recorded import content_hashes
from tests.recorded.data_files import assert_as_recorded, recorded

STORES_NOTHING = {
    ("post", "/v1/quotes"),
    ("post", "/v1/transfer-quotes"),
    ("post", "/v1/members/{member_id}/view-links"),
    ("post", "/v1/brands/{brand_id}/signer-probe"),
    ("post", "/v1/operations/{operation_id}/retry"),  # nothing new: the operation is what it was
}


@pytest.mark.timeout(600)  # a minute of work, which other work on the machine stretches
def test_every_write_is_kept_under_its_recorded_hash(tmp_path: Path) -> None:
    assert_as_recorded("content_hashes", content_hashes.collect(tmp_path))


@pytest.mark.timeout(60)
def test_every_write_of_the_api_is_recorded(tmp_path: Path) -> None:
    coalition = OfflineCoalition(tmp_path)
    try:
        paths: dict[str, Any] = coalition.client.get("/openapi.json").json()["paths"]
    finally:
        coalition.close()
    writes = {(method, path) for path, methods in paths.items() for method in methods if method != "get"} - STORES_NOTHING
    files = {("post", "/v1/payment-files"), ("post", "/v1/opening-files")}
    named = {(sent["method"].lower(), sent["path"]) for sent in recorded("content_hashes")["writes"]} | files
    assert {write for write in writes if not any(method == write[0] and _fits(write[1], path) for method, path in named)} == set()


def _fits(template: str, path: str) -> bool:
    parts = template.split("/"), path.split("/")
    return len(parts[0]) == len(parts[1]) and all(part == given or part.startswith("{") for part, given in zip(*parts, strict=True))
