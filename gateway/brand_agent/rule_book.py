"""The versions of the brand's rule: those of the settings, and those that its publisher signed since, which the journal keeps."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.brand_agent.till_journal import TillJournal
from gateway.ledger.signing import Domain
from gateway.loyalty.rule import EarningRule
from gateway.loyalty.rule_document import RuleDocument
from gateway.values.errors import Invalid
from gateway.values.ids import Address


class NotFollowed(Exception):
    """What is offered as a version of the rule is not one of the brand's; the text says why."""


@dataclass(frozen=True, slots=True)
class FollowedRule:
    """`in_force_from` is None from when it was taken until the gateway has answered: it may earn there already."""

    document: RuleDocument
    signature: bytes
    in_force_from: int | None

    @property
    def rule(self) -> EarningRule:
        return self.document.rule(self.in_force_from)


class RuleBook:
    """May be read by any thread."""

    def __init__(
        self, journal: TillJournal, given: Sequence[EarningRule], publisher: Address | None, domain: Domain, brand_id: int
    ) -> None:
        self._journal = journal
        self._given = tuple(given)
        self._publisher = publisher
        self._domain = domain
        self._brand_id = brand_id
        in_settings = {rule.version for rule in given}
        self._followed = tuple(each for each in journal.write(_kept) if each.document.version not in in_settings)

    @property
    def given(self) -> tuple[EarningRule, ...]:
        """Those of the settings."""
        return self._given

    @property
    def followed(self) -> tuple[FollowedRule, ...]:
        return self._followed

    @property
    def last_version(self) -> int:
        return max((rule.version for rule in self.rules()), default=0)

    def rules(self) -> tuple[EarningRule, ...]:
        return (*self._given, *self.followed_rules())

    def followed_rules(self) -> tuple[EarningRule, ...]:
        return tuple(each.rule for each in self._followed)

    def take(self, version: int, document: object, signature: bytes | None) -> FollowedRule:
        """On disk before anybody is told that it was taken. Raises NotFollowed."""
        if version <= self.last_version:
            raise NotFollowed(f"older than version {self.last_version}, which the agent has")
        found = FollowedRule(self._signed(version, document, signature), signature or b"", in_force_from=None)
        values = version, found.document.text(), found.signature
        self._journal.write(lambda connection: connection.execute("INSERT INTO rules VALUES (?, ?, ?, NULL)", values))
        self._followed = (*self._followed, found)
        return found

    def note_in_force(self, version: int, in_force_from: int) -> None:
        noted = "UPDATE rules SET in_force_from = ? WHERE version = ?"
        self._journal.write(lambda connection: connection.execute(noted, (in_force_from, version)))
        self._followed = tuple(
            replace(each, in_force_from=in_force_from) if each.document.version == version else each for each in self._followed
        )

    def _signed(self, version: int, document: object, signature: bytes | None) -> RuleDocument:
        if not isinstance(document, str) or signature is None:
            raise NotFollowed("not signed")
        try:
            found = RuleDocument.parse(document)
        except Invalid as wrong:
            raise NotFollowed("no document of a rule") from wrong
        if self._publisher is None or not found.is_signed_by(self._publisher, signature, self._domain):
            raise NotFollowed(f"not signed by the publisher {self._publisher}")
        if (found.brand_id, found.version) != (self._brand_id, version):
            raise NotFollowed(f"version {found.version} of brand {found.brand_id} under another number")
        return found


def _kept(connection: sqlite3.Connection) -> tuple[FollowedRule, ...]:
    rows = connection.execute("SELECT document, signature, in_force_from FROM rules ORDER BY version").fetchall()
    return tuple(FollowedRule(RuleDocument.parse(document), signature, begins) for document, signature, begins in rows)
