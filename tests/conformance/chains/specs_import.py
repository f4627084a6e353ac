"""Imports a chain with the Ethereum execution specs' own fork of that name. Standard input: the chain; output: the head's hash.

Runs in the verifier's environment and shares nothing with the project. Proof of work is not checked: the chains have none.
"""

import importlib
import json
import sys

from ethereum.crypto.hash import keccak256  # type: ignore[import-not-found]
from ethereum_rlp import rlp  # type: ignore[import-not-found]
from ethereum_types.bytes import Bytes20, Bytes32  # type: ignore[import-not-found]
from ethereum_types.numeric import U64, U256, Uint  # type: ignore[import-not-found]


def main() -> None:
    given = json.load(sys.stdin)
    parts = {name: importlib.import_module(f"ethereum.forks.{given['fork']}.{name}") for name in ("fork", "blocks", "state", "fork_types")}
    fork, state, Block = parts["fork"], parts["state"].State(), parts["blocks"].Block  # noqa: N806 (the specs' name)
    if hasattr(fork, "validate_proof_of_work"):
        fork.validate_proof_of_work = lambda header: None
    for address, account in given["accounts"].items():
        place = Bytes20(bytes.fromhex(address))
        fields = (Uint(account["nonce"]), U256(int(account["balance"])), bytes.fromhex(account["code"]))
        parts["state"].set_account(state, place, parts["fork_types"].Account(*fields))
        for slot, value in account["storage"].items():
            parts["state"].set_storage(state, place, Bytes32(int(slot).to_bytes(32, "big")), U256(value))
    genesis = rlp.decode_to(Block, bytes.fromhex(given["genesis"]))
    assert parts["state"].state_root(state) == genesis.header.state_root
    chain = fork.BlockChain(blocks=[genesis], state=state, chain_id=U64(given["chain_id"]))
    for raw in given["blocks"]:
        fork.state_transition(chain, rlp.decode_to(Block, bytes.fromhex(raw)))
    print(keccak256(rlp.encode(chain.blocks[-1].header)).hex())


if __name__ == "__main__":
    main()
