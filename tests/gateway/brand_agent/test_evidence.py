"""What another brand's evidence is taken as: addressed to this brand alone, signed by its seller's key, once, within the budget."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.brand_agent.bonus import IN_ALL, budgets, check_evidence, take
from gateway.brand_agent.config import AgentConfig, load_agent_config
from gateway.brand_agent.evidence import EvidenceBody, EvidenceDocument, NoEvidence, id_here
from gateway.brand_agent.item import Item, Speaker
from gateway.brand_agent.journal_register import JournalRegister
from gateway.brand_agent.problems import TillRefused
from gateway.brand_agent.record_lines import RecordLines
from gateway.brand_agent.till_journal import TillJournal
from gateway.brand_signer.config import BadConfig
from gateway.loyalty.rule import EarningRule
from gateway.values.ids import Hash
from tests.builders.agents import agent_settings
from tests.builders.evidence import (
    ISSUER,
    KEY,
    MEMBER,
    SELLER,
    SOLD_AT,
    STRANGER,
    THIRD,
    partner,
    payment_refund,
    refund_failure,
    sale,
    signed,
)
from tests.builders.publishers import DOMAIN
from tests.depth import in_a_soak

DAY = 86_400


@dataclass
class Issuer:
    """Brand 2's side: its settings and journal, without a server before it."""

    config: AgentConfig
    journal: TillJournal
    lines: RecordLines = field(default_factory=lambda: RecordLines(b"\x02" * 32))

    def told(self, body: dict[str, str], now: int = SOLD_AT) -> tuple[Item, bool]:
        signer = self.config.signer
        evidence = check_evidence(EvidenceBody(**body), self.config.partners, signer.domain, signer.brand_id)
        rules, speaker = signer.programme.rules, Speaker("brand-1", None)
        return self.journal.write(lambda connection: take(connection, evidence, signer, rules, self.lines, speaker, now))

    def refuses(self, body: dict[str, str], now: int = SOLD_AT) -> str:
        """With which code; nothing is left of it."""
        before = self.rows()
        with pytest.raises(TillRefused) as refused:
            self.told(body, now)
        assert self.rows() == before
        return refused.value.code

    def rows(self) -> dict[str, list[Any]]:
        tables = "items", "records", "evidence", "bonus_budgets"
        return self.journal.write(lambda connection: {one: connection.execute(f"SELECT * FROM {one}").fetchall() for one in tables})

    def used(self, month: str = "2017-03") -> tuple[int, int]:
        """(points in all, points of the month) by the status."""
        found = self.journal.write(lambda connection: budgets(connection, self.config.partners, month))[0]
        return found["points"], found["month_points"]


@contextmanager
def issuer(folder: Path, *partners: dict[str, Any], **changes: Any) -> Iterator[Issuer]:
    values = agent_settings(0, "http://127.0.0.1:1") | {"brand_id": ISSUER} | changes
    values["agent"]["partners"] = list(partners or (partner(),))
    (folder / "agent.json").write_text(json.dumps(values))
    config = load_agent_config(folder / "agent.json")
    with closing(TillJournal(folder / "agent.sqlite", config.signer.domain, ISSUER)) as journal:
        yield Issuer(config, journal)


@pytest.fixture
def bonus(tmp_path: Path) -> Iterator[Issuer]:
    with issuer(tmp_path) as opened:
        yield opened


def test_a_sale_stands_in_the_issuers_books_as_a_sale_of_its_own_under_an_id_that_no_till_has(bonus: Issuer) -> None:
    item, again = bonus.told(signed(sale("p-1", 2_599)))
    assert (item.external_id, item.points, again) == ("evidence:1:p-1", 25, False)
    body = json.loads(item.body)
    assert (body["gross_minor"], body["member_id"], body["channel"]) == (2_599, MEMBER, "evidence")
    with closing(JournalRegister(bonus.journal, bonus.lines, bonus.config.signer.register_file)) as register:
        registered = register.sale("evidence:1:p-1")
    assert registered is not None
    assert (registered.paid_minor, registered.occurred_at, str(registered.member)) == (2_599, SOLD_AT, MEMBER)


def test_the_same_evidence_counts_once_and_other_content_under_its_id_is_refused(bonus: Issuer) -> None:
    first, _ = bonus.told(signed(sale("p-1")))
    before = bonus.rows()
    assert bonus.told(signed(sale("p-1"))) == (first, True)
    assert bonus.told(signed(sale("p-1")), SOLD_AT + 400 * DAY) == (first, True)
    lines = [{"category": "tea", "amount_minor": 1_000}]
    assert bonus.told(signed(sale("p-1", consent="terms 4.2", lines=lines))) == (first, True)
    assert bonus.rows() == before
    assert bonus.used() == (10, 10)
    for other in (sale("p-1", 1_001), sale("p-1", occurred_at=SOLD_AT + 1), sale("p-1", member_id="0x" + "77" * 20)):
        assert bonus.refuses(signed(other)) == "reference_reused"


def test_many_who_bring_the_same_at_once_have_it_counted_once(bonus: Issuer) -> None:
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(bonus.told, [signed(sale("p-1"))] * 40))
    assert sum(not again for _, again in told) == 1
    assert {item.sequence for item, _ in told} == {1}
    assert bonus.used() == (10, 10)


@pytest.mark.parametrize(
    "changes",
    [{"addressee": THIRD}, {"addressee": SELLER}, {"chain_id": 1}, {"contract": "0x" + "98" * 20}],
    ids=["a third brand", "the seller itself", "another chain", "another contract"],
)
def test_what_is_addressed_to_anybody_else_is_refused(bonus: Issuer, changes: dict[str, Any]) -> None:
    assert bonus.refuses(signed(sale("p-1", **changes))) == "other_addressee"


def test_a_signature_is_good_in_its_coalition_and_for_its_addressee_alone(bonus: Issuer) -> None:
    elsewhere = replace(DOMAIN, coalition_id=Hash(b"\x01" * 32))
    assert bonus.refuses(signed(sale("p-1"), domain=elsewhere)) == "wrong_signature"
    for_another = signed(sale("p-1", addressee=THIRD))["signature"]
    assert bonus.refuses({**signed(sale("p-1")), "signature": for_another}) == "wrong_signature"


def test_only_the_partners_evidence_key_signs_evidence(bonus: Issuer, tmp_path: Path) -> None:
    good = signed(sale("p-1"))
    assert bonus.refuses(signed(sale("p-1"), STRANGER)) == "wrong_signature"
    assert bonus.refuses({**good, "document": sale("p-1", 100_000).text()}) == "wrong_signature"
    for damaged in ("0x" + "00" * 65, good["signature"][:-2] + "1d", _high_s(good["signature"])):
        assert bonus.refuses({**good, "signature": damaged}) == "wrong_signature"
    assert bonus.refuses(signed(sale("p-1", sold_by=THIRD))) == "unknown_partner"
    assert bonus.refuses(signed(sale("p-1", sold_by=THIRD), STRANGER)) == "unknown_partner"
    bonus.told(good)
    revoked = replace(bonus, config=replace(bonus.config, partners=(replace(bonus.config.partners[0], evidence_key=STRANGER.address),)))
    assert revoked.refuses(good) == "wrong_signature"
    assert revoked.refuses(signed(sale("p-2"))) == "wrong_signature"
    assert revoked.told(signed(sale("p-1"), STRANGER))[1], "what was counted is known again, whoever of the seller's keys signs it"


def test_a_partners_evidence_says_nothing_of_another_partners_sales(tmp_path: Path) -> None:
    with issuer(tmp_path, partner(), partner(STRANGER, THIRD)) as bonus:
        assert bonus.refuses(signed(sale("p-1", sold_by=THIRD), KEY)) == "wrong_signature"
        bonus.told(signed(sale("p-1")))
        of_third, _ = bonus.told(signed(sale("p-1", 5_000, sold_by=THIRD), STRANGER))
        assert (of_third.external_id, of_third.points) == ("evidence:3:p-1", 50)
        assert bonus.refuses(signed(payment_refund("b-1", "p-1", 500, sold_by=THIRD, member_id="0x" + "77" * 20), STRANGER)) == "other_sale"


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("amount_minor", 0),
        ("amount_minor", -5),
        ("amount_minor", 10.0),
        ("amount_minor", "10"),
        ("amount_minor", True),
        ("amount_minor", 10**30),
        ("occurred_at", 2**40),
        ("occurred_at", 0),
        ("member_id", "0x" + "5E" * 20),
        ("member_id", None),
        ("currency", "usd"),
        ("id", "p 1"),
        ("id", "p-2"),
        ("payment_id", "x" * 129),
        ("kind", "chargeback"),
        ("sold_by", -1),
        ("cart", [1]),
        ("consent", "terms 4.2"),
        ("lines", [{"amount_minor": 5, "category": "tea"}]),
        ("lines", [[[[]]]]),
    ],
)
def test_what_is_no_document_of_evidence_is_refused_whatever_it_is_signed_with(bonus: Issuer, change: str, value: Any) -> None:
    written = json.dumps({**json.loads(sale("p-1").text()), change: value}, sort_keys=True, separators=(",", ":"))
    assert bonus.refuses({"document": written, "signature": signed(sale("p-1"))["signature"]}) == "invalid"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text + " ",
        lambda text: text.replace('"USD"', '"\\u0055SD"'),
        lambda text: text.replace('"id":"p-1"', '"id":"p-1","id":"p-1"'),
        lambda text: text.replace("1000", "1e3"),
        lambda text: text.replace("1000", "NaN"),
        lambda text: text[:-1],
        lambda text: "[" * 30_000 + "]" * 30_000,
        lambda text: '{"a":' * 10_000 + "1" + "}" * 10_000,
        lambda text: '{"id":"\\ud800"}',
        lambda _: "null",
    ],
)
def test_a_text_that_is_not_canonical_to_the_byte_is_none(bonus: Issuer, spoil: Callable[[str], str]) -> None:
    with pytest.raises(NoEvidence):
        EvidenceDocument.parse(spoil(sale("p-1").text()))
    assert EvidenceDocument.parse(sale("p-1").text()) == sale("p-1")


def test_a_budget_is_used_to_the_last_point_and_never_in_part(tmp_path: Path) -> None:
    with issuer(tmp_path, partner(budget_points=30)) as bonus:
        bonus.told(signed(sale("p-1", 1_000)))
        assert bonus.refuses(signed(sale("p-2", 2_100))) == "over_budget"
        bonus.told(signed(sale("p-3", 2_000)))
        assert bonus.used() == (30, 30)
        assert bonus.refuses(signed(sale("p-4", 100))) == "over_budget"
        assert bonus.told(signed(sale("p-5", 99)))[0].points == 0
        assert bonus.told(signed(sale("p-1", 1_000)))[1], "what is counted needs no budget again"
        bonus.told(signed(payment_refund("b-1", "p-1", 1_000)))
        assert bonus.refuses(signed(sale("p-6", 1_000))) == "over_budget", "what went back stays used"


def test_a_months_budget_is_that_of_the_month_of_the_sale(tmp_path: Path) -> None:
    april = SOLD_AT + 31 * DAY
    with issuer(tmp_path, partner(budget_points=25, budget_month_points=10)) as bonus:
        bonus.told(signed(sale("p-1", 1_000)))
        assert bonus.refuses(signed(sale("p-2", 100))) == "over_budget"
        bonus.told(signed(sale("p-3", 1_000, occurred_at=april)))
        assert (bonus.used(), bonus.used("2017-04")) == ((20, 10), (20, 10))
        assert bonus.refuses(signed(sale("p-4", 600, occurred_at=april + 31 * DAY))) == "over_budget"
        bonus.told(signed(sale("p-4", 500, occurred_at=april + 31 * DAY)))


def test_of_many_at_once_no_more_is_counted_than_the_budget_has(tmp_path: Path) -> None:
    with issuer(tmp_path, partner(budget_points=105)) as bonus:

        def told(number: int) -> str:
            return _code_of(bonus, signed(sale(f"p-{number}", 1_000)))

        with ThreadPoolExecutor(8) as pool:
            assert Counter(pool.map(told, range(40))) == {"counted": 10, "over_budget": 30}
        assert bonus.used() == (100, 100)


def test_what_follows_a_sale_waits_for_it_and_is_about_it(bonus: Issuer) -> None:
    refund = payment_refund("b-1", "p-1", 250)
    assert bonus.refuses(signed(refund)) == "not_yet"
    bonus.told(signed(sale("p-1")))
    assert bonus.refuses(signed(refund_failure("b-1", "p-1", 250))) == "not_yet"
    for other in ({"member_id": "0x" + "77" * 20}, {"currency": "EUR"}):
        assert bonus.refuses(signed(payment_refund("b-1", "p-1", 250, **other))) == "other_sale"
    item, again = bonus.told(signed(refund))
    body = json.loads(item.body)
    assert (body["refund_id"], body["payment_id"], body["amount_minor"], again) == ("evidence:1:b-1", "evidence:1:p-1", 250, False)
    assert bonus.told(signed(refund)) == (item, True)
    assert bonus.refuses(signed(payment_refund("b-1", "p-1", 251))) == "reference_reused"
    bonus.told(signed(sale("p-2")))
    assert bonus.refuses(signed(refund_failure("b-1", "p-2", 250))) == "other_sale"
    failure, _ = bonus.told(signed(refund_failure("b-1", "p-1", 250)))
    assert (failure.external_id, failure.target) == ("evidence:1:b-1", "evidence:1:b-1")


def test_moments_are_held_against_the_clock_where_time_is_not_simulated(tmp_path: Path) -> None:
    ledger = agent_settings(0, "")["coalition"] | {"sandbox": False}
    with issuer(tmp_path, coalition=ledger) as bonus:
        assert bonus.refuses(signed(sale("p-1")), SOLD_AT - 301) == "not_yet"
        assert bonus.refuses(signed(sale("p-1")), SOLD_AT + 31 * DAY + 1) == "too_old"
        bonus.told(signed(sale("p-1")), SOLD_AT - 300)
        bonus.told(signed(sale("p-2")), SOLD_AT + 31 * DAY)
        bonus.told(signed(payment_refund("b-2", "p-2", 100)), SOLD_AT + 90 * DAY)
        assert bonus.refuses(signed(payment_refund("b-1", "p-1", 100)), SOLD_AT - 301) == "not_yet"


def test_while_the_rule_is_not_settled_evidence_waits(bonus: Issuer) -> None:
    for rules in ((), (EarningRule(1, 1, 100, 0, 0), EarningRule(2, 9, 100, 0, None))):
        programme = replace(bonus.config.signer.programme, rules=rules)
        unsettled = replace(bonus, config=replace(bonus.config, signer=replace(bonus.config.signer, programme=programme)))
        assert unsettled.refuses(signed(sale("p-1"))) == "not_yet"


def test_ids_of_two_sellers_never_meet_and_long_ones_are_shortened() -> None:
    assert id_here(1, "p-1") != id_here(11, "p-1")
    long = {id_here(1, "x" * length) for length in range(100, 129)}
    assert len(long) == 29
    assert max(map(len, long)) <= 128


@pytest.mark.parametrize(
    ("partners", "named"),
    [
        ([{"brand_id": 1, "evidence_key": str(KEY.address)}], "budget_points"),
        ([partner(budget_points=-1)], "budget_points"),
        ([partner(), partner()], "partners"),
        ([partner(brand_id=ISSUER)], "partners"),
        ([{**partner(), "evidence_key": "0x12"}], "evidence_key"),
        ([{**partner(), "rate": 5}], "rate"),
    ],
)
def test_partners_that_cannot_be_are_named(tmp_path: Path, partners: list[dict[str, Any]], named: str) -> None:
    with pytest.raises(BadConfig, match=named), issuer(tmp_path, *partners):
        pass


_IDS, _AMOUNTS, _REFUNDED = st.sampled_from("abc"), st.sampled_from([500, 1_000, 1_700]), st.sampled_from([100, 900])
_STEPS = st.lists(
    st.tuples(
        st.one_of(st.builds(sale, _IDS, _AMOUNTS), st.builds(payment_refund, st.sampled_from("xy"), _IDS, _REFUNDED)),
        st.sampled_from([KEY, KEY, KEY, STRANGER]),
        st.sampled_from([ISSUER, ISSUER, ISSUER, THIRD]),
    ),
    max_size=25,
)


@settings(max_examples=in_a_soak(300, 15))
@given(steps=_STEPS, budget=st.integers(0, 40))
def test_whatever_comes_in_whatever_order_the_budget_holds_and_each_thing_counts_once(steps: list[Any], budget: int) -> None:
    with TemporaryDirectory() as folder, issuer(Path(folder), partner(budget_points=budget)) as bonus:
        sales: dict[str, EvidenceDocument] = {}
        refunded: dict[str, EvidenceDocument] = {}
        for plain, key, addressee in steps:
            document = plain.model_copy(update={"addressee": addressee})
            code = _code_of(bonus, signed(document, key))
            used = sum(one.amount_minor // 100 for one in sales.values())
            known = (sales if document.kind == "sale" else refunded).get(document.id)
            if addressee != ISSUER:
                assert code == "other_addressee"
            elif key is STRANGER:
                assert code == "wrong_signature"
            elif known is not None:
                assert code == ("again" if known == document else "reference_reused")
            elif document.kind != "sale":
                assert code == ("counted" if document.payment_id in sales else "not_yet")
            else:
                assert code == ("over_budget" if used + document.amount_minor // 100 > budget else "counted")
            if code == "counted":
                (sales if document.kind == "sale" else refunded)[document.id] = document
        rows = bonus.rows()
        assert len(rows["items"]) == len(rows["records"]) == len(rows["evidence"]) == len(sales) + len(refunded)
        assert bonus.used()[0] == sum(one.amount_minor // 100 for one in sales.values()) <= budget
        assert {period for _, period, _ in rows["bonus_budgets"]} <= {IN_ALL, "2017-03"}


def _code_of(bonus: Issuer, body: dict[str, str]) -> str:
    try:
        return "again" if bonus.told(body)[1] else "counted"
    except TillRefused as refused:
        return refused.code


def _high_s(signature: str) -> str:
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    made = bytes.fromhex(signature[2:])
    return "0x" + (made[:32] + (order - int.from_bytes(made[32:64])).to_bytes(32) + bytes([55 - made[64]])).hex()
