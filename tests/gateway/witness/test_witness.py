"""A witness signs heads that descend from what it signed, at their time, once; whatever else it is shown, it signs nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.ledger.checkpoints import check_signed
from gateway.values.ids import Hash
from gateway.witness.log import WitnessLog, WrongLog
from gateway.witness.witness_chain import ChainRefused, NotNow
from tests.gateway.witness.following import FIRST_SECOND, NEXT_SEALER, SANDBOX, SEALER, STRANGER, WITNESS, Story, Watching

DAY = 86_400


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Callable[..., Watching]]:
    """Makes a witness over a story; its log is closed at the end."""
    made: list[Watching] = []

    def make(story: Story, now: int = FIRST_SECOND, genesis_hash: Hash | None = None) -> Watching:
        made.append(Watching(tmp_path, story, now, genesis_hash))
        return made[-1]

    yield make
    for each in made:
        each.log.close()


@pytest.fixture
def watching(watch: Callable[..., Watching]) -> Watching:
    """Three blocks, ten seconds apart, of which the last is signed."""
    story = Story()
    for second in (10, 20, 30):
        story.add(FIRST_SECOND + second)
    watching = watch(story, FIRST_SECOND + 31)
    assert watching.witness.look() is not None
    return watching


def lines(watching: Watching) -> int:
    return len((watching.folder / "checkpoints.jsonl").read_bytes().splitlines())


def test_a_checkpoint_names_chain_block_its_time_and_the_witnesss_own(watching: Watching) -> None:
    signed = watching.witness.last
    assert signed is not None
    check_signed(signed)
    head = watching.story.blocks[3]
    assert (signed.genesis_hash, signed.number, signed.block_hash) == (watching.story.genesis_hash, 3, head.hash)
    assert (signed.block_time, signed.witnessed_at, signed.witness) == (FIRST_SECOND + 30, FIRST_SECOND + 31, WITNESS.address)


def test_each_head_is_signed_once_also_after_a_restart(watching: Watching) -> None:
    assert watching.witness.look() is None
    watching.again()
    assert watching.witness.look() is None
    watching.story.add(FIRST_SECOND + 40)
    signed = watching.witness.look()
    assert signed is not None
    assert signed.number == 4
    assert lines(watching) == 3, "a line of its own and two checkpoints"


def test_a_head_many_blocks_on_is_followed_block_by_block(watching: Watching) -> None:
    for second in range(40, 140, 10):
        watching.story.add(FIRST_SECOND + second)
    signed = watching.witness.look()
    assert signed is not None
    assert signed.number == 13


def forked(story: Story) -> Story:
    other = story.cut(3)
    other.add(FIRST_SECOND + 29)
    return other


def forked_further_on(story: Story) -> Story:
    other = forked(story)
    other.add(FIRST_SECOND + 40)
    return other


def told_on(story: Story, **lie: object) -> Story:
    other = story.cut(4)
    other.add(FIRST_SECOND + 40, **lie)
    other.add(FIRST_SECOND + 41)
    return other


def by_a_stranger(story: Story) -> Story:
    other = story.cut(4)
    other.sealer = STRANGER
    other.add(FIRST_SECOND + 40)
    return other


def taken_over_by_a_stranger(story: Story) -> Story:
    other = story.cut(4)
    other.sealer = STRANGER
    other.add(FIRST_SECOND + 40, to=NEXT_SEALER)
    return other


def taken_over_without_a_seal(story: Story) -> Story:
    """The handover is the sealer's, the seal the one before's."""
    other = story.cut(4)
    handed = other.add(FIRST_SECOND + 40, to=NEXT_SEALER)
    own = story.cut(4).add(FIRST_SECOND + 40)
    assert own.hash == handed.hash
    other.blocks[-1] = replace(handed, seal=own.seal + handed.seal[65:])
    return other


def handed_over_to_itself(story: Story) -> Story:
    other = story.cut(4)
    other.add(FIRST_SECOND + 40, to=SEALER)
    return other


def by_the_one_that_handed_over(story: Story) -> Story:
    other = story.cut(4)
    other.add(FIRST_SECOND + 40, to=NEXT_SEALER)
    other.sealer = SEALER
    other.add(FIRST_SECOND + 41)
    return other


def backwards(story: Story) -> Story:
    other = story.cut(4)
    other.add(FIRST_SECOND + 29)
    return other


HOSTILE: dict[str, tuple[str, Callable[[Story], Story]]] = {
    "another block of the number that was signed": ("block 3: two stories", forked),
    "a longer chain without the block that was signed": ("block 3: two stories", forked_further_on),
    "a shorter chain": ("block 3: the head is block 2 now", lambda story: story.cut(3)),
    "another genesis": ("block 3: the head is block 0 now", lambda _: Story(SANDBOX)),
    "a block whose parent is another": ("block 4: a fork", lambda story: told_on(story, parent=b"\x07" * 32)),
    "a block of another number": ("block 4: its header says 5", lambda story: told_on(story, number=5)),
    "a block without a seal": ("block 4: it does not carry the seal", lambda story: told_on(story, seal=bytes(65))),
    "a seal cut short": ("block 4: it does not carry the seal", lambda story: told_on(story, seal=b"\x01")),
    "more behind the seal": ("block 4: it carries a seal of no known form", lambda story: told_on(story, seal=bytes(100))),
    "a block by somebody else": ("block 4: it does not carry the seal", by_a_stranger),
    "a handover by somebody else": ("block 4: it is sealed by somebody to whom", taken_over_by_a_stranger),
    "a takeover under the seal of the one before": ("block 4: it does not carry the seal of the sealer that", taken_over_without_a_seal),
    "a handover to itself": ("block 4: it does not carry the seal of the sealer that", handed_over_to_itself),
    "a block by the sealer that has handed over": ("block 5: it does not carry the seal", by_the_one_that_handed_over),
    "time that runs backwards": ("block 4: its time is before its parent's", backwards),
}


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("name", HOSTILE)
def test_what_does_not_descend_from_the_last_checkpoint_is_refused(watching: Watching, name: str, restarted: bool) -> None:
    reason, tell = HOSTILE[name]
    watching.story, watching.now = tell(watching.story), FIRST_SECOND + 42
    if restarted:
        watching.again()
    with pytest.raises(ChainRefused) as refused:
        watching.witness.look()
    assert str(refused.value).startswith(reason)
    assert lines(watching) == 2
    with pytest.raises(ChainRefused):
        watching.witness.look()


def test_the_genesis_is_the_trusted_one_or_nothing_is_signed(watch: Callable[..., Watching]) -> None:
    watching = watch(Story(), genesis_hash=Hash(b"\x01" * 32))
    with pytest.raises(ChainRefused, match=r"block 0: it is 0x.*, trusted is genesis 0x0101"):
        watching.witness.look()


def test_a_handover_is_followed_and_kept(watching: Watching) -> None:
    watching.story.add(FIRST_SECOND + 40, to=NEXT_SEALER)
    watching.story.add(FIRST_SECOND + 41)
    assert watching.witness.look() is not None
    watching.again()
    watching.story.add(FIRST_SECOND + 42)
    signed = watching.witness.look()
    assert signed is not None
    assert signed.number == 6


@pytest.mark.parametrize(("off", "signs"), [(-301, False), (-300, True), (0, True), (300, True), (301, False)])
def test_a_head_whose_time_is_off_by_more_than_the_skew_is_not_signed(watching: Watching, off: int, signs: bool) -> None:
    watching.story.add(FIRST_SECOND + DAY + off)
    watching.now = FIRST_SECOND + DAY
    if signs:
        assert watching.witness.look() is not None
    else:
        with pytest.raises(NotNow):
            watching.witness.look()
        watching.story.add(FIRST_SECOND + DAY + max(off, 0))
        watching.now += max(off, 0)
        signed = watching.witness.look()
        assert signed is not None, "a later head in time is"
        assert signed.number == 5


def test_a_fork_is_seen_also_of_a_head_that_was_followed_and_not_signed(watching: Watching) -> None:
    watching.now = FIRST_SECOND + DAY
    common = watching.story.cut(4)
    watching.story.add(FIRST_SECOND + 40)
    with pytest.raises(NotNow):
        watching.witness.look()
    common.add(FIRST_SECOND + DAY)
    watching.story = common
    with pytest.raises(ChainRefused, match="block 4: two stories"):
        watching.witness.look()


def test_in_a_sandbox_only_the_order_is_looked_at(watch: Callable[..., Watching]) -> None:
    story = Story(SANDBOX)
    story.add(FIRST_SECOND + 900 * DAY)
    watching = watch(story)
    assert watching.witness.look() is not None
    watching.story.add(FIRST_SECOND)
    with pytest.raises(ChainRefused, match="block 2: its time is before its parent's"):
        watching.witness.look()


@pytest.mark.parametrize(
    "story",
    [
        Story(SANDBOX, committed={"sandbox": False, "chainId": 7}),
        Story({"sandbox": False, "chainId": 7}),
        Story({"sandbox": "yes"}),
        Story({"sandbox": 1}),
        Story([True]),
    ],
    ids=["said", "not one", "text", "a number", "a list"],
)
def test_what_the_genesis_does_not_commit_to_is_no_sandbox(watch: Callable[..., Watching], story: Story) -> None:
    story.add(FIRST_SECOND + 900 * DAY)
    with pytest.raises(NotNow, match="ahead of this clock"):
        watch(story).witness.look()


def test_a_torn_last_line_was_never_shown(watching: Watching) -> None:
    watching.story.add(FIRST_SECOND + 40)
    assert watching.witness.look() is not None
    path = watching.folder / "checkpoints.jsonl"
    content = path.read_bytes()
    for length in (len(content) - 1, len(content) - 200):
        watching.log.close()
        path.write_bytes(content[:length])
        watching.again()
        assert watching.witness.last is not None
        assert watching.witness.last.number == 3
    assert watching.witness.look() is not None
    watching.again()
    assert watching.witness.last.number == 4, "nothing torn is left before it"


@pytest.mark.parametrize("change", [{"number": 2}, {"block_hash": "0x" + "09" * 32}, {"signature": "0x" + "00" * 65}, {"block_time": 1}])
def test_an_altered_log_is_refused(watching: Watching, change: dict[str, object]) -> None:
    watching.log.close()
    path = watching.folder / "checkpoints.jsonl"
    head, line = path.read_bytes().splitlines()
    path.write_bytes(head + b"\n" + json.dumps({**json.loads(line), **change}).encode() + b"\n")
    with pytest.raises(WrongLog, match="damaged"):
        watching.again()


def test_a_log_is_one_witnesss_on_one_chain_and_one_process_writes_it(watching: Watching) -> None:
    path = watching.folder / "checkpoints.jsonl"
    with pytest.raises(WrongLog, match="in use"):
        WitnessLog(path, watching.story.genesis_hash, WITNESS.address)
    watching.log.close()
    for genesis_hash, witness in ((Hash(bytes(32)), WITNESS.address), (watching.story.genesis_hash, STRANGER.address)):
        with pytest.raises(WrongLog, match="another chain or witness"):
            WitnessLog(path, genesis_hash, witness)
