"""How a data directory comes to stand there without the chain that was begun in it."""

import shutil
from collections.abc import Callable
from pathlib import Path


def removed(store: Path) -> None:
    shutil.rmtree(store)


def emptied(store: Path) -> None:
    """As an unmounted disk leaves it."""
    shutil.rmtree(store)
    store.mkdir()


def replaced(store: Path) -> None:
    """As a new disk, formatted and mounted there, looks."""
    emptied(store)
    (store / "lost+found").mkdir()


def rows_lost(store: Path) -> None:
    for file in store.iterdir():
        if file.suffix in (".log", ".sst"):
            file.unlink()


def link_led_away(store: Path) -> None:
    """To a disk that is not mounted."""
    shutil.rmtree(store)
    store.symlink_to(store.parent / "disk" / "chain")


WAYS_TO_LOSE_A_CHAIN: dict[str, Callable[[Path], None]] = {
    way.__name__: way for way in (removed, emptied, replaced, rows_lost, link_led_away)
}
