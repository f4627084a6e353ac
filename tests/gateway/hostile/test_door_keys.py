"""API keys at the door: known for a second, forgotten at once, and guesses cost one query for all of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from gateway.access import key_ring
from gateway.access.api_key import ApiKey, Role, secret_hash
from gateway.access.key_ring import TRUSTED_SECONDS, KeyRing
from gateway.values.errors import Unavailable
from tests.builders.offline_coalition import OfflineCoalition


class Store:
    """Keys, and what was asked."""

    def __init__(self) -> None:
        self.keys = {"a": ApiKey("a", secret_hash("open"), Role.BRAND, 1, "a", 0)}
        self.asked: list[list[str]] = []
        self.gate = threading.Event()
        self.gate.set()

    def look(self, key_ids: Sequence[str]) -> Mapping[str, ApiKey]:
        self.asked.append(list(key_ids))
        self.gate.wait(10)
        return {key_id: self.keys[key_id] for key_id in key_ids if key_id in self.keys}


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def ring(store: Store) -> Iterator[KeyRing]:
    made = KeyRing(store.look)
    yield made
    store.gate.set()
    made.close()


def test_a_key_is_asked_once_and_then_known_for_a_second(store: Store, ring: KeyRing) -> None:
    assert ring.known("a.open") is None
    assert ring.holder(ring.asked("a.open").result(5), "a.open") is not None
    known = ring.known("a.open")
    assert known is not None
    assert (known.principal, ring.known("a.shut"), len(store.asked)) == ("brand:1", None, 1)
    time.sleep(TRUSTED_SECONDS + 0.05)
    assert ring.known("a.open") is None


def test_what_is_forgotten_opens_nothing_even_where_it_was_being_looked_up(store: Store, ring: KeyRing) -> None:
    store.gate.clear()
    looked_up = ring.asked("a.open")
    while not store.asked:
        time.sleep(0.001)
    ring.forget("a")
    store.gate.set()
    looked_up.result(5)
    assert ring.known("a.open") is None


def test_guesses_share_one_query_and_have_a_bound(store: Store, ring: KeyRing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_ring, "ASKED_AT_MOST", 100)
    ring.asked("a.open").result(5)
    store.gate.clear()
    guesses = [ring.asked(f"guess-{number}.x") for number in range(100)]
    with pytest.raises(Unavailable):
        ring.asked("one-more.x")
    honest = ring.asked("a.open")  # who is known is asked for all the same
    store.gate.set()
    assert honest.result(5) is not None
    assert {guess.result(5) for guess in guesses} == {None}
    assert len(store.asked) <= 4


def test_a_database_that_is_away_is_told_to_who_asks(ring: KeyRing, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: Sequence[str]) -> Mapping[str, ApiKey]:
        raise Unavailable("away")

    monkeypatch.setattr(ring, "_look", away)
    with pytest.raises(Unavailable):
        ring.asked("a.open").result(5)
    monkeypatch.setattr(ring, "_look", store.look)
    assert ring.asked("a.open").result(5) is not None


def test_a_revoked_key_opens_nothing_from_the_next_request_on(tmp_path: Path) -> None:
    coalition = OfflineCoalition(tmp_path)
    coalition.brand(1)
    made = coalition.post("operator", "/v1/brands/1/api-keys", {"label": "till"}).json()
    key = {"Authorization": f"Bearer {made['token']}"}
    assert coalition.client.get("/v1/brands", headers=key).status_code == 200
    assert coalition.call("operator", "DELETE", f"/v1/brands/1/api-keys/{made['key_id']}", {}).status_code == 200
    assert coalition.client.get("/v1/brands", headers=key).status_code == 401
    coalition.close()
