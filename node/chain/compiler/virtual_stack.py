"""The EVM stack while a routine is translated: each item is a constant, a local variable or a pending test.

The real list stays as it was at the routine's entry until the routine is left; `leave` brings it up to date in one statement.
"""

from dataclasses import dataclass, field

STACK_LIMIT = 1_024


@dataclass(frozen=True)
class Test:
    """A comparison that has not been turned into 0 or 1 yet. `text` reads locals, which are never assigned twice."""

    text: str

    def negated(self) -> "Test":
        return Test(self.text.removeprefix("not ")) if self.text.startswith("not ") else Test(f"not ({self.text})")


Item = int | str | Test


@dataclass
class VirtualStack:
    """`taken` items at the bottom of `items` stand in the real list; `growth` is how far the depth ever rose above its start."""

    items: list[Item] = field(default_factory=list)
    taken: int = 0
    growth: int = 0
    _loaded: set[str] = field(default_factory=set)

    def reach(self, count: int) -> None:
        """Makes at least `count` items visible."""
        while len(self.items) < count:
            self.taken += 1
            self.items.insert(0, _entry_name(self.taken))

    def push(self, item: Item) -> None:
        self.items.append(item)
        self.growth = max(self.growth, len(self.items) - self.taken)

    def pop(self) -> Item:
        self.reach(1)
        return self.items.pop()

    def duplicate(self, depth: int) -> None:
        self.reach(depth)
        self.push(self.items[-depth])

    def swap(self, depth: int) -> None:
        self.reach(depth + 1)
        self.items[-1], self.items[-depth - 1] = self.items[-depth - 1], self.items[-1]

    def loads(self, item: Item) -> list[str]:
        """What must run before `item` is first read."""
        if not isinstance(item, str) or not item.startswith("s") or item in self._loaded:
            return []
        self._loaded.add(item)
        return [f"{item} = stack[-{item[1:]}]"]

    def leave(self) -> list[str]:
        """The statements that bring the real list up to date. Nothing may be translated after them on the same path."""
        kept = 0
        while kept < min(self.taken, len(self.items)) and self.items[kept] == _entry_name(self.taken - kept):
            kept += 1
        removed = self.taken - kept
        values = [self._value(item) for item in self.items[kept:]]
        if not values:
            return [f"del stack[-{removed}:]"] if removed else []
        if not removed:
            return [f"stack.append({values[0]})" if len(values) == 1 else f"stack += ({', '.join(values)})"]
        if removed == len(values) == 1:
            return [f"stack[-1] = {values[0]}"]
        return [f"stack[-{removed}:] = ({', '.join(values)},)"]

    def _value(self, item: Item) -> str:
        if isinstance(item, str) and item.startswith("s") and item not in self._loaded:
            return f"stack[-{item[1:]}]"
        return text_of(item)


def text_of(item: Item) -> str:
    """An expression of the item's value as an integer."""
    return f"(1 if {item.text} else 0)" if isinstance(item, Test) else str(item)


def condition_of(item: Item) -> str:
    """An expression that is true if the item is not zero."""
    return item.text if isinstance(item, Test) else str(item)


def _entry_name(depth: int) -> str:
    """The local for what stood `depth` items from the top when the routine was entered."""
    return f"s{depth}"
