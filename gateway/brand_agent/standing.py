"""How the agent stands: what waits in the outbox, what went wrong, and what somebody has to look at. As JSON, and for Prometheus."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gateway.brand_agent.bonus import budgets
from gateway.brand_agent.evidence import Partner
from gateway.brand_agent.evidence_sender import Troubles, sent_to
from gateway.brand_agent.feed import FeedStanding
from gateway.brand_agent.feed_lines import count_problems
from gateway.brand_agent.forgotten import TOLD_AGAIN
from gateway.brand_agent.forwarder import Reach
from gateway.brand_agent.item import ItemState
from gateway.brand_agent.ledger_check import DISAGREES, LedgerStanding
from gateway.brand_agent.orders import captures_late
from gateway.brand_agent.refused import STILL_REFUSED
from gateway.loyalty.rule import EarningRule
from gateway.values.calendar import moment_or_none

_OLD_SECONDS = 300
_BEHIND_SECONDS = 60
_SHOWN = 20
_AWAY, _OTHER = "_away", "_other"
"""Other is away, too, as far as anything is sent: what answers there is not the coalition's gateway, or not the brand's agent."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """`code`: gateway_away, gateway_other (of a store's agent upstream_away, upstream_other), outbox_old, captures_late,
    items_refused, rule_refused, days_differ, feed_failing, ledger_disagrees, ledger_silent, ledger_behind, evidence_waits, and those of
    feed_lines.py."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Parts:
    """How the agent's parts stand that not every agent has. `refused_rules`: by version, why the agent does not follow it.

    `told`: by the brand that is told of sales, what stands in the way; `partners`: of whose sales this agent is told.
    `is_sandbox`: the ledger's time is not the clock's. `peer`: whom the outbox tells, the gateway or (upstream) the brand's agent.
    """

    feed: FeedStanding | None
    ledger: LedgerStanding | None
    rules: Sequence[EarningRule]
    refused_rules: Mapping[int, str]
    told: Mapping[int, Troubles]
    partners: Sequence[Partner]
    month: str
    is_sandbox: bool
    peer: str = "gateway"


@dataclass(frozen=True, slots=True)
class Standing:
    """`waiting`: open items by state. `oldest_waiting_seconds`: since the oldest of them was journaled. `told_again`: items sent once
    more because a gateway restored from a backup knew nothing of them. `rules`: the versions of the brand's rule, and from when on each
    is in force. `gateway` and `upstream`: there or away, whichever of the two the outbox tells. `evidence_to`: who is told of sales, and
    `partners`: what is used of the budgets for theirs."""

    waiting: Mapping[str, int]
    refused: int
    refused_last: list[dict[str, Any]]
    oldest_waiting_seconds: int
    gateway: str | None
    upstream: str | None
    last_error: str | None
    rules: list[dict[str, Any]]
    alarms: list[Alarm]
    told_again: int
    feed: Mapping[str, Any] | None
    own_discounts: Mapping[str, int]
    ledger: Mapping[str, Any] | None
    evidence_to: list[dict[str, Any]]
    partners: list[dict[str, Any]]

    def view(self) -> dict[str, Any]:
        return asdict(self)

    def metrics(self) -> str:
        """In Prometheus' text format."""
        peer, named = ("gateway", "the gateway") if self.upstream is None else ("upstream", "the brand's agent")
        lines = [f"# HELP agent_items_waiting Items on their way to {named}, by state.", "# TYPE agent_items_waiting gauge"]
        lines += [f'agent_items_waiting{{state="{state}"}} {count}' for state, count in self.waiting.items()]
        has_other = any(alarm.code == peer + _OTHER for alarm in self.alarms)
        for name, told, value in (
            ("agent_items_refused", "Items that ended refused.", self.refused),
            ("agent_oldest_waiting_seconds", "Since the oldest waiting item was journaled.", self.oldest_waiting_seconds),
            (f"agent_{peer}_away", f"1 while {named} is away.", int("away" in (self.gateway, self.upstream))),
            (f"agent_{peer}_other", f"1 while something else answers at {peer}_url.", int(has_other)),
            ("agent_alarms", "Alarms that somebody has to look at.", len(self.alarms)),
        ):
            lines += [f"# HELP {name} {told}", f"# TYPE {name} gauge", f"{name} {value}"]
        lines += ["# HELP agent_items_told_again_total Items that a restored gateway was told again."]
        lines += ["# TYPE agent_items_told_again_total counter", f"agent_items_told_again_total {self.told_again}"]
        for name, told, value in (
            ("agent_own_discounts_total", "Discounts given as the brand's own.", self.own_discounts["count"]),
            ("agent_own_discount_minor_total", "Their sum, in minor units.", self.own_discounts["discount_minor"]),
        ):
            lines += [f"# HELP {name} {told}", f"# TYPE {name} counter", f"{name} {value}"]
        lines += [
            "# HELP agent_evidence_waiting Evidence that waits to be handed over, by addressee.",
            "# TYPE agent_evidence_waiting gauge",
        ]
        lines += [f'agent_evidence_waiting{{brand="{one["brand_id"]}"}} {one["waiting"]}' for one in self.evidence_to]
        if self.feed is not None:
            lines += ["# HELP agent_feed_failing 1 while the shop's database cannot be read.", "# TYPE agent_feed_failing gauge"]
            lines += [f"agent_feed_failing {int(self.feed['failing_since'] is not None)}"]
            lines += [
                "# HELP agent_feed_read_at When the feed was last read to its end, in Unix seconds.",
                "# TYPE agent_feed_read_at gauge",
            ]
            lines += [f"agent_feed_read_at {int(self.feed['read_at'] or 0)}"]
        return "\n".join(lines) + "\n"


def standing(connection: sqlite3.Connection, reach: Reach, parts: Parts, now: int) -> Standing:
    feed = parts.feed
    open_states = [state.value for state in ItemState if state is not ItemState.ENDED]
    counted = dict(connection.execute("SELECT state, count(*) FROM items WHERE state <> 'ended' GROUP BY state"))
    firsts = [connection.execute("SELECT journaled_at FROM items WHERE state = ? ORDER BY sequence LIMIT 1", (one,)) for one in open_states]
    oldest = min((row[0] for found in firsts for row in found), default=now)
    refused = connection.execute(f"SELECT count(*) FROM items WHERE {STILL_REFUSED}").fetchone()[0]  # noqa: S608
    last = f"SELECT kind, external_id, till, reason, detail FROM items WHERE {STILL_REFUSED} ORDER BY sequence DESC LIMIT ?"  # noqa: S608
    names = "kind", "id", "till", "reason", "detail"
    refused_last = [dict(zip(names, row, strict=True)) for row in connection.execute(last, (_SHOWN,))]
    differing = connection.execute("SELECT day, till FROM day_closes WHERE agrees = 0 ORDER BY day DESC LIMIT ?", (_SHOWN,)).fetchall()
    alarms = []
    if reach.away_since is not None:
        code = parts.peer + (_OTHER if reach.is_other else _AWAY)
        alarms.append(Alarm(code, f"since {int(now - reach.away_since)} seconds: {reach.reason}"))
    if now - oldest > _OLD_SECONDS:
        alarms.append(Alarm("outbox_old", f"something waits since {now - oldest} seconds: see last_error, and ask the operator"))
    if refused:
        alarms.append(
            Alarm("items_refused", f"{refused} items ended refused: GET /v1/refused lists them; try them again, or mark them as dealt with")
        )
    if not parts.is_sandbox and (late := captures_late(connection, now)):
        alarms.append(Alarm("captures_late", f"{late} captures have a minute left at most and are not on the ledger: see last_error"))
    for version, why in parts.refused_rules.items():
        alarms.append(
            Alarm("rule_refused", f"version {version} at the gateway is {why}: it is not followed, and the version before goes on")
        )
    for day, till in differing:
        alarms.append(Alarm("days_differ", f"till {till}, {day}: its count or sum is not the journal's; send what is missing, close again"))
    for brand_id, troubles in parts.told.items():
        if troubles.since is not None:
            told_of = f"since {int(now - troubles.since)} seconds brand {brand_id} is not told of sales: {troubles.reason}"
            alarms.append(Alarm("evidence_waits", told_of))
    if feed is not None:
        alarms += _feed_alarms(connection, feed, now)
    if parts.ledger is not None:
        alarms += _ledger_alarms(connection, parts.ledger, now)
    waiting = {state: counted.get(state, 0) for state in open_states}
    troubled = "SELECT reason FROM items WHERE state = 'journaled' AND faults > 0 AND reason IS NOT NULL ORDER BY sequence DESC LIMIT 1"
    fault = connection.execute(troubled).fetchone() if reach.reason is None and waiting["journaled"] < 100_000 else None
    last_error = reach.reason or (fault[0] if fault else None)
    reached = "away" if reach.away_since is not None else "there"
    gateway, upstream = (reached, None) if parts.peer == "gateway" else (None, reached)
    told = connection.execute("SELECT value FROM facts WHERE name = ?", (TOLD_AGAIN,)).fetchone()
    told_again = 0 if told is None else int(told[0])
    own = _own_discounts(connection)
    ledger = None if parts.ledger is None else parts.ledger.view()
    shop = None if feed is None else feed.view()
    rules = [_told(rule) for rule in parts.rules]
    since, to = max(0, now - oldest), [sent_to(connection, brand_id) for brand_id in parts.told]
    bonus = budgets(connection, parts.partners, parts.month)
    return Standing(
        waiting, refused, refused_last, since, gateway, upstream, last_error, rules, alarms, told_again, shop, own, ledger, to, bonus
    )


def _own_discounts(connection: sqlite3.Connection) -> Mapping[str, int]:
    count, total = connection.execute("SELECT count(*), coalesce(sum(discount_minor), 0) FROM own_discounts").fetchone()
    return {"count": count, "discount_minor": total}


def _ledger_alarms(connection: sqlite3.Connection, ledger: LedgerStanding, now: int) -> list[Alarm]:
    found = []
    disagreeing = "SELECT count(*) FROM items WHERE state = 'answered' AND reason = ?"
    (count,) = connection.execute(disagreeing, (DISAGREES,)).fetchone()
    if count:
        found.append(Alarm(DISAGREES, f"the gateway calls {count} items confirmed that do not stand where it says: ask the operator"))
    if ledger.failing_since is not None:
        found.append(Alarm("ledger_silent", f"since {int(now - ledger.failing_since)} seconds: {ledger.reason}"))
    if ledger.behind_since is not None and now - ledger.behind_since > _BEHIND_SECONDS:
        told = f"since {int(now - ledger.behind_since)} seconds the node stands at block {ledger.head}, behind what the gateway tells"
        found.append(Alarm("ledger_behind", told))
    return found


def _feed_alarms(connection: sqlite3.Connection, feed: FeedStanding, now: int) -> list[Alarm]:
    found = [Alarm(problem, f"{count} rows: GET /v1/feed lists them") for problem, count in sorted(count_problems(connection).items())]
    if feed.failing_since is not None:
        found.append(Alarm("feed_failing", f"since {int(now - feed.failing_since)} seconds: {feed.reason}"))
    return found


def _told(rule: EarningRule) -> dict[str, Any]:
    begins = moment_or_none(rule.in_force_from)
    return {"version": rule.version, "points": rule.points, "per_minor": rule.per_minor, "in_force_from": begins}
