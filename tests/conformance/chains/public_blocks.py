"""One block under each later fork's rules, with the hashes the public test chains of the `ethereum/tests` repository give it.

The figures are theirs (stExample/add11, bcValidBlockTest/SimpleTx); that each header hashes to the hash beside it checks them.
No chain under Prague is published there: go-ethereum's own transition test of EIP-7702 (cmd/evm/testdata/33) stands in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import rlp
from eth_utils import keccak, to_canonical_address

EMPTY_LIST = keccak(rlp.encode([]))
EMPTY_TRIE = keccak(rlp.encode(b""))
BENEFICIARY = "0x2adc25665018aa1fe0e6bc666dac8fc2697ff9ba"
ADDER = "0x095e7baea6a6c7c4c2dfeb977efac326af552d87"
SENDER = "0xa94f5374fce5edbc8e2a8697c15331677e6ebf0b"
BEACON_ROOTS = "0x000f3df6d732807ef1319fb7b8bb8522d0beac02"
BEACON_ROOTS_CODE = (
    "3373fffffffffffffffffffffffffffffffffffffffe14604d57602036146024575f5ffd5b5f35801560495762001fff810690815414603c575f5ffd5b"
    "62001fff01545f5260205ff35b5f5ffd5b62001fff42064281555f359062001fff015500"
)
ETHER = 10**18
# Header fields in their order; what a fork adds comes at the end.
DIFFICULTY, GAS_USED, TIME, EXTRA, MIX, NONCE = 7, 10, 11, 12, 13, 14

Header = list[Any]


@dataclass(frozen=True)
class PublicBlock:
    fork: str
    accounts: dict[bytes, dict[str, Any]]
    genesis: Header
    genesis_hash: str
    block: list[Any]
    head: str


@dataclass(frozen=True)
class PublicTransition:
    """A transaction and what it leaves, without a block around it."""

    accounts: dict[bytes, dict[str, Any]]
    beneficiary: str
    gas_limit: int
    transaction: dict[str, Any]
    published_key: str  # the sender's: everybody has it
    gas_used: int
    transaction_root: str
    receipt_root: str
    state_root: str


def _account(balance: int, code: str = "", nonce: int = 0, storage: dict[int, int] | None = None) -> dict[str, Any]:
    return {"balance": balance, "nonce": nonce, "code": bytes.fromhex(code), "storage": storage or {}}


def _transaction(price: int, gas: int, value: int, v: int, r: int, s: int) -> list[Any]:
    return [0, price, gas, to_canonical_address(ADDER), value, b"", v, r, s]


def _header(parent: str, state_root: str, roots: tuple[bytes, bytes], numbers: list[int], seal: list[Any], later: list[Any]) -> Header:
    """`numbers`: difficulty, number, gas limit, gas used, time; `seal`: beneficiary, extra data, mix hash, nonce."""
    beneficiary, extra, mix, nonce = seal
    start = [bytes.fromhex(parent), EMPTY_LIST, to_canonical_address(beneficiary), bytes.fromhex(state_root), *roots, bytes(256)]
    return [*start, *numbers, extra, mix, nonce, *later]


def _mined(fork: str, state_root: str, receipt_root: str, head: str, mix: str = "00" * 32, nonce: str = "00" * 8) -> PublicBlock:
    """1 + 1 into a slot, before Istanbul."""
    genesis_hash = "26f4cb1cb9685bad697c0c16ca0d27fe0a4b09364f83ed8418cef0d523783625"
    first_seal = [BENEFICIARY, b"\x42", EMPTY_TRIE, bytes.fromhex("0102030405060708")]
    first_root = "4b4b7a0d58a2388c0e6b3b048c3c27edd6febc6f04171167ed15a77ab2e60b16"
    genesis = _header("00" * 32, first_root, (EMPTY_TRIE, EMPTY_TRIE), [1 << 17, 0, 1_000_000, 0, 950], first_seal, [])
    transaction_root = bytes.fromhex("93ca2a18d52e7c1846f7b104e2fc1e5fdc71ebe38187248f9437d39e74f43aab")
    roots = transaction_root, bytes.fromhex(receipt_root)
    seal = [BENEFICIARY, b"", bytes.fromhex(mix), bytes.fromhex(nonce)]
    header = _header(genesis_hash, state_root, roots, [1 << 17, 1, 1_000_000, 0xA034, 1_000], seal, [])
    r = 0xE94818D1F3B0C69EB37720145A5EAD7FBF6F8D80139DD53953B4A782301050A3
    s = 0x1FCF46908C01576715411BE0857E30027D6BE3250A3653F049B3FF8D74D2540C
    accounts = {ADDER: _account(ETHER, "6001600101600055"), SENDER: _account(ETHER)}
    block = [header, [_transaction(1, 400_000, 100_000, 28, r, s)], []]
    return PublicBlock(fork, _by_address(accounts), genesis, genesis_hash, block, head)


def _istanbul() -> PublicBlock:
    """A plain transfer."""
    genesis_hash = "68a61c4a05db4913009de5666753258eb9306157680dc5da0d93656550c9257e"
    seal = ["0x8888f1f195afa192cfee860698584c030f4c9db1", b"\x42", bytes(32), bytes(8)]
    first_root = "cafd881ab193703b83816c49ff6c2bf6ba6f464a1be560c42106128c8dbc35e7"
    genesis = _header("00" * 32, first_root, (EMPTY_TRIE, EMPTY_TRIE), [1 << 17, 0, 0x2FEFD8, 0, 0x54C98C81], seal, [])
    transaction_root = bytes.fromhex("2b2fa1d2e13bdd645394906fd2737efa1f8f5e007a73e601e6db2ce4e1817d06")
    roots = transaction_root, bytes.fromhex("056b23fbba480696b65fe5a59b8f2148a1299103c4f57df839233af2cf4ca2d2")
    state_root = "68a95fbd2eab6f9c89a0ec17ead36cc1520415634fff17cf7ce935e767a9fa14"
    header = _header(genesis_hash, state_root, roots, [1 << 17, 1, 0x2FEFD8, 21_000, 0x54C99069], seal, [])
    r = 0x446EB869F0F7F365D5FA3E649C42EBA5F9B3F66092C0841E74BD6092EA08342D
    s = 0x626C0C7CB722F7B8AED94DB18BED4F14FE2300BF7F68CE8F40E285914DB6D273
    block = [header, [_transaction(1_000, 50_000, 10, 28, r, s)], []]
    head = "6f4bd25c9c513610867f4ebc9cf5c771d8fcc25d17873abb9d89625b5d1c274f"
    return PublicBlock("istanbul", _by_address({SENDER: _account(10**10)}), genesis, genesis_hash, block, head)


def _filled(
    fork: str, genesis_hash: str, state_root: str, head: str, first_root: str = "", later: tuple[list[Any], ...] = ([], [])
) -> PublicBlock:
    """1 + 1 into a slot, from Berlin on; `later` are the header fields the fork adds, in the genesis and in the block."""
    proof_of_work = fork in ("berlin", "london")
    difficulty, mix = (1 << 17, bytes(32)) if proof_of_work else (0, (1 << 17).to_bytes(32, "big"))
    seal = [BENEFICIARY, b"\x00", mix, bytes(8)]
    limit = 0xFF112233445566
    first_root = first_root or "4c9c6cf002e6a88a5444662ca9ceb6a116b7b69ced38c470bf6e4a12a6313967"
    genesis = _header("00" * 32, first_root, (EMPTY_TRIE, EMPTY_TRIE), [difficulty, 0, limit, 0, 0], seal, later[0])
    transaction_root = bytes.fromhex("f91abed7e00f88cadedc98279f8fe12e181da598fdf28c61aa18908e2e32d531")
    roots = transaction_root, bytes.fromhex("06f890d54ec65d8650b6c73eefd1fbc39f78b5b25f4e1ec10885c9f29f84ee98")
    header = _header(genesis_hash, state_root, roots, [difficulty, 1, limit, 0xA868, 1_000], seal, later[1])
    r = 0xFFB600E63115A7362E7811894A91D8BA4330E526F22121C994C4692035DFDFD5
    s = 0x6198379FCAC8DE3DBFAC48B165DF4BF88E2088F294B61EFB9A65FE2281C76E16
    accounts = {ADDER: _account(ETHER, "600160010160005500"), BENEFICIARY: _account(0, nonce=1), SENDER: _account(ETHER)}
    if fork == "cancun":
        accounts[BEACON_ROOTS] = _account(0, BEACON_ROOTS_CODE, nonce=1)
    block = [header, [_transaction(10, 400_000, 100_000, 27, r, s)], [], *([[]] if fork in ("shanghai", "cancun") else [])]
    return PublicBlock(fork, _by_address(accounts), genesis, genesis_hash, block, head)


def _by_address(accounts: dict[str, dict[str, Any]]) -> dict[bytes, dict[str, Any]]:
    return {to_canonical_address(address): account for address, account in accounts.items()}


BLOCKS = [
    _mined(
        "spurious_dragon",
        "328f16ca7b0259d7617b3ddf711c107efe6d5785cbeb11a8ed1614b484a6bc3a",
        "e151c94b824bded58346fa03fc91fa275bd0cf94caac0ea4ebb9c8d32a574644",
        "02b19b95cd9b8028a9c82d10fb9cb124528d8d10566ffe9a17b5347bf912c0dc",
        "7397a49a364b9b449a54521d0cc8830e88067866a5811c3b6cba8c8f36bcb8a7",
        "210b8ab71613e6ef",
    ),
    _mined(
        "byzantium",
        "b15e96a28489e2cf9e6458dd731ba124fe6f472c11417227e934a3f40af1bbfd",
        "5a0b89fb1e5f44d02b5900c39683a1796c591b2c3b08e3b1bfc94f5aa4f3c44d",
        "2ea5a952534931d2e5880d100b021beee28c597fb0c767663bcc87a5add5aca2",
    ),
    _mined(
        "constantinople",
        "8f4281e0fe19042b5d2526409d90f124e6e1fff6c4528ff8a7e9e335dd0898a5",
        "5a0b89fb1e5f44d02b5900c39683a1796c591b2c3b08e3b1bfc94f5aa4f3c44d",
        "fdf6ce14b3f324e6a70a8fa7ba964f97308443e968e422007cd3952bfb4618ad",
    ),
    _istanbul(),
    _filled(
        "berlin",
        "8059f7c8723742118bf0cc2fb04f5c02f735d94d24fe5ea88fbf11e6708bba36",
        "207ece420ab5a612a06d6a31353df17e608792980d7700a711be469aec8ef0c5",
        "74170faed4ecabcfb0039586369774053b20746cd5f837d7d6dd614164e94e6c",
    ),
    _filled(
        "london",
        "7f46f93fbcd604ebdb14d90b1b4337f471a44117474b441ce139c34fca1963f0",
        "3a850043110c27c6569a09d023847173322f01b278306fadec5df2a9ecfd1212",
        "01a1ee14a3d0f99cd4b0763f2965da87a2354f13ca4707c8e486e1d2bf85fe94",
        later=([11], [10]),
    ),
    _filled(
        "paris",
        "ff65ee94c6565271dc7915c847e375e7aee7349174d7c3507068bb60788d2f23",
        "e8010ce590f401c9d61fef8ab05bea9bcec24281b795e5868809bc4e515aa530",
        "6fd486de5274b51b835b6bd609f19f927f62291d793f0aada4d24b4a036cc3fa",
        later=([11], [10]),
    ),
    _filled(
        "shanghai",
        "7b6cdfd545be0a6ce3b520297647ae6e17677e38d95e76b4c79ded4547396da7",
        "e8010ce590f401c9d61fef8ab05bea9bcec24281b795e5868809bc4e515aa530",
        "bdeacde905eefee3f779d46b357b7e5093c4affcedd962f4ab914da50f793d38",
        later=([11, EMPTY_TRIE], [10, EMPTY_TRIE]),
    ),
    _filled(
        "cancun",
        "4b752ac4fc8dadaa1b82eb79c94f60e0daedf71cf36ac1e441bff7f2c227e4c7",
        "18571670421257919d0e116b68c9c6223a0872bb493f53fc5b2dffd850c7200f",
        "294115a365c9113463fc5f85f09a77deb7b4fc56bc9d2b9b92dcaf8d04b2f26f",
        "0f06118fcfe149aa3916d754c8747a35f9241cd946b63f8eb40ce66fdac5ce5a",
        ([11, EMPTY_TRIE, 0, 393_216, bytes(32)], [10, EMPTY_TRIE, 0, 0, bytes(32)]),
    ),
]

_CALLER, _STORER = "0x000000000000000000000000000000000000aaaa", "0x000000000000000000000000000000000000bbbb"
_PAYER = "0x71562b71999873DB5b286dF957af199Ec94617F7"
PRAGUE = PublicTransition(
    accounts=_by_address(
        {
            "0x8a0a19589531694250d570040a0c4b74576919b8": _account(
                ETHER,
                "600060006000600060007310000000000000000000000000000000000000015af1600155"
                "600060006000600060007310000000000000000000000000000000000000025af16002553d600060003e600051600355",
                storage={1: 256, 2: 256, 3: 256},
            ),
            _CALLER: _account(5 * ETHER, "58808080600173703c4b2bd70c169f5717101caee543299fc946c75af100"),
            _STORER: _account(3 * ETHER, "6042805500"),
            _PAYER: _account(7 * ETHER),
        }
    ),
    beneficiary=BENEFICIARY,
    gas_limit=0xFF112233445566,
    transaction={
        "type": 4,
        "chainId": 1,
        "nonce": 0,
        "to": _PAYER,
        "gas": 500_000,
        "maxPriorityFeePerGas": 2,
        "maxFeePerGas": 5 * 10**9,
        "value": 0,
        "data": b"",
        "accessList": [],
        "authorizationList": [
            {
                "chainId": 1,
                "address": _CALLER,
                "nonce": 1,
                "yParity": 1,
                "r": 0xF7E3E597FC097E71ED6C26B14B25E5395BC8510D58B9136AF439E12715F2D721,
                "s": 0x6CF7C3D7939BFDB784373EFFC0EBB0BD7549691A513F395E3CDABF8602724987,
            },
            {
                "chainId": 0,
                "address": _STORER,
                "nonce": 0,
                "yParity": 1,
                "r": 0x5011890F198F0356A887B0779BDE5AFA1ED04E6ACB1E3F37F8F18C7B6F521B98,
                "s": 0x56C3FA3456B103F3EF4A0ACB4B647B9CAB9EC4BC68FBCDF1E10B49FB2BCBCF61,
            },
        ],
    },
    published_key="0xb71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291",
    gas_used=0x15FA9,
    transaction_root="5d13a0b074e80388dc754da92b22922313a63417b3e25a10f324935e09697a53",
    receipt_root="504c5d86c34391f70d210e6c482615b391db4bdb9f43479366399d9c5599850a",
    state_root="9fdcacd4510e93c4488e537dc51578b5c6d505771db64a2610036eeb4be7b26f",
)
