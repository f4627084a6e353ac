"""One assertion is good; what differs from it is refused with a reason of its own, by the verifier contract and Python alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ledger.passkeys import MAX_CLIENT_DATA_LENGTH, P256_ORDER, PASSKEY_SELECTORS, PasskeyRefusal
from tests.builders.abi import contract_abi
from tests.builders.passkey_verifier import VERIFIER_GAS, DeployedVerifier
from tests.builders.passkeys import GOOD_FLAGS, ORIGIN, USER_PRESENT, USER_VERIFIED, SoftwareAuthenticator, client_data_of, with_high_s
from tests.depth import in_a_soak

ROOT = Path(__file__).resolve().parents[2]
DIGEST = bytes(range(32))
ANN = SoftwareAuthenticator("ann")
BOB = SoftwareAuthenticator("bob")
GOOD = ANN.sign(DIGEST)
EXTRA_KEY = b',"other_keys_can_be_added_here":"do not compare clientDataJSON against a template. See https://goo.gl/yabPex"'
FIELD = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF


@pytest.fixture(scope="module", params=[True, False], ids=["precompile", "library"])
def verifier(request: pytest.FixtureRequest) -> DeployedVerifier:
    return DeployedVerifier(with_p256=request.param)


@cache
def with_precompile() -> DeployedVerifier:
    return DeployedVerifier()


@pytest.fixture
def fast() -> DeployedVerifier:
    return with_precompile()


def test_a_good_assertion_is_good_within_the_gas_that_it_is_given(verifier: DeployedVerifier) -> None:
    assert verifier.verdict(DIGEST, ANN.authorizer, GOOD) is None


ends = {
    "usual": b',"crossOrigin":false}',
    "no word of frames": b"}",
    "a browser's further member": b',"crossOrigin":false' + EXTRA_KEY + b"}",
    "an app's member": b',"androidPackageName":"com.android.chrome"}',
    "a truth": b',"crossOrigin":false,"a":true,"":"","b":false}',
}


@pytest.mark.parametrize("end", ends.values(), ids=ends)
def test_every_way_in_which_browsers_write_client_data_is_read(fast: DeployedVerifier, end: bytes) -> None:
    assert fast.verdict(DIGEST, ANN.authorizer, ANN.sign(DIGEST, end=end)) is None


def test_further_flags_a_counter_and_extensions_are_the_authenticators_own(fast: DeployedVerifier) -> None:
    for flags in (GOOD_FLAGS | 0x08, GOOD_FLAGS | 0x18, GOOD_FLAGS | 0x80):
        assert fast.verdict(DIGEST, ANN.authorizer, ANN.sign(DIGEST, flags=flags, extensions=b"\xa0" * 218)) is None


Make = Callable[[], tuple[bytes, bytes, bytes]]


def by_ann(**other: object) -> Make:
    return lambda: (DIGEST, ANN.authorizer, ANN.sign(DIGEST, **other))


def ends_with(text: str) -> Make:
    return by_ann(end=text.encode())


def client_data(text: bytes) -> Make:
    return by_ann(client_data=text)


def proof(of: bytes) -> Make:
    return lambda: (DIGEST, ANN.authorizer, of)


def authorizer(of: bytes) -> Make:
    return lambda: (DIGEST, of, GOOD)


def signed_numbers(r: int, s: int) -> Make:
    return proof(r.to_bytes(32) + s.to_bytes(32) + GOOD[64:])


R, S = int.from_bytes(GOOD[:32]), int.from_bytes(GOOD[32:64])
HEAD = client_data_of(DIGEST, end=b"")
EVIL = "https://evil.example"
KEY = ANN.authorizer[:64]
REST = ANN.authorizer[64:]
P = PasskeyRefusal

refused: dict[str, tuple[Make, PasskeyRefusal]] = {
    # the authorizer
    "no authorizer": (authorizer(b""), P.MALFORMED_AUTHORIZER),
    "no origin": (authorizer(ANN.authorizer[:96]), P.MALFORMED_AUTHORIZER),
    "an origin too long": (authorizer(ANN.authorizer[:96] + b"a" * 129), P.MALFORMED_AUTHORIZER),
    "an origin that closes its quotation": (authorizer(ANN.authorizer + b'","x":"'), P.MALFORMED_AUTHORIZER),
    "an origin with an escape": (authorizer(ANN.authorizer + b"\\u002e"), P.MALFORMED_AUTHORIZER),
    "an origin of other than ASCII": (authorizer(ANN.authorizer + "é".encode()), P.MALFORMED_AUTHORIZER),
    "an origin with a line's end": (authorizer(ANN.authorizer + b"\n"), P.MALFORMED_AUTHORIZER),
    "a key off the curve": (authorizer(KEY[:63] + bytes([KEY[63] ^ 1]) + REST), P.KEY_NOT_ON_CURVE),
    "the point at infinity": (authorizer(bytes(64) + REST), P.KEY_NOT_ON_CURVE),
    # the proof's form
    "no proof": (proof(b""), P.MALFORMED_PROOF),
    "a signature alone": (proof(GOOD[:64]), P.MALFORMED_PROOF),
    "authenticator data cut short": (proof(GOOD[:64] + bytes([36]) + GOOD[65:]), P.MALFORMED_PROOF),
    "no client data": (proof(GOOD[: 65 + 37]), P.MALFORMED_CLIENT_DATA),
    "less than it announces": (proof(GOOD[: 65 + 36]), P.MALFORMED_PROOF),
    "huge client data": (by_ann(end=b',"a":"' + b"a" * MAX_CLIENT_DATA_LENGTH + b'"}'), P.MALFORMED_PROOF),
    "a proof with more behind it": (proof(GOOD + b" "), P.MALFORMED_CLIENT_DATA),
    "a proof cut short": (proof(GOOD[:-1]), P.MALFORMED_CLIENT_DATA),
    "garbage": (proof(b"\x25" * 200), P.MALFORMED_CLIENT_DATA),
    # what was approved of
    "a passkey being made": (by_ann(kind="webauthn.create"), P.NOT_AN_ASSERTION),
    "a payment": (by_ann(kind="payment.get"), P.NOT_AN_ASSERTION),
    "another digest": (lambda: (DIGEST, ANN.authorizer, ANN.sign(bytes(32))), P.OTHER_CHALLENGE),
    "a digest for which an earlier proof was made": (lambda: (bytes(32), ANN.authorizer, GOOD), P.OTHER_CHALLENGE),
    "a longer challenge": (client_data(HEAD.replace(b'","origin', b'A","origin') + b"}"), P.OTHER_CHALLENGE),
    "a padded challenge": (client_data(HEAD.replace(b'","origin', b'=","origin') + b"}"), P.OTHER_CHALLENGE),
    "a challenge in the other alphabet": (
        lambda: (b"\xff" * 32, ANN.authorizer, ANN.sign(DIGEST, client_data=client_data_of(b"\xff" * 32).replace(b"_", b"/"))),
        P.OTHER_CHALLENGE,
    ),
    # where
    "another origin": (lambda: (DIGEST, ANN.authorizer, replace(ANN, origin=EVIL).sign(DIGEST)), P.OTHER_ORIGIN),
    "an origin that only begins alike": (
        lambda: (DIGEST, ANN.authorizer, replace(ANN, origin=ORIGIN + ".evil.example").sign(DIGEST)),
        P.OTHER_ORIGIN,
    ),
    "an origin that is only the beginning": (
        lambda: (DIGEST, ANN.authorizer, replace(ANN, origin=ORIGIN[:-1]).sign(DIGEST)),
        P.OTHER_ORIGIN,
    ),
    "an origin without its port": (lambda: (DIGEST, ANN.authorizer + b":8443", GOOD), P.OTHER_ORIGIN),
    "an origin in other letters": (lambda: (DIGEST, ANN.authorizer, replace(ANN, origin=ORIGIN.upper()).sign(DIGEST)), P.OTHER_ORIGIN),
    "somebody else's frame": (ends_with(f',"crossOrigin":true,"topOrigin":"{EVIL}"}}'), P.CROSS_ORIGIN),
    "a frame's origin and no flag": (ends_with(f',"topOrigin":"{EVIL}"}}'), P.CROSS_ORIGIN),
    "a frame that is none and then one": (ends_with(',"crossOrigin":false,"crossOrigin":true}'), P.CROSS_ORIGIN),
    "a frame that is one and then none": (ends_with(',"crossOrigin":true,"crossOrigin":false}'), P.CROSS_ORIGIN),
    "a flag that is text": (ends_with(',"crossOrigin":"false"}'), P.CROSS_ORIGIN),
    "another relying party": (by_ann(rp_id="evil.example"), P.OTHER_RELYING_PARTY),
    "a relying party's subdomain": (by_ann(rp_id="www.wallet.example"), P.OTHER_RELYING_PARTY),
    # tricks with JSON
    "an origin said twice": (ends_with(f',"crossOrigin":false,"origin":"{EVIL}"}}'), P.MALFORMED_CLIENT_DATA),
    "a challenge said twice": (ends_with(',"challenge":"AAAA"}'), P.MALFORMED_CLIENT_DATA),
    "a type said twice": (ends_with(',"type":"webauthn.create"}'), P.MALFORMED_CLIENT_DATA),
    "a name with an escape": (ends_with(f',"orig\\u0069n":"{EVIL}"}}'), P.MALFORMED_CLIENT_DATA),
    "a value with an escape": (ends_with(',"a":"\\",\\"origin\\":\\""}'), P.MALFORMED_CLIENT_DATA),
    "the good origin inside a value": (
        client_data(client_data_of(DIGEST, EVIL, end=f',"a":"\\"origin\\":\\"{ORIGIN}\\""}}'.encode())),
        P.OTHER_ORIGIN,
    ),
    "the good members inside a first one": (
        client_data(b'{"a":"' + HEAD.replace(b'"', b'\\"') + b'","type":"webauthn.get"}'),
        P.MALFORMED_CLIENT_DATA,
    ),
    "the good members in another order": (
        client_data(b'{"origin":"' + ORIGIN.encode() + b'","type":"webauthn.get"}'),
        P.MALFORMED_CLIENT_DATA,
    ),
    "the type alone": (client_data(b'{"type":"webauthn.get"}'), P.MALFORMED_CLIENT_DATA),
    "the challenge alone": (client_data(HEAD.split(b',"origin')[0] + b"}"), P.MALFORMED_CLIENT_DATA),
    "an object as a value": (ends_with(f',"a":{{"origin":"{EVIL}"}}}}'), P.MALFORMED_CLIENT_DATA),
    "a list as a value": (ends_with(',"a":[]}'), P.MALFORMED_CLIENT_DATA),
    "a number as a value": (ends_with(',"a":1}'), P.MALFORMED_CLIENT_DATA),
    "a value without its first quotation mark": (ends_with(',"a":1"}'), P.MALFORMED_CLIENT_DATA),
    "a name without a value": (ends_with(',"a"}'), P.MALFORMED_CLIENT_DATA),
    "a name that never ends": (ends_with(',"a'), P.MALFORMED_CLIENT_DATA),
    "a value that never ends": (ends_with(',"a":"b'), P.MALFORMED_CLIENT_DATA),
    "a member without a name": (ends_with(",}"), P.MALFORMED_CLIENT_DATA),
    "no brace at the end": (ends_with(',"crossOrigin":false'), P.MALFORMED_CLIENT_DATA),
    "two braces at the end": (ends_with("}}"), P.MALFORMED_CLIENT_DATA),
    "an object behind the object": (ends_with(f'}}{{"origin":"{EVIL}"}}'), P.MALFORMED_CLIENT_DATA),
    "spaces between": (client_data(HEAD.replace(b'":"', b'": "') + b"}"), P.MALFORMED_CLIENT_DATA),
    "a space before": (client_data(b" " + HEAD + b"}"), P.MALFORMED_CLIENT_DATA),
    "a zero byte": (ends_with(',"a":"\0"}'), P.MALFORMED_CLIENT_DATA),
    "a mark of byte order": (client_data(b"\xef\xbb\xbf" + HEAD + b"}"), P.MALFORMED_CLIENT_DATA),
    # the authenticator's flags
    "nobody there": (by_ann(flags=USER_VERIFIED), P.USER_NOT_PRESENT),
    "nobody known": (by_ann(flags=USER_PRESENT), P.USER_NOT_VERIFIED),
    "backed up and not eligible": (by_ann(flags=GOOD_FLAGS | 0x10), P.BACKUP_FLAGS_CONTRADICT),
    # the signature
    "r is zero": (signed_numbers(0, S), P.SIGNATURE_OUT_OF_RANGE),
    "s is zero": (signed_numbers(R, 0), P.SIGNATURE_OUT_OF_RANGE),
    "r is the order": (signed_numbers(P256_ORDER, S), P.SIGNATURE_OUT_OF_RANGE),
    "s is the order": (signed_numbers(R, P256_ORDER), P.SIGNATURE_OUT_OF_RANGE),
    "everything is ones": (signed_numbers(2**256 - 1, 2**256 - 1), P.SIGNATURE_OUT_OF_RANGE),
    "the twin with the high s": (proof(with_high_s(GOOD)), P.HIGH_S),
    "another key": (lambda: (DIGEST, ANN.authorizer, BOB.sign(DIGEST)), P.WRONG_SIGNATURE),
    "r and s exchanged": (signed_numbers(S, min(R, P256_ORDER - R)), P.WRONG_SIGNATURE),
    "a counter changed afterwards": (proof(GOOD[:101] + b"\x01" + GOOD[102:]), P.WRONG_SIGNATURE),
}


@pytest.mark.parametrize(("make", "reason"), refused.values(), ids=refused)
def test_what_differs_from_a_good_assertion_is_refused_by_name(fast: DeployedVerifier, make: Make, reason: PasskeyRefusal) -> None:
    assert fast.verdict(*make()) is reason


def test_every_reason_is_met_above() -> None:
    assert {reason for _, reason in refused.values()} == set(PasskeyRefusal)


def test_the_reasons_are_the_errors_of_the_contract() -> None:
    errors = {item["name"]: selector for selector, item in contract_abi("PasskeyVerifier").errors.items()}
    assert {refusal.value: selector for refusal, selector in PASSKEY_SELECTORS.items()} == errors


def test_a_coordinate_beyond_the_field_is_no_other_name_for_a_key(fast: DeployedVerifier) -> None:
    """Such a point's remainder may lie on the curve: x = 0 does."""
    y = pow(0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B, (FIELD + 1) // 4, FIELD)
    assert fast.verdict(DIGEST, bytes(32) + y.to_bytes(32) + REST, GOOD) is P.WRONG_SIGNATURE
    assert fast.verdict(DIGEST, FIELD.to_bytes(32) + y.to_bytes(32) + REST, GOOD) is P.KEY_NOT_ON_CURVE


def test_a_wrong_signature_is_wrong_for_precompile_and_library(verifier: DeployedVerifier) -> None:
    assert verifier.verdict(DIGEST, ANN.authorizer, BOB.sign(DIGEST)) is P.WRONG_SIGNATURE
    assert verifier.verdict(DIGEST, BOB.authorizer, BOB.sign(DIGEST)) is None


def test_the_longest_proof_leaves_a_fifth_of_its_gas(verifier: DeployedVerifier) -> None:
    """Many short members cost more than a few long ones. The library's gas varies with the signature, by some 15,000."""
    long = replace(ANN, origin="https://" + "a" * 120)
    short_members = b',"a":""' * ((MAX_CLIENT_DATA_LENGTH - len(client_data_of(DIGEST, long.origin, end=b"}"))) // 7)
    for end in (short_members + b"}", b',"a":"' + b"a" * 280 + b'"}'):
        assert verifier.verdict(DIGEST, long.authorizer, long.sign(DIGEST, end=end, extensions=b"\xa0" * 218)) is None
        assert verifier.gas_used < VERIFIER_GAS * 4 // 5


def test_a_usual_assertion_costs_what_the_table_says(verifier: DeployedVerifier) -> None:
    """The library's gas varies with the numbers, by a few in a hundred."""
    assert verifier.verdict(DIGEST, ANN.authorizer, GOOD) is None
    lines = (ROOT / "contracts" / "README.md").read_text().splitlines()
    wanted = "with the precompile" if verifier.chain.with_p256 else "by the library"
    told = next(int(line.split("|")[-2].replace(",", "")) for line in lines if line.startswith("| a passkey") and wanted in line)
    assert told * 0.95 < verifier.gas_used < told * 1.05


# Random changes: whatever they make, contract and Python say the same of it (`verdict` compares), and it is seldom good.

tokens = st.sampled_from(
    [
        b'"',
        b",",
        b":",
        b"}",
        b"{",
        b"\\",
        b"\0",
        b" ",
        b'"origin"',
        b'"crossOrigin"',
        b"true",
        b"false",
        b'"topOrigin":',
        b"[",
        b"1",
        "é".encode(),
    ]
)


@st.composite
def changed(draw: st.DrawFn, text: bytes) -> bytes:
    """A few bytes replaced, put in, taken out or said twice."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 8)))
        text = text[:start] + draw(st.one_of(tokens, st.binary(max_size=3), st.just(text[start:end] * 2))) + text[end:]
    return text


@given(st.data())
@settings(max_examples=in_a_soak(20_000, 150), deadline=None)
def test_a_changed_proof_or_authorizer_is_judged_alike(data: st.DataObject) -> None:
    which = data.draw(st.sampled_from(["proof", "authorizer", "digest"]))
    parts = {"digest": DIGEST, "authorizer": ANN.authorizer, "proof": GOOD}
    parts[which] = data.draw(changed(parts[which]))[: 32 if which == "digest" else None].ljust(32 if which == "digest" else 0, b"\0")
    good = (DIGEST, ANN.authorizer, GOOD)
    assert (with_precompile().verdict(**parts) is None) == (tuple(parts.values()) == good)


@given(st.data())
@settings(max_examples=in_a_soak(20_000, 300), deadline=None)
def test_signed_client_data_of_any_shape_is_judged_alike(data: st.DataObject) -> None:
    """Signed anew, so that nothing hides behind a wrong signature."""
    text = data.draw(st.one_of(changed(client_data_of(DIGEST)), st.lists(tokens).map(lambda some: HEAD + b"".join(some))))
    flags = data.draw(st.sampled_from([GOOD_FLAGS, GOOD_FLAGS | 0x18, *range(32)]))
    extensions = data.draw(st.binary(max_size=8))
    with_precompile().verdict(DIGEST, ANN.authorizer, ANN.sign(DIGEST, client_data=text, flags=flags, extensions=extensions))
