"""What commands of second people share: the person, the coalition as this person knows it, and whom it asks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from gateway.chain.connection import Chain
from gateway.second_people.chain_reading import ChainReading
from gateway.second_people.check_act import CheckedAct, ToldAct, check_act
from gateway.second_people.gateway_client import GatewayClient
from gateway.second_people.known_coalition import KnownCoalition
from gateway.second_people.person import Person, open_person
from gateway.second_people.scheduled_acts import ScheduledAct, scheduled_act, scheduled_acts
from gateway.second_people.stated_coalition import check_delay, stated_coalition
from gateway.secret_files import read_secret
from gateway.values.calendar import wall_clock
from gateway.values.errors import Refusal
from gateway.values.hex import BadHex
from gateway.values.ids import Hash


@dataclass(frozen=True, slots=True)
class Meeting:
    """`chain` is the node of the person's own choice; `coalition` is as the contracts state it there."""

    person: Person
    coalition: KnownCoalition
    gateway: GatewayClient
    chain: Chain

    @property
    def ledger(self) -> ChainReading:
        return ChainReading(self.chain, self.coalition)

    @property
    def now(self) -> int:
        """The person's own clock; that of the newest block only where the contracts themselves say that time is simulated."""
        return self.ledger.head_timestamp() if self.coalition.sandbox else wall_clock()

    def standing(self) -> list[ScheduledAct]:
        """Every act that waits by the chain, whatever the gateway shows."""
        return scheduled_acts(self.chain, self.coalition)

    def scheduled(self, act_id: Hash) -> ScheduledAct:
        """Raises NotFound where none of this id waits."""
        return scheduled_act(self.chain, self.coalition, act_id)

    def check(self, told: ToldAct) -> CheckedAct:
        return check_act(told, self.coalition, self.ledger, lambda: self.person.first_saw(told.act_id, self.now))


def meet(home: Path, passphrase_file: Path | None, gateway_url: str, api_key_file: Path, rpc_url: str) -> Meeting:
    """Opens everything until the command ends."""
    context = click.get_current_context()
    person = open_person(home, passphrase_file)
    gateway = GatewayClient(gateway_url, read_secret(api_key_file))
    context.call_on_close(gateway.close)
    chain = Chain(rpc_url)
    context.call_on_close(chain.close)
    return Meeting(person, _coalition(person, gateway, chain), gateway, chain)


def _coalition(person: Person, gateway: GatewayClient, chain: Chain) -> KnownCoalition:
    """Once a coalition is known no gateway is needed: what is done without the operator is done while it is away or answers nobody, too."""
    try:
        told = gateway.coalition()
    except Refusal:
        remembered = person.remembered()
        if remembered is None:
            raise
        return person.known(stated_coalition(chain, remembered))
    stated = stated_coalition(chain, told)
    check_delay(told, stated)
    return person.known(stated)


def named_act(meeting: Meeting, act: str) -> Hash:
    """By its own id, which needs no gateway, or by its operation, which the gateway alone knows."""
    try:
        return Hash.parse(act)
    except BadHex:
        return meeting.gateway.act(act).act_id


def shown_act(act: CheckedAct) -> dict[str, Any]:
    """A checked act as JSON."""
    return {
        "operation_id": act.told.operation_id,
        "act_id": str(act.told.act_id),
        "words": act.words,
        "changes": {name: {"holds": before, "then": after} for name, (before, after) in act.changes.items()},
        "signable_from": act.signable_from,
    }
