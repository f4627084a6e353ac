"""`python -m gateway.brand_agent --config FILE` serves one brand's tills and signs for it, or serves one store's and only forwards.

`till add NAME` and `till revoke NAME` say who may speak to it; `store add NAME` makes the folder of a store's agent; `rebuild --rpc URL`
readies a restored, moved or second agent, with a key of its own.
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import closing
from pathlib import Path

from gateway.brand_agent.agent import open_agent
from gateway.brand_agent.config import AgentConfig, load_agent_config
from gateway.brand_agent.ledger_reading import LedgerReading
from gateway.brand_agent.rebuild import OtherKey, SignedPlace, rebuild
from gateway.brand_agent.server import bound_socket, serve, url_of
from gateway.brand_agent.store_agent import open_store_agent
from gateway.brand_agent.store_config import StoreConfig, load_any_config
from gateway.brand_agent.store_home import NewStore, add_store
from gateway.brand_agent.till_agent import TillAgent
from gateway.brand_agent.till_journal import TillJournal, UnusableJournal
from gateway.brand_agent.tills import OF_A_TILL, Scope, WrongTill, add_till, revoke_till
from gateway.brand_signer.config import BadConfig
from gateway.brand_signer.journal import WrongJournal
from gateway.brand_signer.key_source import KeySource
from gateway.brand_signer.sales_register import DamagedRegister
from gateway.foreign.rpc_node import NodeSilent, RpcNode
from gateway.secret_files import UnsafeFile, unusable_place
from gateway.values.calendar import wall_clock

_FORESEEN = (BadConfig, UnsafeFile, WrongJournal, UnusableJournal, DamagedRegister, WrongTill, OtherKey, NodeSilent, OSError)


def main(arguments: list[str] | None = None) -> int:
    os.umask(0o077)
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.config is None:
        parser.error("name the agent's settings with --config FILE")
    try:
        if given.command == "till":
            return _till(given)
        if given.command == "rebuild":
            return _rebuild(given)
        if given.command == "store":
            return _store(given)
        if given.address or given.evidence_address:
            named = load_agent_config(given.config)
            print((_evidence_key(named) if given.evidence_address else named.signer.key).open().address)
            return 0
        config = load_any_config(given.config)
        place = config if isinstance(config, StoreConfig) else config.signer
        bound = bound_socket(place.host, place.port)
        try:
            agent: TillAgent = open_store_agent(config) if isinstance(config, StoreConfig) else open_agent(config)
        except BaseException:
            bound.close()
            raise
    except _FORESEEN as wrong:
        print(f"brand agent: {unusable_place(wrong) if isinstance(wrong, OSError) else wrong}", file=sys.stderr)
        return 1
    agent.start()
    told = ", where points expire by the sandbox's time," if place.sandbox else ""
    whose = "agent of a store of brand" if isinstance(config, StoreConfig) else "agent of brand"
    print(f"{whose} {place.brand_id}{told} on {url_of(bound, config.tls)}", flush=True)
    try:
        serve(agent, bound)
    finally:
        agent.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    with_config = argparse.ArgumentParser(add_help=False)
    with_config.add_argument("--config", type=Path, required=True, help="the agent's settings (JSON)")
    parser = argparse.ArgumentParser(prog="python -m gateway.brand_agent", description=__doc__)
    parser.add_argument("--config", type=Path, help="the agent's settings (JSON)")
    parser.add_argument("--address", action="store_true", help="print the address of the brand's key (made if there is none) and end")
    parser.add_argument("--evidence-address", action="store_true", help="the same of the key that signs evidence of the brand's sales")
    commands = parser.add_subparsers(dest="command")
    again = commands.add_parser("rebuild", parents=[with_config], help="take over from the ledger what an agent before this one signed")
    again.add_argument("--rpc", required=True, help="the brand's own node, which executes every block itself")
    till = commands.add_parser("till", help="say which tills may speak to the agent")
    acts = till.add_subparsers(dest="act", required=True)
    add = acts.add_parser("add", parents=[with_config], help="make a till's token and print it, once")
    add.add_argument("name")
    add.add_argument("--scope", action="append", choices=tuple(Scope), help="what it may do (again for more; left out: all of a till's)")
    acts.add_parser("revoke", parents=[with_config], help="refuse a till's token from now on").add_argument("name")
    store = commands.add_parser("store", help="say which stores' agents may forward to this one")
    added = store.add_subparsers(dest="act", required=True).add_parser(
        "add", parents=[with_config], help="make a folder for a store's agent: its settings, and its token here (till revoke NAME ends it)"
    )
    added.add_argument("name")
    added.add_argument("--dir", type=Path, required=True, help="the new folder, to be taken to the store")
    added.add_argument("--upstream", required=True, metavar="URL", help="where the store reaches this agent; https:// beyond this machine")
    added.add_argument("--ca", type=Path, help="the authority of this agent's certificate (PEM), where it is no public one")
    added.add_argument("--listen", default="127.0.0.1:8700", metavar="HOST:PORT", help="where the store's agent listens, on loopback")
    return parser


def _store(given: argparse.Namespace) -> int:
    made = add_store(load_agent_config(given.config), given.name, NewStore(given.dir, given.upstream, given.ca, given.listen))
    print(f"store {given.name}: its agent's settings and token are in {given.dir}; take it to the store, and there")
    print(f"  add a till: python -m gateway.brand_agent till add till-1 --config {made}")
    print(f"  start it: python -m gateway.brand_agent --config {made}")
    return 0


def _evidence_key(config: AgentConfig) -> KeySource:
    if config.evidence is None:
        raise BadConfig("agent.evidence is missing: nobody is told of this brand's sales, and no key signs evidence of them")
    return config.evidence.key


def _rebuild(given: argparse.Namespace) -> int:
    config = load_agent_config(given.config)
    signer = config.signer
    key = signer.key.open().address
    place = SignedPlace(signer.journal_file, signer.domain, signer.brand_id)
    with closing(RpcNode(given.rpc)) as node, closing(TillJournal(config.journal_file, signer.domain, signer.brand_id)) as journal:
        count = rebuild(LedgerReading(node, signer.domain, signer.brand_id), journal, place, key)
    print(f"{count} batches stand on the ledger; the agent signs with {key} from its next start on")
    return 0


def _till(given: argparse.Namespace) -> int:
    path = load_any_config(given.config).tills_file
    if given.act == "add":
        print(add_till(path, given.name, frozenset(given.scope or OF_A_TILL)))
    else:
        revoke_till(path, given.name, wall_clock())
        print(f"till {given.name} is revoked: its token is refused from now on")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
