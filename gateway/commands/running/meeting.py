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
from gateway.secret_files import read_secret
from gateway.store.unit_of_work import wall_clock
from gateway.values.errors import Invalid, Unavailable


@dataclass(frozen=True, slots=True)
class Meeting:
    """`chain` is the node of the person's own choice, None where it has named none."""

    person: Person
    coalition: KnownCoalition
    gateway: GatewayClient
    chain: Chain | None

    @property
    def asked_ledger(self) -> GatewayClient | ChainReading:
        """The chain itself where a node is named: then nothing is believed."""
        return self.gateway if self.chain is None else ChainReading(self.chain, self.coalition)

    @property
    def now(self) -> int:
        """The person's own clock; in a sandbox, whose time is simulated, that of the newest block."""
        return self.asked_ledger.head_timestamp() if self.coalition.sandbox else wall_clock()

    def check(self, told: ToldAct) -> CheckedAct:
        return check_act(told, self.coalition, self.asked_ledger, self.person.first_saw(told.act_id, self.now))

    def own_chain(self) -> Chain:
        """Refuses to go without a node."""
        if self.chain is None:
            raise Invalid("this is sent from your own account: name a node with --rpc")
        return self.chain


def meet(home: Path, passphrase_file: Path | None, gateway_url: str, api_key_file: Path, rpc_url: str | None) -> Meeting:
    """Opens everything until the command ends."""
    context = click.get_current_context()
    person = open_person(home, passphrase_file)
    gateway = GatewayClient(gateway_url, read_secret(api_key_file))
    context.call_on_close(gateway.close)
    chain = None if rpc_url is None else Chain(rpc_url)
    if chain is not None:
        context.call_on_close(chain.close)
    return Meeting(person, _coalition(person, gateway, chain), gateway, chain)


def _coalition(person: Person, gateway: GatewayClient, chain: Chain | None) -> KnownCoalition:
    """A person who reads the chain alone needs no gateway: what is done without the operator is done while it is away, too."""
    try:
        return person.known(gateway.coalition())
    except Unavailable:
        remembered = person.remembered()
        if chain is None or remembered is None:
            raise
        return remembered


def shown_act(act: CheckedAct) -> dict[str, Any]:
    """A checked act as JSON."""
    return {
        "operation_id": act.told.operation_id,
        "act_id": str(act.told.act_id),
        "words": act.words,
        "changes": {name: {"holds": before, "then": after} for name, (before, after) in act.changes.items()},
        "signable_from": act.signable_from,
    }
