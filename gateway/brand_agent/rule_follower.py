"""Follows the brand's rule: takes what its publisher signed, whoever brings it, and confirms it to the gateway, which lets it earn then.

What is not so signed is refused with an alarm, and the version before goes on.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from gateway.brand_agent.gateway_client import ForwardingClient, GatewayAnswer, GatewayAway
from gateway.brand_agent.group_writer import CannotWrite
from gateway.brand_agent.rule_book import FollowedRule, NotFollowed, RuleBook
from gateway.loyalty.rule_document import RuleDocument
from gateway.values.calendar import moment
from gateway.values.hex import BadHex, hex_text, to_bytes

_DONE = (200, 201)


class RuleFollower:
    """Asks again and again. `refused`: by version, why it is not followed, as of the last time that the gateway answered."""

    def __init__(self, book: RuleBook, client: ForwardingClient, brand_id: int, every_seconds: float) -> None:
        self._book = book
        self._client = client
        self._brand_id = brand_id
        self._path = f"/v1/brands/{brand_id}/rules"
        self._every = every_seconds
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self.refused: Mapping[int, str] = {}

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="rules", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ending.set()
        if self._thread is not None:
            self._thread.join()

    def turn(self) -> None:
        """Raises GatewayAway and CannotWrite."""
        refused = {}
        told = self._client.rules(self._brand_id, max(0, self._book.last_version - 1))
        for each in told:
            try:
                self._follow(int(each["version"]), each)
            except NotFollowed as why:
                refused[int(each["version"])] = str(why)
        self._bring_back(told)
        self.refused = refused

    def _follow(self, version: int, told: Mapping[str, Any]) -> None:
        known = next((each for each in self._book.followed if each.document.version == version), None)
        if known is None and any(rule.version == version for rule in self._book.given):
            self._confirm_given(version, told)
            return
        if known is None:
            known = self._book.take(version, told.get("document"), _signature(told.get("signature")))
        if known.document.text() != told.get("document"):
            raise NotFollowed("another document than the agent has of it")
        if known.in_force_from is None or told.get("in_force_from") is None:
            self._book.note_in_force(version, self._confirm(known.document, known.in_force_from))

    def _confirm_given(self, version: int, told: Mapping[str, Any]) -> None:
        """A version that stands in the settings is the brand's own word; who signed it there does not matter."""
        rule = next(each for each in self._book.given if each.version == version)
        if (told.get("points"), told.get("per_minor")) != (rule.points, rule.per_minor):
            raise NotFollowed("another rule than the agent's settings have of it")
        if told.get("in_force_from") is None:
            self._confirm(_document(told.get("document")), rule.in_force_from)

    def _confirm(self, document: RuleDocument, told_before: int | None) -> int:
        """From when on the version is in force."""
        body: dict[str, Any] = {"document_hash": str(document.hash)}
        if told_before is not None:
            body["in_force_from"] = told_before
        named = f"agent-rule-{document.version}-{document.hash.hex()[:32]}-{told_before}"
        answer = self._client.post(f"{self._path}/{document.version}/confirmation", json.dumps(body).encode(), named)
        in_force_from = _moment(answer)
        if in_force_from is None or in_force_from < document.valid_from:
            raise NotFollowed(f"not let into force by the gateway ({answer.code})")
        return in_force_from

    def _bring_back(self, told: Sequence[Mapping[str, Any]]) -> None:
        """To a gateway that was restored from a backup, what it no longer knows: the publisher signed it. What it knows it refuses."""
        listed = {each["version"] for each in told}
        lost_ones = self._book.followed if self._book.last_version not in listed else ()
        for lost in lost_ones:
            self._client.post(self._path, _as_published(lost), f"agent-rule-{lost.document.version}-{lost.document.hash.hex()[:32]}")

    def _run(self) -> None:
        pause = 0.0
        while not self._ending.wait(pause):
            pause = self._every
            with suppress(GatewayAway, CannotWrite):
                self.turn()


def _as_published(rule: FollowedRule) -> bytes:
    document = rule.document
    body = {
        "points": document.points,
        "per_minor": document.per_minor,
        "valid_from": moment(document.valid_from) if document.valid_from else None,
        "version": document.version,
        "signature": hex_text(rule.signature),
    }
    return json.dumps(body).encode()


def _document(text: object) -> RuleDocument:
    try:
        return RuleDocument.parse(text if isinstance(text, str) else "")
    except ValueError as wrong:
        raise NotFollowed("no document of a rule") from wrong


def _signature(text: object) -> bytes | None:
    try:
        return to_bytes(text, 65)
    except BadHex:
        return None


def _moment(answer: GatewayAnswer) -> int | None:
    text = answer.body.get("in_force_from") if answer.status in _DONE else None
    try:
        return int(datetime.fromisoformat(str(text)).timestamp())
    except ValueError:
        return None
