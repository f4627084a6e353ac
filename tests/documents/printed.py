"""What the documents print for a shell: blocks marked `sh`, statement by statement, and command lines within a sentence."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^ *```(\w*)$")
COMMENT = re.compile(r"(?:^|\s+)# .*$")
PROGRAM = re.compile(r"(?:[A-Z_]+=\S+ )?(?:scripts/\w|splittally |curl |npm |createdb |(?:\.venv/bin/)?python3? )")
INLINE = re.compile(r"`([^`]+)`", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: the language it names, its lines without the indentation that all of them have."""

    document: str
    language: str
    lines: tuple[str, ...]

    def statements(self) -> list[str]:
        """Without comments; a line that ends in a backslash goes on in the next."""
        joined = "\n".join(self.lines).replace("\\\n", "")
        found = [" ".join(COMMENT.sub("", line).split()) for line in joined.splitlines()]
        return [statement for statement in found if statement]


def documents(root: Path = ROOT) -> list[str]:
    """The overview first; decision notes tell what was, not what to type."""
    return [
        "README.md",
        *sorted(path.relative_to(root).as_posix() for path in (*root.glob("docs/*.md"), *root.glob("docs/guides/*.md"), *_readmes(root))),
    ]


def _readmes(root: Path) -> list[Path]:
    """Of every folder of ours, at any depth."""
    found = [path.relative_to(root).parts for path in root.glob("*/**/README.md")]
    return [root.joinpath(*parts) for parts in found if not any(part.startswith(".") or part in ("node_modules", "var") for part in parts)]


def blocks(document: str, root: Path = ROOT) -> list[Block]:
    found: list[Block] = []
    language: str | None = None
    lines: list[str] = []
    for line in (root / document).read_text().splitlines():
        fence = FENCE.match(line)
        if fence is None:
            lines.append(line)
        elif language is None:
            language, lines = fence[1], []
        else:
            found.append(Block(document, language, tuple(textwrap.dedent("\n".join(lines)).splitlines())))
            language = None
    return found


def inline_commands(document: str, root: Path = ROOT) -> list[str]:
    """Command lines with at least one option, outside of blocks."""
    prose = re.sub(r"^ *```.*?^ *```$", "", (root / document).read_text(), flags=re.DOTALL | re.MULTILINE)
    spans = [" ".join(span.split()) for span in INLINE.findall(prose)]
    return [span for span in spans if PROGRAM.match(span) and "--" in span]


def looks_like_a_command(line: str) -> bool:
    return PROGRAM.match(line) is not None
