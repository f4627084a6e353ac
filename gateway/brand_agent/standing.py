"""How the agent stands: what waits in the outbox, what went wrong, and what somebody has to look at. As JSON, and for Prometheus."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gateway.brand_agent.forwarder import Reach
from gateway.brand_agent.item import ItemState
from gateway.brand_agent.refused import STILL_REFUSED
from gateway.loyalty.rule import EarningRule
from gateway.values.calendar import moment_or_none

_OLD_SECONDS = 300
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Alarm:
    """`code`: gateway_away, outbox_old, items_refused, rule_refused, days_differ."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Standing:
    """`waiting`: open items by state. `oldest_waiting_seconds`: since the oldest of them was journaled.
    `rules`: the versions of the brand's rule, and from when on each is in force."""

    waiting: Mapping[str, int]
    refused: int
    refused_last: list[dict[str, Any]]
    oldest_waiting_seconds: int
    gateway: str
    last_error: str | None
    rules: list[dict[str, Any]]
    alarms: list[Alarm]

    def view(self) -> dict[str, Any]:
        return asdict(self)

    def metrics(self) -> str:
        """In Prometheus' text format."""
        lines = ["# HELP agent_items_waiting Items on their way to the gateway, by state.", "# TYPE agent_items_waiting gauge"]
        lines += [f'agent_items_waiting{{state="{state}"}} {count}' for state, count in self.waiting.items()]
        for name, told, value in (
            ("agent_items_refused", "Items that ended refused.", self.refused),
            ("agent_oldest_waiting_seconds", "Since the oldest waiting item was journaled.", self.oldest_waiting_seconds),
            ("agent_gateway_away", "1 while the gateway is away.", int(self.gateway == "away")),
            ("agent_alarms", "Alarms that somebody has to look at.", len(self.alarms)),
        ):
            lines += [f"# HELP {name} {told}", f"# TYPE {name} gauge", f"{name} {value}"]
        return "\n".join(lines) + "\n"


def standing(
    connection: sqlite3.Connection, reach: Reach, now: int, rules: Sequence[EarningRule], refused_rules: Mapping[int, str]
) -> Standing:
    """`refused_rules`: by version, why the agent does not follow it."""
    open_states = [state.value for state in ItemState if state is not ItemState.ENDED]
    counted = dict(connection.execute("SELECT state, count(*) FROM items WHERE state <> 'ended' GROUP BY state"))
    firsts = [connection.execute("SELECT journaled_at FROM items WHERE state = ? ORDER BY sequence LIMIT 1", (one,)) for one in open_states]
    oldest = min((row[0] for found in firsts for row in found), default=now)
    refused = connection.execute(f"SELECT count(*) FROM items WHERE {STILL_REFUSED}").fetchone()[0]  # noqa: S608
    last = f"SELECT kind, external_id, till, reason FROM items WHERE {STILL_REFUSED} ORDER BY sequence DESC LIMIT ?"  # noqa: S608
    names = "kind", "id", "till", "reason"
    refused_last = [dict(zip(names, row, strict=True)) for row in connection.execute(last, (_SHOWN,))]
    differing = connection.execute("SELECT day, till FROM day_closes WHERE agrees = 0 ORDER BY day DESC LIMIT ?", (_SHOWN,)).fetchall()
    alarms = []
    if reach.away_since is not None:
        alarms.append(Alarm("gateway_away", f"since {int(now - reach.away_since)} seconds: {reach.reason}"))
    if now - oldest > _OLD_SECONDS:
        alarms.append(Alarm("outbox_old", f"something waits since {now - oldest} seconds: see last_error, and ask the operator"))
    if refused:
        alarms.append(
            Alarm("items_refused", f"{refused} items ended refused: GET /v1/refused lists them; try them again, or mark them as dealt with")
        )
    for version, why in refused_rules.items():
        alarms.append(
            Alarm("rule_refused", f"version {version} at the gateway is {why}: it is not followed, and the version before goes on")
        )
    for day, till in differing:
        alarms.append(Alarm("days_differ", f"till {till}, {day}: its count or sum is not the journal's; send what is missing, close again"))
    waiting = {state: counted.get(state, 0) for state in open_states}
    troubled = "SELECT reason FROM items WHERE state = 'journaled' AND faults > 0 AND reason IS NOT NULL ORDER BY sequence DESC LIMIT 1"
    fault = connection.execute(troubled).fetchone() if reach.reason is None and waiting["journaled"] < 100_000 else None
    last_error = reach.reason or (fault[0] if fault else None)
    away = "away" if reach.away_since is not None else "there"
    return Standing(waiting, refused, refused_last, max(0, now - oldest), away, last_error, [_told(rule) for rule in rules], alarms)


def _told(rule: EarningRule) -> dict[str, Any]:
    begins = moment_or_none(rule.in_force_from)
    return {"version": rule.version, "points": rule.points, "per_minor": rule.per_minor, "in_force_from": begins}
