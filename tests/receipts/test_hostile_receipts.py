"""Whatever a file holds, the answer is a verdict: never a traceback, never a hang."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.verify_receipt import MAX_FILE_BYTES, Refused, main, verify
from tests.receipts.own_chain import OwnChain

HONEST = OwnChain()
SCRIPT = Path(__file__).parents[2] / "scripts" / "verify_receipt.py"


def code_of(text: str | bytes) -> str:
    with pytest.raises(Refused) as refused:
        verify(text, HONEST.trust, may_omit=True)
    return refused.value.code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"format": "splittally-receipt/3"}',
        '{"format": "splittally-receipt/3", "about": []}',
        '{"format": "splittally-receipt/3", "about": "entry"}',
        '{"about": "entry", "about": "entry"}',
        "[" * 200_000,
        '{"a":' * 200_000,
        "9" * 10_000,
        "NaN",
        b"\xff\xfe\x00",
        b"\x00" * 100,
        " " * (MAX_FILE_BYTES + 1),
    ],
    ids=range(15),
)
def test_what_is_no_receipt_is_malformed(text: str | bytes) -> None:
    assert code_of(text) == "malformed"


@pytest.mark.parametrize(
    "wrong", ["0xzz", "0x0", "zz", "0X00", "", "\ud800", "0x" + "0" * 5_000_000, "0x00\n", 5, None, True, 1.5, [], {}, -1, 2**300]
)
def test_any_field_of_a_wrong_form_is_malformed(wrong: Any) -> None:
    for document in (HONEST.entry_receipt(1), HONEST.points_receipt()):
        for holder, name in places(document):
            if holder[name] is None or type(holder[name]) is type(wrong) is int or holder[name] == wrong:
                continue
            kept, holder[name] = holder[name], wrong
            if not (name in ("refused", "decoded", "of_lot") and wrong is None) and not (isinstance(kept, list) and wrong == []):
                assert code_of(json.dumps(document)) == "malformed", name
            holder[name] = kept


def test_a_name_that_stands_twice_is_malformed() -> None:
    text = json.dumps(HONEST.points_receipt())
    assert code_of(text.replace('"about"', '"about": "entry", "about"', 1)) == "malformed"
    assert code_of(text.replace('"held"', '"held": 5, "held"', 1)) == "malformed"


def test_a_missing_or_an_additional_field_is_malformed() -> None:
    for document in (HONEST.entry_receipt(1), HONEST.points_receipt()):
        for holder, name in places(document):
            if isinstance(holder, dict):
                kept = holder.pop(name)
                assert code_of(json.dumps(document)) == "malformed"
                holder[name] = kept
                holder["more"] = 1
                assert code_of(json.dumps(document)) == "malformed"
                del holder["more"]


@settings(max_examples=100)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.just("0x00"),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_in_any_place_gets_a_verdict(junk: Any) -> None:
    for name in ("coalition", "block", "account_proof", "batch", "entry"):
        document = copy.deepcopy(HONEST.entry_receipt())
        document[name] = junk
        code_of(json.dumps(document))


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, name) in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for name, each in inner for place in [(value, name), *places(each)]]


def trusted(chain: OwnChain) -> list[str]:
    trust = chain.trust
    return [
        *("--genesis-hash", "0x" + trust.genesis_hash.hex()),
        *("--sealer", "0x" + trust.sealer.hex()),
        *("--points-address", "0x" + trust.points_address.hex()),
    ]


def test_the_command_says_genuine_and_exits_0_or_names_the_code_and_exits_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps(HONEST.points_receipt()))
    assert main([str(file), "--may-omit", *trusted(HONEST)]) == 0
    assert "GENUINE" in capsys.readouterr().out
    assert main([str(file), *trusted(HONEST.by("other"))]) == 1
    assert "REFUSED sealer_not_trusted" in capsys.readouterr().out
    assert main([str(file), "--json", "--brand", "1", "--brand", "2", *trusted(HONEST)]) == 0
    assert json.loads(capsys.readouterr().out)["held_total"] == 120
    assert main([str(tmp_path / "absent"), "--json", *trusted(HONEST)]) == 1
    assert json.loads(capsys.readouterr().out)["code"] == "malformed"


def test_the_trusted_values_are_mandatory_and_checked(tmp_path: Path) -> None:
    for missing in range(0, 6, 2):
        given_values = trusted(HONEST)
        del given_values[missing : missing + 2]
        with pytest.raises(SystemExit) as stopped:
            main(["-", *given_values])
        assert stopped.value.code == 2
    with pytest.raises(SystemExit):
        main(["-", *trusted(HONEST)[:-1], "0x12"])


def test_the_file_runs_alone_in_a_directory_of_its_own_without_node_and_gateway(tmp_path: Path) -> None:
    copied = tmp_path / "verify_receipt.py"
    copied.write_text(SCRIPT.read_text())
    names = [line.split()[1].split(".")[0] for line in SCRIPT.read_text().splitlines() if line.startswith(("import ", "from "))]
    assert set(names) - set(sys.stdlib_module_names) == {"rlp", "eth_hash", "eth_keys"}
    command = [sys.executable, str(copied), "-", *trusted(HONEST)]
    done = subprocess.run(command, input=json.dumps(HONEST.entry_receipt()), capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "accepted entry 0 of batch 3" in done.stdout
