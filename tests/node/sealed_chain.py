"""A small chain with something of everything in it, sealed by a real node: for tests of files, copies and verifiers."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from eth_account import Account

from tests.node.cell_contract import CREATION, word
from tests.node.running_node import RunningNode, throwaway_account

OPERATOR = throwaway_account("operator")
P256VERIFY = "0x" + "00" * 18 + "0100"
NOBODY = "0x" + "ab" * 20


def seal_chain(data: Path, *, wide: bool = False) -> int:
    """Runs a node over `data` until it holds a dozen blocks or more, stops it and returns the head's number."""
    with RunningNode(data, ("--operator", OPERATOR.address)) as node:
        send_some_of_everything(node)
        if wide:
            widen_the_state(node)
        head = int(node.call("eth_blockNumber"), 16)
        assert node.stop() == 0
    return head


def send_some_of_everything(node: RunningNode) -> None:
    """All transaction types, a creation, refunds, reverts, a self-destruction, EIP-7623's floor, P256VERIFY; in one second."""
    cell = node.send(OPERATOR, data=CREATION)["contractAddress"]
    for value in (1, 2, 3, 0):  # the clearing one earns a refund
        node.send(OPERATOR, to=cell, data=word(value))
    node.send(OPERATOR, to=NOBODY, value=5)
    node.send(OPERATOR, to=cell, data="0xdeadbeef")
    node.send(OPERATOR, to=cell, data=word(4), type=None, gasPrice=50)
    node.send(OPERATOR, to=cell, data=word(5), type=1, gasPrice=50, accessList=[{"address": cell, "storageKeys": [word(0)]}])
    node.send(OPERATOR, data="0x600160015533ff")
    node.send(OPERATOR, to=NOBODY, data="0x" + "11" * 3_000, gas=400_000)
    delegate = Account.from_key(b"\x31" * 32)
    authorization = delegate.sign_authorization({"chainId": node.chain_id, "address": cell, "nonce": 0})
    node.send(OPERATOR, to=delegate.address, data=word(6), type=4, authorizationList=[authorization], gas=300_000)
    node.send(OPERATOR, to=P256VERIFY, data=_p256_input())
    node.send(OPERATOR, data="0x" + _store_result_of_p256verify().hex(), gas=300_000)
    first = node.nonce(OPERATOR)
    batch = [node.signed(OPERATOR, nonce=first + offset, to=cell, data=word(offset + 7)) for offset in range(3)]
    sent = [node.call("eth_sendRawTransaction", raw) for raw in reversed(batch)]  # the last one closes the gap: one block
    for transaction_hash in sent:
        node.receipt(transaction_hash)


def widen_the_state(node: RunningNode) -> None:
    """Sixty accounts, and a contract with sixty slots of which half are cleared one by one: tries several levels deep."""
    stores = b"".join(bytes.fromhex(f"600160{slot:02x}55") for slot in range(1, 61))
    keeper = bytes.fromhex("6020355f355500")  # SSTORE(first word, second word)
    returned = bytes.fromhex(f"66{keeper.hex()}5f5260076019f3")
    contract = node.send(OPERATOR, data="0x" + (stores + returned).hex(), gas=2_000_000)["contractAddress"]
    first = node.nonce(OPERATOR)
    transfers = [{"to": "0x" + number.to_bytes(20, "big").hex(), "value": 1} for number in range(1_000, 1_060)]
    clearings = [{"to": contract, "data": word(slot) + word(0)[2:]} for slot in range(1, 31)]
    for offset, fields in enumerate((*transfers, *clearings)):
        sent = node.call("eth_sendRawTransaction", node.signed(OPERATOR, nonce=first + offset, **fields))
    assert node.receipt(sent)["status"] == "0x1"


def _p256_input() -> str:
    key = ec.derive_private_key(7_951, ec.SECP256R1())
    digest = hashes.Hash(hashes.SHA256())
    digest.update(b"a member's consent")
    r, s = decode_dss_signature(key.sign(b"a member's consent", ec.ECDSA(hashes.SHA256())))
    public = key.public_key().public_numbers()
    return "0x" + digest.finalize().hex() + "".join(f"{number:064x}" for number in (r, s, public.x, public.y))


def _store_result_of_p256verify() -> bytes:
    """Creation code that calls 0x100 with a good signature and puts the answer and the gas left into storage."""
    data = bytes.fromhex(_p256_input()[2:])
    copy = bytes.fromhex(f"60a060{0x24:02x}5f39")  # CODECOPY the 160 bytes behind this code to memory 0
    call = bytes.fromhex("602060a060a05f6101005afa")  # STATICCALL(gas, 0x100, 0, 160, 160, 32)
    keep = bytes.fromhex("5f5560a0516001555a60025500")  # slot 0: success, slot 1: the answer, slot 2: gas left; STOP
    code = copy + call + keep
    return code.ljust(0x24, b"\x5b") + data
