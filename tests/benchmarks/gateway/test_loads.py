"""What the benchmark's tills say, how its loads are driven, and what a program's processes took: known before any of it is believed."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from gateway.ledger.members import AuthorizerKind
from scripts.benchmarks.gateway.brands import SHARES, in_shares
from scripts.benchmarks.gateway.connection import Connections, request
from scripts.benchmarks.gateway.driving import Call, Driver, Job
from scripts.benchmarks.gateway.people import person
from scripts.benchmarks.gateway.processor_time import ProcessorTime
from scripts.benchmarks.gateway.shop import Saying, Shop
from scripts.benchmarks.gateway.task import Seller

COALITION = b"\x07" * 32
MEMBERS = [str(person(number).member(COALITION)) for number in range(4)]


def shop() -> Shop:
    return Shop(Seller(1, 1, "token", "key", "/dev/null", "00"), "run", MEMBERS, 1_700_000_000)


def test_each_brand_comes_as_often_as_its_share_and_none_waits_long() -> None:
    order = in_shares(len(SHARES))
    assert Counter(order) == dict(enumerate(SHARES))
    places = [place for place, brand in enumerate(order) if brand == 0]
    assert max(later - earlier for earlier, later in pairwise(places)) <= 5


def test_of_a_hundred_things_three_are_refunds_and_one_was_said_before() -> None:
    tills, said = shop(), list[Saying]()
    for _ in range(1_000):
        said.append(tills.next())
        tills.told(said[-1])
    kinds = Counter(saying.kind for saying in said if saying.is_new)
    assert kinds == {"purchase": 960, "payment_refund": 30}
    new = [saying for saying in said if saying.is_new]
    assert len({(saying.kind, saying.id) for saying in new}) == len(new)
    first = {saying.id: saying.body for saying in new}
    assert [saying.body for saying in said if not saying.is_new] == [first[saying.id] for saying in said if not saying.is_new]


def test_a_sale_has_four_lines_that_come_to_its_total_and_a_line_of_the_register() -> None:
    said = shop().sale()
    body, line = json.loads(said.body), json.loads(said.line)
    assert len(body["lines"]) == 4
    assert sum(each["amount_minor"] for each in body["lines"]) == body["gross_minor"] == line["gross_minor"]
    assert {name: line[name] for name in ("payment_id", "member_id")} == {name: body[name] for name in ("payment_id", "member_id")}


def test_every_second_member_signs_with_a_passkey() -> None:
    assert [person(number).kind for number in range(4)] == [AuthorizerKind.KEY, AuthorizerKind.PASSKEY] * 2
    assert len(set(MEMBERS)) == len(MEMBERS)


@asynccontextmanager
async def answering(statuses: list[int]) -> AsyncIterator[int]:
    """A server that gives these answers in turn, then 200; its port."""

    serving = set[asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(current := asyncio.current_task())
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                status = statuses.pop(0) if statuses else 200
                writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\nok".encode())
        except asyncio.IncompleteReadError:
            writer.close()
            await writer.wait_closed()
        serving.discard(current)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        while serving:
            await asyncio.sleep(0.01)


async def drive(port: int, count: int) -> Driver:
    connections, left = Connections(2), list(range(count))

    def make() -> Job | None:
        return Job([Call(port, request("GET", "/", port, "token"))], 1) if left and left.pop() is not None else None

    driver = Driver(connections, None, make)
    await driver.closed(2, None, 10)
    connections.close()
    return driver


def test_who_is_busy_is_asked_again_and_a_refusal_is_told() -> None:
    async def run() -> tuple[Driver, Driver]:
        async with answering([503, 429, 504]) as busy, answering([409]) as refusing:
            return await drive(busy, 5), await drive(refusing, 5)

    patient, refused = asyncio.run(run())
    assert (patient.driven.sent_entries, patient.driven.first_problem) == (5, "")
    assert patient.driven.statuses == {200: 5, 503: 1, 429: 1, 504: 1}
    assert refused.driven.sent_entries == 4
    assert refused.driven.first_problem == "409: ok"


def test_what_comes_late_counts_from_when_it_was_due() -> None:
    async def run() -> Driver:
        async with answering([]) as port:
            connections = Connections(50)

            def make() -> Job:
                time.sleep(0.02)
                return Job([Call(port, request("GET", "/", port, "token"))])

            driver = Driver(connections, None, make)
            await driver.open(200, 0.5)  # four times what it can make
            connections.close()
            return driver

    assert max(asyncio.run(run()).driven.answers) > 0.5


@pytest.mark.parametrize("ends", [False, True], ids=["running", "ended"])
def test_a_programs_time_holds_that_of_its_children(ends: bool) -> None:
    burns = "import time\nwhile time.process_time() < 0.4: pass\nprint('burned', flush=True)\n" + ("" if ends else "time.sleep(60)\n")
    parent = (
        "import subprocess, sys\n"
        "sys.stdin.readline()\n"
        f"child = subprocess.Popen([sys.executable, '-c', {burns!r}], stdout=subprocess.PIPE)\n"
        f"child.stdout.readline()\n{'child.wait()' if ends else ''}\n"
        "print('done', flush=True)\n"
        "sys.stdin.readline()\n"
        "child.kill()\n"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        clock = ProcessorTime({"it": program.pid})
        program.stdin.write("go\n")
        program.stdin.flush()
        program.stdout.readline()
        taken, memory = clock.taken()["it"], clock.megabytes()["it"]
        program.communicate("end\n")
    assert taken >= 0.4
    assert 1 < memory < 200
