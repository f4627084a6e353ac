"""A netted cycle takes effect by the signatures of the owners of all its brands, once, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import keccak

from gateway.ledger.settlement import Cycle, SettledPair, SettlementRefused, cycle_digest, cycle_typed_data
from gateway.ledger.signing import Domain
from gateway.values.ids import Hash
from tests.builders.ledger_chain import CHAIN_ID, COALITION_ID, key_of
from tests.builders.points_ledger import SECP256K1_ORDER, brand_key, owner_key, signature
from tests.builders.settlement import Settling, as_call

PAIRS = [SettledPair(1, 2, 1, 100, 60), SettledPair(2, 3, 1, 60, 60), SettledPair(3, 1, 1, 60, 60)]


@pytest.fixture
def settling() -> Settling:
    built = Settling(brands=4)
    built.owe({pair.key: pair.points for pair in PAIRS})
    return built


@pytest.fixture
def cycle(settling: Settling) -> Cycle:
    return settling.cycle(PAIRS)


def test_a_cycle_that_all_owners_signed_is_agreed_by_whoever_relays_it(settling: Settling, cycle: Cycle) -> None:
    outcome = settling.agree(cycle)
    assert outcome.succeeded, settling.reverted(outcome)
    assert settling.is_agreed(cycle)
    (event,) = settling.events(outcome)
    assert (event.name, event.values) == (
        "CycleAgreed",
        {
            "cycle": cycle.record,
            "id": cycle.id,
            "cutOffBlock": cycle.cut_off_block,
            "brands": cycle.brands,
            "root": cycle.root,
            "count": 3,
            "deadline": cycle.deadline,
        },
    )


def test_agreeing_alone_settles_nothing_yet(settling: Settling, cycle: Cycle) -> None:
    assert settling.agree(cycle).succeeded
    assert [settling.settled(pair.issuer, pair.acceptor) for pair in PAIRS] == [0, 0, 0]
    assert [settling.exposure(pair.issuer, pair.acceptor) for pair in PAIRS] == [100, 60, 60]


@pytest.mark.parametrize("silent", [1, 2, 3])
def test_a_cycle_in_which_one_brand_does_not_sign_has_no_effect(settling: Settling, cycle: Cycle, silent: int) -> None:
    for forged in (brand_key(silent), owner_key(4), key_of("operator")):
        signatures = settling.signatures(cycle, {silent: forged})
        assert settling.reverted(settling.agree(cycle, signatures)) == ("CycleNotSignedBy", silent)
    without = [each for brand, each in zip(cycle.brands, settling.signatures(cycle), strict=True) if brand != silent]
    assert settling.reverted(settling.agree(cycle, without)) == ("SignaturesDoNotMatchBrands", 2)
    assert not settling.is_agreed(cycle)
    assert settling.reverted(settling.apply(cycle, as_call(PAIRS, 0))) == ("CycleNotAgreed", cycle.record)


def test_a_brand_left_out_signs_nothing_and_the_rest_agree_anew(settling: Settling) -> None:
    rest = [SettledPair(1, 2, 1, 100, 0)]
    assert settling.agreed(rest).brands == (1, 2)


def test_a_cycle_computed_anew_without_a_late_brand_makes_the_earlier_one_void(settling: Settling, cycle: Cycle) -> None:
    """Or what 1 owes 2, which is in both, would be settled twice as soon as the late signature comes."""
    signatures = settling.signatures(cycle)
    rest = [SettledPair(1, 2, 1, 100, 0)]
    settling.apply_all(settling.agreed(rest), rest)
    refused_since_cut_off(settling, cycle, 1, signatures)
    assert (settling.settled(1, 2), settling.exposure(1, 2)) == (100, 100)


def test_of_two_cycles_over_the_same_claims_the_second_to_be_agreed_is_void(settling: Settling, cycle: Cycle) -> None:
    """Whichever it is, and wherever it was cut off before the first was agreed."""
    settling.owe({PAIRS[0].key: 5})
    later = settling.cycle([SettledPair(1, 2, 1, 105, 0)])
    assert later.cut_off_block > cycle.cut_off_block
    assert settling.agree(cycle).succeeded
    settling.model.agree(cycle, block := settling.chain.block_number)
    assert refused_since_cut_off(settling, later, 1) == block
    settling.agreed([SettledPair(1, 2, 1, 5, 0)])


def test_a_cycle_is_agreed_once_under_whatever_id(settling: Settling, cycle: Cycle) -> None:
    assert settling.agree(cycle).succeeded
    settling.model.agree(cycle, settling.chain.block_number)
    for again in (cycle, replace(cycle, id=Hash(keccak(b"another")))):
        refused_since_cut_off(settling, again, 1)
    assert settling.agree(replace(cycle, cut_off_block=settling.chain.block_number)).succeeded, "what is left, cut off since"


@pytest.mark.parametrize("brand", [1, 2], ids=["issuer", "acceptor"])
def test_a_cycle_cut_off_between_agreement_and_application_of_another_is_void(settling: Settling, brand: int) -> None:
    """What was not applied yet it counts as left."""
    first = settling.agreed(PAIRS[:1])
    between = settling.cycle([SettledPair(brand, 3, 1, 0, 0)])
    settling.apply_all(first, PAIRS[:1])
    assert refused_since_cut_off(settling, between, brand) == settling.chain.block_number - 1


def test_a_brand_that_settles_with_others_leaves_the_rest_as_they_are(settling: Settling, cycle: Cycle) -> None:
    """Eight brands stand in a word, each for itself; and brand 4 takes no id from those who mean to use it."""
    alone = replace(settling.cycle([SettledPair(4, 4, 1, 0, 0)]), id=cycle.id)
    assert settling.agree(alone).succeeded
    assert settling.agree(cycle).succeeded
    settling.apply_all(cycle, PAIRS)
    assert [settling.settled(*pair.key) for pair in PAIRS] == [pair.points for pair in PAIRS]


def test_brands_of_one_word_and_of_others_settle_each_for_itself() -> None:
    settling = Settling(brands=17)
    before = settling.chain.block_number
    for brand in (1, 7, 8, 9, 15, 16, 17):
        own = replace(settling.cycle([SettledPair(brand, brand, 1, 0, 0)]), cut_off_block=before)
        assert settling.agree(own).succeeded, "no other brand counts for it"
        settling.model.agree(own, settling.chain.block_number)
    for brand in (1, 7, 8, 9, 15, 16, 17):
        refused_since_cut_off(settling, replace(settling.cycle([SettledPair(brand, brand, 2, 0, 0)]), cut_off_block=before), brand)


def refused_since_cut_off(settling: Settling, cycle: Cycle, brand: int, signatures: Sequence[bytes] | None = None) -> int:
    """By contract and model alike, for what this brand, the first in the cycle, settled: in which block."""
    name, refused, in_block = settling.reverted(settling.agree(cycle, signatures))
    assert (name, refused, in_block) == ("SettledSinceCutOff", brand, settling.model.last_settled[brand])
    assert in_block > cycle.cut_off_block
    with pytest.raises(SettlementRefused, match="SettledSinceCutOff"):
        settling.model.agree(cycle, settling.chain.block_number)
    return int(in_block)


def test_a_cycle_is_agreed_by_its_deadline_and_after_its_cut_off(settling: Settling, cycle: Cycle) -> None:
    now = settling.chain.next_timestamp
    late = replace(cycle, deadline=now - 1)
    assert settling.reverted(settling.agree(late)) == ("CycleExpired", now - 1)
    ahead = replace(cycle, cut_off_block=100)
    assert settling.reverted(settling.agree(ahead)) == ("CutOffAhead", 100)
    assert settling.agree(replace(cycle, deadline=settling.chain.next_timestamp)).succeeded


def test_the_cut_off_is_a_block_that_is_over(settling: Settling, cycle: Cycle) -> None:
    block = 2 + 1  # two contracts, claims; the next
    settled = replace(cycle, cut_off_block=block + 1)
    assert settling.reverted(settling.agree(settled)) == ("CutOffAhead", block + 1)
    assert settling.agree(settled).succeeded, "a block later"


@pytest.mark.parametrize("brands", [(1, 3, 2), (1, 2, 2, 3), (0, 1, 2, 3)], ids=["falling", "twice", "zero"])
def test_brands_rise(settling: Settling, cycle: Cycle, brands: tuple[int, ...]) -> None:
    assert settling.reverted(settling.agree(replace(cycle, brands=brands))) == ("BrandsNotAscending",)


@pytest.mark.parametrize("empty", [{"root": Hash(bytes(32))}, {"count": 0}, {"brands": ()}], ids=["root", "count", "brands"])
def test_a_cycle_without_pairs_or_brands_is_refused(settling: Settling, cycle: Cycle, empty: dict[str, Hash]) -> None:
    assert settling.reverted(settling.agree(replace(cycle, **empty))) == ("CycleEmpty",)  # type: ignore[arg-type]


def test_a_brand_that_nobody_owns_signs_nothing(settling: Settling, cycle: Cycle) -> None:
    with_unknown = replace(cycle, brands=(1, 2, 3, 9))
    assert settling.reverted(settling.agree(with_unknown)) == ("CycleNotSignedBy", 9)
    signatures = [*settling.signatures(with_unknown)[:3], bytes(65)]
    assert settling.reverted(settling.agree(with_unknown, signatures)) == ("CycleNotSignedBy", 9)


def test_signatures_stand_in_the_order_of_the_brands(settling: Settling, cycle: Cycle) -> None:
    first, second, third = settling.signatures(cycle)
    assert settling.reverted(settling.agree(cycle, [second, first, third])) == ("CycleNotSignedBy", 1)
    assert settling.reverted(settling.agree(cycle, [first, second, third, third])) == ("SignaturesDoNotMatchBrands", 4)


def test_a_signature_covers_every_field(settling: Settling, cycle: Cycle) -> None:
    settling.owe({(4, 1, 1): 1})
    signatures = settling.signatures(cycle)
    for altered in (
        replace(cycle, id=Hash(keccak(b"another"))),
        replace(cycle, cut_off_block=1),
        replace(cycle, root=Hash(keccak(b"another"))),
        replace(cycle, count=4),
        replace(cycle, deadline=cycle.deadline - 1),
    ):
        assert settling.reverted(settling.agree(altered, signatures)) == ("CycleNotSignedBy", 1)
    wider = replace(cycle, brands=(1, 2, 3, 4))
    fourth = settling.signatures(wider)[3]
    assert settling.reverted(settling.agree(wider, [*signatures, fourth])) == ("CycleNotSignedBy", 1)


def test_a_cycle_signed_for_another_ledger_is_not_signed(settling: Settling, cycle: Cycle) -> None:
    own = settling.domain
    for domain in (
        Domain(CHAIN_ID + 1, own.verifying_contract, Hash(COALITION_ID)),
        replace(own, coalition_id=Hash(keccak(text="another"))),
        replace(own, verifying_contract=type(own.verifying_contract)(settling.positions)),
    ):
        settling.domain = domain
        assert settling.reverted(settling.agree(cycle)) == ("CycleNotSignedBy", 1)


def test_a_signature_of_no_good_form_is_nobodys(settling: Settling, cycle: Cycle) -> None:
    good, *others = settling.signatures(cycle)
    high = good[:32] + (SECP256K1_ORDER - int.from_bytes(good[32:64])).to_bytes(32) + bytes([55 - good[64]])
    for bad in (b"", bytes(65), good[:64], high):
        assert settling.reverted(settling.agree(cycle, [bad, *others])) == ("CycleNotSignedBy", 1)


def test_the_owner_of_today_signs(settling: Settling, cycle: Cycle) -> None:
    successor = key_of("successor")
    settling.set_owner(2, successor)
    assert settling.reverted(settling.agree(cycle)) == ("CycleNotSignedBy", 2)
    assert settling.agree(cycle, settling.signatures(cycle, {2: successor})).succeeded


def test_the_typed_data_of_a_wallet_is_what_is_signed(settling: Settling, cycle: Cycle) -> None:
    shown = cycle_typed_data(settling.domain, cycle)
    signed = Account.sign_message(encode_typed_data(full_message=shown), owner_key(1).to_bytes())
    assert bytes(signed.signature) == signature(owner_key(1), cycle_digest(settling.domain, cycle))
    assert settling.agree(cycle, [bytes(signed.signature), *settling.signatures(cycle)[1:]]).succeeded
