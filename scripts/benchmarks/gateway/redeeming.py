"""Redemptions: each pair is an authorization under a member's own consent, signed beforehand, and its capture. Half of them by passkey."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.ledger.consents import NO_ORDER, ConsentTerms, consent_digest
from gateway.ledger.signing import Domain, reference
from gateway.values.hex import hex_text
from gateway.values.ids import Address, Hash
from scripts.benchmarks.gateway.connection import request
from scripts.benchmarks.gateway.driving import Call, Job
from scripts.benchmarks.gateway.people import person
from scripts.benchmarks.gateway.task import Task

POINTS = 2
GOOD_FOR_SECONDS = 5 * 86_400
WAIT_SECONDS = 10


def redemptions(task: Task, order: Iterator[int], secrets: Sequence[bytes]) -> Iterator[Job]:
    """Signs `options.pairs` of them before the first is given out."""
    domain = Domain(task.coalition["chain_id"], Address.parse(task.coalition["points_address"]), Hash.parse(task.coalition["coalition_id"]))
    numbers, members = range(task.redeemed, task.redeemed + task.options["pairs"]), task.options["members"]
    signed = [_pair(task, domain, place, number, members, secrets[place]) for number, place in zip(numbers, order, strict=False)]
    return iter(signed)


def _pair(task: Task, domain: Domain, place: int, number: int, members: int, secret: bytes) -> Job:
    seller, whose = task.sellers[place], person(number % members)
    order_id, member = f"o-{task.run}-{number}", whose.member(domain.coalition_id)
    deadline = task.now + GOOD_FOR_SECONDS
    terms = ConsentTerms(member, member, seller.brand_id, POINTS, POINTS, NO_ORDER, reference(secret, "order", order_id), number, deadline)
    digest = consent_digest(domain, terms)
    consent = (
        f'{{"order_id":"{order_id}","member_id":"{member}","points":{POINTS},"discount_minor":{POINTS},"nonce":{number},'
        f'"deadline":{deadline},"proof_kind":{int(whose.kind)},"proof":"{hex_text(whose.proof(digest))}"}}'
    )
    capture_id, port, token = f"c-{order_id}", seller.agent_port, seller.till_token
    capture = f'{{"capture_id":"{capture_id}","points":{POINTS}}}'
    calls = [
        Call(port, request("POST", "/v1/authorizations", port, token, consent, Prefer=f"wait={WAIT_SECONDS}")),
        Call(port, request("POST", f"/v1/authorizations/{digest}/capture", port, token, capture)),
    ]
    return Job(calls, 2, [bytes(reference(secret, "capture", capture_id))])
