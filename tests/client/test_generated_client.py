"""The client is made of the description: every operation is a method with its parameters, its types hold, and it needs httpx alone."""

from __future__ import annotations

import copy
import importlib.metadata
import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.client.__main__ import DESCRIPTION, NAME, ROOT, make
from scripts.client.shapes import CannotBeMade
from tests.architecture.sources import PYPROJECT, packages_imported
from tests.builders.client import client_package, unpacked

DESCRIBED: dict[str, Any] = json.loads(DESCRIPTION.read_bytes())
OPERATIONS = [(method, path, route) for path, methods in DESCRIBED["paths"].items() for method, route in methods.items()]
VERSION = PYPROJECT["project"]["version"]


@pytest.mark.parametrize(("method", "path", "route"), OPERATIONS, ids=[route["operationId"] for _, _, route in OPERATIONS])
def test_every_operation_is_a_method_that_sends_what_is_described(method: str, path: str, route: dict[str, Any]) -> None:
    gateway, sent = _recording()
    call = getattr(gateway, route["operationId"])
    takes = inspect.signature(call).parameters
    given = {name: _value(name) for name in takes}
    call(**given)
    assert (sent["method"], sent["path"]) == (method.upper(), _filled(path, given))
    for parameter in route.get("parameters", []):
        name = parameter["name"]
        if parameter["in"] == "query":
            assert sent["query"][name] == given[name]
            assert (takes[name].default is None) == (not parameter.get("required", False))
    headers = {one["name"].lower() for one in route.get("parameters", []) if one["in"] == "header"}
    assert ("idempotency-key" in headers) == (sent.get("idempotency_key") is not None)
    assert ("202" in route["responses"]) == bool(sent.get("wait"))
    if "requestBody" in route:
        [media_type] = route["requestBody"]["content"]
        assert sent.get("media_type", "application/json") == media_type
        assert sent["body"] == given.get("body", {})
    assert "idempotency_key" not in takes or takes["idempotency_key"].default is inspect.Parameter.empty
    assert " ".join(route["description"].split())[:40] in " ".join((call.__doc__ or "").split())


def test_every_page_can_be_gone_through() -> None:
    with_cursor = {
        route["operationId"] for _, _, route in OPERATIONS if any(one["name"] == "cursor" for one in route.get("parameters", []))
    }
    assert len(with_cursor) >= 6
    for operation_id in with_cursor:
        assert hasattr(client_package().Gateway, operation_id.replace("get_", "iterate_", 1))


def test_the_client_holds_its_types(tmp_path: Path) -> None:
    unpacked(DESCRIBED, tmp_path)
    assert (tmp_path / NAME / "py.typed").exists()
    (tmp_path / "shop.py").write_text(
        "from splittally_client import Gateway\n\n"
        "def sell(gateway: Gateway) -> int:\n"
        '    quote = gateway.create_quote({"order_id": "o", "member_id": "m", "points": 4})\n'
        '    return quote["discount_minor"]\n'
    )
    (tmp_path / "wrong.py").write_text(
        "from splittally_client import Gateway\n\n"
        "def sell(gateway: Gateway) -> str:\n"
        '    quote = gateway.create_quote({"order_id": "o", "member": "m"})\n'
        '    return quote["discount_minor"]\n'
    )
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = true\n[mypy-httpx.*]\nfollow_imports = skip\n")  # checked where it is written
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path / "cache"), NAME, "shop.py", "wrong.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    wrong = [line.split(": error: ")[0] for line in done.stdout.splitlines() if ": error: " in line]
    assert {*wrong} == {"wrong.py:4", "wrong.py:5"}, done.stdout


def test_the_client_imports_httpx_and_nothing_else(tmp_path: Path) -> None:
    unpacked(DESCRIBED, tmp_path)
    imported = {name for path in (tmp_path / NAME).glob("*.py") for name in packages_imported(path)}
    assert imported - set(sys.stdlib_module_names) == {"httpx"}


def test_making_it_needs_the_standard_library_alone(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv[1:] = ['--output', {str(tmp_path)!r}]; ",
    ]
    command[-1] += "import runpy; runpy.run_module('scripts.client', run_name='__main__')"
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"pip install {tmp_path}/splittally_client-{VERSION}-py3-none-any.whl\n"), done.stderr


def test_what_is_made_is_installed_by_pip(tmp_path: Path) -> None:
    wheel = make(DESCRIBED, tmp_path)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]
    done = subprocess.run([*pip, "--target", str(tmp_path / "there"), str(wheel)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {"calls.py", "gateway.py", "py.typed"} <= {path.name for path in (tmp_path / "there" / NAME).iterdir()}
    [found] = importlib.metadata.distributions(path=[str(tmp_path / "there")])
    assert (found.version, found.requires) == (VERSION, ["httpx>=0.28"])


def test_an_earlier_client_is_replaced_and_the_same_description_gives_the_same_bytes(tmp_path: Path) -> None:
    first = make(DESCRIBED, tmp_path).read_bytes()
    (tmp_path / f"{NAME}-0.0.1-py3-none-any.whl").touch()
    (tmp_path / "mine.txt").touch()
    assert make(DESCRIBED, tmp_path).read_bytes() == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.txt", f"{NAME}-{VERSION}-py3-none-any.whl"]


@pytest.mark.parametrize("text", ['"""\nimport os\n"""', 'ends in a quote"', "ends in a backslash\\", "\\N{nothing}", "two\n\nparagraphs"])
def test_no_text_of_a_description_becomes_code(tmp_path: Path, text: str) -> None:
    planted = copy.deepcopy(DESCRIBED)
    planted["paths"]["/v1/purchases"]["post"]["description"] = text
    planted["components"]["schemas"]["PurchaseBody"]["description"] = text
    planted["components"]["schemas"]["PurchaseBody"]["properties"]["store"]["description"] = text
    planted["components"]["schemas"]["BreakKind"]["enum"].append(text)
    unpacked(planted, tmp_path)
    for name in ("gateway", "shapes"):
        made = (tmp_path / NAME / f"{name}.py").read_text()
        assert "os" not in {line.strip() for line in made.splitlines()}
        assert packages_imported(tmp_path / NAME / f"{name}.py") <= {"__future__", "collections", "typing"}


@pytest.mark.parametrize("name", ["x(): pass", "import", "a-b", "", "_hidden", "mañana", "call", "close"])
def test_a_name_that_is_none_in_python_is_refused(tmp_path: Path, name: str) -> None:
    planted = copy.deepcopy(DESCRIBED)
    planted["paths"]["/v1/purchases"]["post"]["operationId"] = name
    with pytest.raises(CannotBeMade):
        make(planted, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_description_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_text('{"paths": 7}')
    for odd in ("odd.json", "nowhere.json"):
        command = [sys.executable, "-m", "scripts.client", "--from", str(tmp_path / odd), "--output", str(tmp_path / "made")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("no client can be made of ")
        assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "made").exists()


def _recording() -> tuple[Any, dict[str, Any]]:
    sent: dict[str, Any] = {}

    class Recording(client_package().Gateway):  # type: ignore[misc,name-defined]
        def call(self, method: str, path: str, **given: Any) -> Any:
            sent.update({"method": method, "path": path, "query": {}, **given})
            return {}

    return Recording("http://gateway.example", "id.secret"), sent


def _value(name: str) -> Any:
    return {"wait": 7, "body": {"some": "body"}}.get(name, f"{name}/%1")


def _filled(path: str, given: dict[str, Any]) -> str:
    for name, value in given.items():
        path = path.replace(f"{{{name}}}", str(value).replace("%", "%25").replace("/", "%2F"))
    return path
