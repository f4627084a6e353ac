"""Signers that are silent, refuse, lie or come too late: no other brand waits for them, and every operation comes to an end."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

import pytest
from sqlalchemy import select, update

from gateway.audit.run import audit
from gateway.brand_signer.journal import forget_index
from gateway.brands.http_signer import HttpSigner
from gateway.brands.tables import BrandRow
from gateway.foreign.addresses import AddressPolicy
from gateway.purchases.tables import AwardClawbackRow
from gateway.rounds.outcomes import SPENDING_LIFETIME_SECONDS
from gateway.rounds.signer_port import NumberTaken, Signed, SignerAddress, SignerRefusal, SigningRequest
from gateway.rounds.signing_desk import SigningDesk
from gateway.rounds.tables import BatchRow, OperationRow
from gateway.values.calendar import SECONDS_PER_DAY
from gateway.values.errors import Unavailable
from gateway.values.ids import MemberId
from tests.builders.coalition import CoalitionBuilder


def status_of(coalition: CoalitionBuilder, operation_id: str) -> tuple[str, str | None]:
    operation = coalition.operation(operation_id)
    return operation.status, operation.reason


def silent(coalition: CoalitionBuilder, brand_id: int) -> bool:
    """Whether the worker has found the brand's signer wanting."""
    return str(brand_id) in coalition.worker.health()["silent_signers"]  # type: ignore[operator]


def test_a_silent_signer_holds_up_nobody_else_and_is_asked_for_the_same_batch_again(coalition: CoalitionBuilder) -> None:
    member = coalition.add_member()
    coalition.work_off()
    coalition.brands[1].stop()
    waiting, going = coalition.purchase(1, member), coalition.purchase(2, member)
    coalition.turn_until(lambda: status_of(coalition, going)[0] == "confirmed" and silent(coalition, 1))
    assert status_of(coalition, waiting) == ("packed", None)
    with coalition.database.read() as session:
        packed = session.scalars(select(BatchRow).where(BatchRow.status == "packed")).one()
    later = coalition.purchase(1, member)
    coalition.brands[1].start()
    coalition.work_off()
    with coalition.database.read() as session:
        recorded = session.get_one(BatchRow, packed.batch_id)
    assert (recorded.status, recorded.number, recorded.entries) == ("recorded", packed.number, packed.entries)
    assert status_of(coalition, waiting) == status_of(coalition, later) == ("confirmed", None)
    assert coalition.worker.health()["silent_signers"] == {}


def earner(coalition: CoalitionBuilder) -> MemberId:
    """With 100 points of brand 1."""
    member = coalition.add_member()
    coalition.work_off()
    coalition.purchase(1, member)
    coalition.work_off()
    return member


def test_a_member_of_a_brand_whose_signer_is_gone_spends_elsewhere_at_once(coalition: CoalitionBuilder) -> None:
    member = earner(coalition)
    coalition.brands[2].stop()
    first = coalition.redeem(2, member, 60)
    coalition.turn_until(lambda: silent(coalition, 2))
    second = coalition.redeem(1, member, 30)
    coalition.turn_until(lambda: status_of(coalition, second)[0] == "confirmed")
    assert status_of(coalition, first) == ("accepted", None)
    coalition.brands[2].start()
    coalition.turn_until(lambda: status_of(coalition, first)[0] == "confirmed")
    assert coalition.worker.health()["silent_signers"] == {}


def test_a_member_of_a_brand_whose_signer_hangs_spends_elsewhere_once_its_batch_is_late(coalition: CoalitionBuilder) -> None:
    member = earner(coalition)
    with listening(hangs=True) as url:
        point_at(coalition, url)
        first = coalition.redeem(2, member, 60)
        coalition.turn_until(lambda: status_of(coalition, first)[0] == "packed")
        number, second = batch_number(coalition, first), coalition.redeem(1, member, 30)
        coalition.worker.turn()
        assert status_of(coalition, second)[0] == "accepted"
        coalition.set_time(coalition.now + SPENDING_LIFETIME_SECONDS + 1)
        coalition.turn_until(lambda: status_of(coalition, second)[0] == "confirmed")
        assert status_of(coalition, first) == ("packed", None)
    point_at(coalition, coalition.brands[2].url)
    coalition.turn_until(lambda: status_of(coalition, first)[0] == "confirmed")
    assert batch_number(coalition, first) == number
    assert not said_of(coalition, 2)


def test_lots_that_came_back_while_a_signature_was_late_are_no_finding_of_the_audit(coalition: CoalitionBuilder) -> None:
    member = earner(coalition)
    coalition.set_time(coalition.now + 40 * SECONDS_PER_DAY)
    coalition.purchase(2, member)
    reserved = coalition.authorize(1, member, 100)
    coalition.work_off()
    sooner = coalition.operation(reserved).reservation_id
    assert sooner is not None
    with listening(hangs=True) as url:
        point_at(coalition, url)
        late = coalition.redeem(2, member, 60)  # of the later lot: the sooner one is reserved
        coalition.turn_until(lambda: status_of(coalition, late)[0] == "packed")
        coalition.set_time(coalition.now + SPENDING_LIFETIME_SECONDS + 1)
        given_back = coalition.void(1, sooner)
        coalition.turn_until(lambda: status_of(coalition, given_back)[0] == "confirmed")
    point_at(coalition, coalition.brands[2].url)
    coalition.turn_until(lambda: status_of(coalition, late)[0] == "confirmed")
    (verdict,) = audit(coalition.database, coalition.chain, lambda: coalition.now, numbers=(9,)).verdicts
    assert verdict.findings == ()


def test_a_signature_that_comes_late_is_asked_for_with_a_new_deadline_and_each_time_later(coalition: CoalitionBuilder) -> None:
    member = earner(coalition)
    signing = coalition.worker.signing
    operation_id = coalition.redeem(2, member, 60)
    coalition.worker.sequencer.pack()
    (batch,) = signing.unsigned()
    coalition.set_time(coalition.now + SPENDING_LIFETIME_SECONDS + 1)
    assert signing.was_late(batch)
    desk = SigningDesk(signing, HttpSigner(5.0, AddressPolicy(loopback=True)), lambda: None)
    answered = [desk.work(signing.unsigned(), 10**9) for _ in range(2)]
    assert answered == [0, 1], "the first answer was too late for the ledger, the second is stored"
    desk.close()
    coalition.work_off()
    assert (status_of(coalition, operation_id), batch_number(coalition, operation_id)) == (("confirmed", None), batch.request.number)


def test_a_brand_that_is_late_again_and_again_keeps_members_waiting_ever_more_seldom(coalition: CoalitionBuilder) -> None:
    member, signing = earner(coalition), coalition.worker.signing
    coalition.redeem(2, member, 60)
    coalition.worker.sequencer.pack()
    desk, deadlines = SigningDesk(signing, HttpSigner(5.0, AddressPolicy(loopback=True)), lambda: None), []
    for _ in range(3):
        coalition.set_time(coalition.now + SPENDING_LIFETIME_SECONDS + 1)
        desk.work(signing.unsigned(), 10**9)
        deadlines.append(signing.unsigned()[0].request.deadline)
    assert deadlines[0] == deadlines[1] == deadlines[2], "asked anew once, then not before a minute has passed"
    desk.close()
    coalition.work_off()


def test_what_may_have_been_signed_keeps_its_number_and_its_members(coalition: CoalitionBuilder) -> None:
    """The signer takes the request and says nothing, then it is gone: who knows what it did."""
    member = earner(coalition)
    with listening() as url:
        point_at(coalition, url)
        first, second = coalition.redeem(2, member, 60), coalition.redeem(1, member, 30)
        coalition.turn_until(lambda: "does not answer" in said_of(coalition, 2))
        number = batch_number(coalition, first)
    coalition.turn_until(lambda: "is not there" in said_of(coalition, 2))
    assert (status_of(coalition, first)[0], status_of(coalition, second)[0]) == ("packed", "accepted")
    point_at(coalition, coalition.brands[2].url)
    coalition.turn_until(lambda: status_of(coalition, second)[0] == "confirmed")
    assert (status_of(coalition, first), batch_number(coalition, first)) == (("confirmed", None), number)


def point_at(coalition: CoalitionBuilder, url: str) -> None:
    with coalition.database.write() as session:
        session.execute(update(BrandRow).where(BrandRow.brand_id == 2).values(signer_url=url))


def said_of(coalition: CoalitionBuilder, brand_id: int) -> str:
    return str(coalition.worker.health()["silent_signers"].get(str(brand_id), ""))  # type: ignore[attr-defined]


@contextmanager
def listening(hangs: bool = False) -> Iterator[str]:
    """Reads what it is sent and hangs up; or says nothing for ever."""
    over = threading.Event()

    class HangUp(BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(1)
            if hangs:
                over.wait()

    with ThreadingTCPServer(("127.0.0.1", 0), HangUp) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            over.set()
            server.shutdown()


def test_entries_that_the_signer_refuses_are_refused_and_the_others_go_on(coalition: CoalitionBuilder) -> None:
    member = coalition.add_member()
    coalition.work_off()
    good, bad, also_good = (coalition.purchase(1, member, till=known) for known in (True, False, True))
    coalition.work_off()
    assert status_of(coalition, bad) == ("refused", "signer_refused: unknown_sale")
    assert status_of(coalition, good) == status_of(coalition, also_good) == ("confirmed", None)


def test_a_clawback_that_the_signer_refuses_is_short_of_everything(coalition: CoalitionBuilder) -> None:
    member = coalition.add_member()
    coalition.work_off()
    coalition.purchase(1, member, payment_id="unrefunded")
    coalition.work_off()
    operation_id = coalition.refund_payment(1, "unrefunded", 4_000, till=False)
    coalition.work_off()
    assert status_of(coalition, operation_id) == ("refused", "signer_refused: unknown_refund")
    with coalition.database.read() as session:
        refund = session.scalars(select(AwardClawbackRow).where(AwardClawbackRow.operation_id == operation_id)).one()
    assert (refund.points_due, refund.points_short) == (40, 40)


def test_a_signature_by_another_key_never_leaves_the_house(coalition: CoalitionBuilder) -> None:
    """Brand 1's signer address is made to point at a signer that holds brand 1's books but another key."""
    member = coalition.add_member()
    coalition.work_off()
    brand = coalition.brands[1]
    brand.stop()
    right_key = (brand.folder / "key").read_text()
    (brand.folder / "key").write_text("11" * 32 + "\n")
    brand.start()
    operation_id = coalition.purchase(1, member)
    coalition.turn_until(lambda: silent(coalition, 1))
    assert status_of(coalition, operation_id) == ("packed", None)
    assert "valid key" in coalition.worker.health()["silent_signers"]["1"]  # type: ignore[index]
    brand.stop()
    (brand.folder / "key").write_text(right_key)
    forget_signatures(coalition, 1)
    brand.start()
    coalition.work_off()
    assert status_of(coalition, operation_id) == ("confirmed", None)


def forget_signatures(coalition: CoalitionBuilder, brand_id: int) -> None:
    """Drops the last line of the signer's journal, and with it the index: what was signed with the wrong key."""
    journal = coalition.brands[brand_id].folder / "signed.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))
    forget_index(journal)


def test_a_batch_that_nobody_signs_before_its_deadline_is_given_up(coalition: CoalitionBuilder) -> None:
    member = coalition.add_member()
    coalition.work_off()
    coalition.brands[1].stop()
    operation_id = coalition.purchase(1, member)
    coalition.worker.turn()
    assert status_of(coalition, operation_id) == ("packed", None)
    coalition.set_time(coalition.now + 3_601)
    coalition.worker.turn()
    assert status_of(coalition, operation_id) == ("refused", "batch_expired")
    coalition.brands[1].start()
    afterwards = coalition.purchase(1, member)
    coalition.work_off()
    assert status_of(coalition, afterwards) == ("confirmed", None)


def test_a_batch_mined_after_its_deadline_is_signed_anew_under_its_number(coalition: CoalitionBuilder) -> None:
    member = coalition.add_member()
    coalition.work_off()
    operation_id = coalition.purchase(1, member)
    coalition.store_round()
    number = batch_number(coalition, operation_id)
    coalition.node.call("evm_setNextBlockTimestamp", coalition.now + 4_000)
    coalition.work_off()
    assert status_of(coalition, operation_id) == ("confirmed", None)
    assert batch_number(coalition, operation_id) == number


def batch_number(coalition: CoalitionBuilder, operation_id: str) -> int:
    with coalition.database.read() as session:
        found = select(BatchRow.number).join(OperationRow, OperationRow.batch_id == BatchRow.batch_id)
        return session.scalars(found.where(OperationRow.operation_id == operation_id)).one()


def test_a_brand_whose_signer_moved_is_found_at_its_new_address(coalition: CoalitionBuilder) -> None:
    member = coalition.add_member()
    coalition.work_off()
    with coalition.database.write() as session:
        session.execute(update(BrandRow).where(BrandRow.brand_id == 2).values(signer_url="http://127.0.0.1:1"))
    operation_id = coalition.purchase(2, member)
    coalition.turn_until(lambda: silent(coalition, 2))
    assert status_of(coalition, operation_id)[0] == "packed"
    with coalition.database.write() as session:
        session.execute(update(BrandRow).where(BrandRow.brand_id == 2).values(signer_url=coalition.brands[2].url))
    coalition.work_off()
    assert status_of(coalition, operation_id)[0] == "confirmed"


def test_the_client_tells_answers_apart(coalition: CoalitionBuilder) -> None:
    member = coalition.add_member()
    coalition.work_off()
    coalition.purchase(1, member)
    coalition.worker.sequencer.pack()
    batch = coalition.worker.signing.unsigned()[0]
    request, address, signer = batch.request, batch.signer, HttpSigner(5.0, AddressPolicy(loopback=True))
    wrong_details = SigningRequest(request.brand_id, 10**6, request.deadline, request.entries, [{**request.details[0], "payment_id": "x"}])
    refusal = signer.sign(address, wrong_details)
    assert isinstance(refusal, SignerRefusal)
    assert refusal.reasons == {0: "reference_mismatch"}
    answer = signer.sign(address, request)
    assert isinstance(answer, Signed)
    assert signer.sign(address, request) == answer
    with pytest.raises(NumberTaken):
        signer.sign(address, SigningRequest(request.brand_id, request.number, request.deadline, *twice(request)))
    with pytest.raises(Unavailable, match="401"):
        signer.sign(SignerAddress(address.url, "wrong"), request)
    signer.close()
    coalition.work_off()


def twice(request: SigningRequest) -> tuple[bytes, list[Mapping[str, Any]]]:
    return request.entries * 2, [*request.details, *request.details]
