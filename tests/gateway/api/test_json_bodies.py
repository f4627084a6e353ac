"""How deep JSON may be nested is the parser's own bound: what docs/operating.md says of it is what happens."""

from __future__ import annotations

import re

import pytest
from starlette.exceptions import HTTPException

from gateway.api.json_bodies import parse_json
from tests.node.running_node import ROOT

[DEPTH] = [int(found) for found in re.findall(r"nested more than (\d+) deep", (ROOT / "docs/operating.md").read_text())]


@pytest.mark.parametrize(("begin", "end"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")], ids=["lists", "objects", "both"])
def test_json_is_taken_to_the_depth_that_is_documented_and_no_deeper(begin: bytes, end: bytes) -> None:
    times = DEPTH // (begin.count(b"[") + begin.count(b"{"))
    parse_json(begin * times + b"0" + end * times)
    with pytest.raises(HTTPException) as refused:
        parse_json(b"[" + begin * times + b"0" + end * times + b"]")
    assert refused.value.status_code == 400
