"""A till's line that comes after its call, for however long: nothing of it is lost, and nothing else waits for it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gateway.purchases.rows import SqlPaymentRefunds
from gateway.rounds.retry_operation import retry_operation
from gateway.rounds.rows import SqlOperations
from gateway.store.unit_of_work import writing
from gateway.values.calendar import SECONDS_PER_DAY
from gateway.values.errors import WrongState
from gateway.values.ids import MemberId, OperationId
from tests.builders.brands import BrandBuilder
from tests.builders.coalition import CoalitionBuilder, new_id, running_coalition
from tests.gateway.rounds.test_signing import point_at

WAITS_SECONDS = 600
STRICT, LASTING = 3, 4


@pytest.fixture(scope="module")
def coalition(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoalitionBuilder]:
    with running_coalition(tmp_path_factory.mktemp("coalition"), members=1, not_yet_seconds=WAITS_SECONDS) as builder:
        builder.add_brand(STRICT, unlisted_points_max=0)
        builder.work_off()
        builder.expose(STRICT, 1)
        builder.work_off()
        yield builder


@pytest.fixture
def member(coalition: CoalitionBuilder) -> MemberId:
    (member,) = coalition.member_keys
    return member


def stands(coalition: CoalitionBuilder, operation_id: str) -> tuple[str, str | None]:
    operation = coalition.operation(operation_id)
    return operation.status, operation.reason


def go_on(coalition: CoalitionBuilder, seconds: int = 0) -> None:
    """Works until nothing is left that is due."""
    coalition.set_time(coalition.now + seconds)
    coalition.turn_until(lambda: not coalition.worker.sequencer.has_work())


def sell_unlisted(coalition: CoalitionBuilder, member: MemberId) -> str:
    """The operation of a purchase that the till has not listed yet."""
    coalition.unlisted.clear()
    return coalition.purchase(1, member, till=False)


def retry(coalition: CoalitionBuilder, operation_id: str) -> None:
    with writing(coalition.database, lambda _: coalition.now) as work:
        stored = work.of(SqlOperations).find(OperationId(operation_id))
        assert stored is not None
        retry_operation(stored, operations=work.of(SqlOperations), written_off=work.of(SqlPaymentRefunds))


def test_a_sale_that_is_listed_late_earns(coalition: CoalitionBuilder, member: MemberId) -> None:
    late = sell_unlisted(coalition, member)
    listed = coalition.purchase(1, member)
    go_on(coalition)
    assert stands(coalition, late) == ("accepted", "not_yet: unknown_sale")
    assert stands(coalition, listed) == ("confirmed", None), "nothing waits for it"
    coalition.list_late()
    go_on(coalition, 1)
    assert stands(coalition, late) == ("confirmed", None)


def test_it_is_asked_about_ever_more_seldom_and_then_refused(coalition: CoalitionBuilder, member: MemberId) -> None:
    late = sell_unlisted(coalition, member)
    go_on(coalition)
    pauses = []
    while (row := coalition.operation(late)).status == "accepted":
        assert row.not_before is not None
        pauses.append(row.not_before - coalition.now)
        go_on(coalition, pauses[-1])
    assert stands(coalition, late) == ("refused", "signer_refused: unknown_sale")
    assert pauses[:-1] == sorted(pauses[:-1]), "the last one is cut short by the end"
    assert WAITS_SECONDS <= sum(pauses) <= WAITS_SECONDS + 30
    assert len(pauses) < 15


def test_what_was_refused_is_tried_again_once_under_its_own_id(coalition: CoalitionBuilder, member: MemberId) -> None:
    late = sell_unlisted(coalition, member)
    go_on(coalition)
    go_on(coalition, WAITS_SECONDS)
    assert stands(coalition, late)[0] == "refused"
    coalition.list_late()
    retry(coalition, late)
    with pytest.raises(WrongState, match="is accepted"):
        retry(coalition, late)
    go_on(coalition)
    assert stands(coalition, late) == ("confirmed", None)
    with pytest.raises(WrongState, match="is confirmed"):
        retry(coalition, late)


def test_a_retry_of_what_is_still_not_listed_waits_as_long_again(coalition: CoalitionBuilder, member: MemberId) -> None:
    late = sell_unlisted(coalition, member)
    go_on(coalition)
    go_on(coalition, WAITS_SECONDS)
    retry(coalition, late)
    go_on(coalition)
    assert stands(coalition, late) == ("accepted", "not_yet: unknown_sale")
    go_on(coalition, WAITS_SECONDS)
    assert stands(coalition, late)[0] == "refused"


def test_who_stands_at_the_till_is_told_at_once(coalition: CoalitionBuilder, member: MemberId) -> None:
    coalition.purchase(1, member)
    go_on(coalition)
    unlisted = coalition.redeem(STRICT, member, 10, till=False)
    go_on(coalition)
    assert stands(coalition, unlisted) == ("refused", "signer_refused: unknown_order")
    with pytest.raises(WrongState, match="asked for anew"):
        retry(coalition, unlisted)


def test_a_refund_that_is_listed_late_claws_back(coalition: CoalitionBuilder, member: MemberId) -> None:
    payment_id = new_id("payment")
    coalition.purchase(1, member, payment_id=payment_id)
    go_on(coalition)
    late = coalition.refund_payment(1, payment_id, 1_000, till=False)
    go_on(coalition)
    assert stands(coalition, late) == ("accepted", "not_yet: unknown_refund")
    coalition.list_late()
    go_on(coalition, 1)
    assert stands(coalition, late) == ("confirmed", None)


def test_a_sale_of_a_backlog_is_told_from_the_signers_window_and_earns_once_that_is_wider(
    coalition: CoalitionBuilder, member: MemberId
) -> None:
    old = coalition.purchase(1, member, days_ago=70)
    go_on(coalition)
    assert stands(coalition, old) == ("refused", "signer_refused: reported_late")
    retry(coalition, old)
    go_on(coalition)
    assert stands(coalition, old) == ("refused", "signer_refused: reported_late"), "nothing has changed"
    configure(coalition.brands[1], "programme", report_days_max=90)
    retry(coalition, old)
    go_on(coalition)
    assert stands(coalition, old) == ("confirmed", None)


def test_an_expiry_waits_for_a_signer_whose_clock_is_behind(coalition: CoalitionBuilder, member: MemberId) -> None:
    """Far ahead in simulated time, by the world's clock no day of the lot is over; whoever corrects the signer loses nothing."""
    brand = coalition.add_brand(LASTING, validity_months=1)
    configure(brand, "coalition", sandbox=False)
    coalition.turn_until(lambda: not coalition.worker.sequencer.has_work())
    go_on(coalition, 100 * 366 * SECONDS_PER_DAY)
    coalition.purchase(LASTING, member)
    go_on(coalition)
    go_on(coalition, 62 * SECONDS_PER_DAY)
    [expiry] = [row.operation_id for row in coalition.open_operations() if row.kind == "expire" and row.brand_id == LASTING]
    assert stands(coalition, expiry) == ("accepted", "not_yet: lot_not_expired")
    configure(brand, "coalition", sandbox=True)
    go_on(coalition, WAITS_SECONDS // 2)
    assert stands(coalition, expiry) == ("confirmed", None)


class EarlierVersion(BaseHTTPRequestHandler):
    """An agent that cannot read the batch's first entry, of a kind that came later."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        answer = json.dumps({"refused": [{"index": 0, "reason": self.path.rpartition("/")[0].strip("/")}]}).encode()
        self.send_response(409)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None: ...


@pytest.mark.parametrize("reason", ["malformed_entry", "detail_mismatch"])
def test_what_an_agent_of_an_earlier_version_cannot_read_waits_for_the_next(
    coalition: CoalitionBuilder, member: MemberId, reason: str
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), EarlierVersion) as earlier:
        threading.Thread(target=earlier.serve_forever, daemon=True).start()
        point_at(coalition, f"http://127.0.0.1:{earlier.server_address[1]}/{reason}")
        newer = coalition.purchase(2, member)
        go_on(coalition)
        assert stands(coalition, newer) == ("accepted", f"not_yet: {reason}")
        earlier.shutdown()
    point_at(coalition, coalition.brands[2].url)
    go_on(coalition, 2)
    assert stands(coalition, newer) == ("confirmed", None)


def configure(brand: BrandBuilder, section: str, **changes: object) -> None:
    """Changes settings of the brand's signer and starts it again."""
    brand.stop()
    config = brand.folder / "signer.json"
    written = json.loads(config.read_text())
    written[section] |= changes
    config.write_text(json.dumps(written))
    brand.start()
