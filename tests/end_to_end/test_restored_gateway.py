"""A gateway is put back from an old backup of its database: what the brand's agent told it since is told again, nothing lost or doubled."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.served_shop import served_shop
from tests.on_postgresql import SERVER

pytestmark = pytest.mark.skipif(bool(SERVER), reason="the backup is a copy of a SQLite file")


def test_what_was_told_since_the_backup_is_told_again_and_stands_once(tmp_path: Path) -> None:
    with served_shop(tmp_path / "shop") as shop:
        shop.sell("p-1", "p-2")
        shop.ended()
        before = shop.authorize("o-1", 40)
        backup = tmp_path / "backup.sqlite3"
        shop.back_up(backup)

        shop.sell(*(f"q-{number}" for number in range(5)))
        shop.refund("r-1", "p-1")
        shop.refund("r-2", "q-0")
        shop.tell(f"/v1/authorizations/{before}/capture", {"capture_id": "c-1", "points": 30})
        shop.all_quiet()
        shop.tell(f"/v1/authorizations/{before}/point-refunds", {"point_refund_id": "pr-1", "points": 10})
        after = shop.authorize("o-2", 50)
        shop.tell(f"/v1/authorizations/{after}/capture", {"capture_id": "c-2", "points": 20})
        let_go = shop.authorize("o-3", 10)
        shop.tell(f"/v1/authorizations/{let_go}/void", {"void_id": "v-1"})
        open_one = shop.authorize("o-4", 5)
        shop.all_quiet()
        on_ledger = shop.counted()

        shop.restore(backup)
        shop.sell("s-1")
        shop.refund("r-3", "q-1")
        shop.tell(f"/v1/authorizations/{open_one}/capture", {"capture_id": "c-4", "points": 5})
        shop.all_quiet()
        ended = shop.ended()
        assert {one["outcome"] for one in ended.values()} == {"confirmed"}, ended
        more = {"issue": 1, "clawback": 1, "capture": 1}
        assert shop.counted() == {kind: count + more.get(kind, 0) for kind, count in on_ledger.items()}
        shop.audit()
