"""Fuzzes parts of the node: python -m tests.node.fuzz [--minutes N] [rpc|trie|compiler ...]

Guided by coverage if the fuzzer `atheris` is installed, by plain mutations if not. Each target runs in a process of its own
and takes an equal share of the time. What breaks a check is written to a file, which `--input FILE` checks again.
"""

import argparse
import importlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

GUIDES = {"rpc": "node.rpc", "trie": "node.chain.trie", "compiler": "node.chain.compiler"}  # whose branches guide the fuzzer
INPUT_SECONDS_MAX = 120


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="target", help=", ".join(GUIDES))
    parser.add_argument("--minutes", type=float, default=10.0, help="for all targets together (default 10)")
    parser.add_argument("--input", type=Path, help="check this file alone")
    parser.add_argument("--findings", type=Path, default=Path(), help="the folder for what is found (default: here)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    targets = arguments.targets or list(GUIDES)
    if unknown := set(targets) - set(GUIDES):
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    if arguments.input is not None:
        check_input(targets[0], arguments.input)
        return 0
    seconds = arguments.minutes * 60 / len(targets)
    if arguments.alone:
        return fuzz(targets[0], seconds, arguments.findings, arguments.seed)
    failed = []
    for target in targets:
        command = [sys.executable, "-m", "tests.node.fuzz", target, "--alone", "--minutes", str(seconds / 60)]
        command += ["--findings", str(arguments.findings), "--seed", str(arguments.seed)]
        print(f"== {target}, {seconds:.0f} s", flush=True)
        with tempfile.TemporaryDirectory() as folder:  # the guided fuzzer ends its process without tidying up
            if subprocess.run(command, check=False, env={**os.environ, "TMPDIR": folder}).returncode != 0:
                failed.append(target)
    print(f"found something: {', '.join(failed)}" if failed else "nothing found")
    return int(bool(failed))


def fuzz(name: str, seconds: float, findings: Path, seed: int) -> int:
    if importlib.util.find_spec("atheris") is None:
        return fuzz_unguided(name, seconds, findings, seed)
    return fuzz_guided(name, seconds, findings, seed)


def fuzz_guided(name: str, seconds: float, findings: Path, seed: int) -> int:
    """Does not return: the fuzzer ends the process, with a status other than 0 if it found something."""
    import atheris

    with atheris.instrument_imports(include=[GUIDES[name]]):
        target = importlib.import_module(f"tests.node.fuzz.{name}_target").TARGET
    findings.mkdir(parents=True, exist_ok=True)
    corpus = Path(tempfile.mkdtemp())
    for number, data in enumerate(target.seeds()):
        (corpus / f"seed{number:04}").write_bytes(data)
    words = corpus.with_suffix(".words")
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in (b"\0", *target.words)))
    options = [f"-max_total_time={max(1, int(seconds))}", f"-seed={seed}", f"-timeout={INPUT_SECONDS_MAX}", f"-dict={words}"]
    options += [f"-artifact_prefix={findings}/{name}-", "-print_final_stats=1", "-verbosity=0", "-rss_limit_mb=0"]
    with target.checking() as check:
        atheris.Setup([name, *options, str(corpus)], check)
        atheris.Fuzz()
    return 0


def fuzz_unguided(name: str, seconds: float, findings: Path, seed: int) -> int:
    from tests.node.fuzz.mutation import mutations

    target = importlib.import_module(f"tests.node.fuzz.{name}_target").TARGET
    ends, count = time.monotonic() + seconds, 0
    with target.checking() as check:
        for data in mutations(target.seeds(), target.words, Random(seed)):
            if time.monotonic() > ends:
                break
            try:
                check(data)
            except BaseException:
                file = findings / f"{name}-{count}"
                file.write_bytes(data)
                print(f"found after {count:,} inputs: {file}", flush=True)
                raise
            count += 1
    print(f"{count:,} inputs", flush=True)
    return 0


def check_input(name: str, file: Path) -> None:
    with importlib.import_module(f"tests.node.fuzz.{name}_target").TARGET.checking() as check:
        check(file.read_bytes())


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    sys.exit(main())
