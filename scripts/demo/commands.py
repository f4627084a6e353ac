"""Commands of `splittally`, each in a process of its own that is forked from one which has loaded the program: loading takes a second
and more, and people give some sixty commands."""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from scripts.demo.processes import ROOT

LOADED = ("brands", "checkpoints", "executing", "guardian", "joining", "publishing", "second_people")


def run_splittally(*arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the answer of a command, in a process that has none of the gateway's settings."""
    code, out, err = _loaded_program().run([*arguments, "--json"])
    try:
        return code, json.loads(out)
    except ValueError:
        return code or 1, {"code": "no_answer", "detail": err.strip()[-500:]}


class LoadedProgram:
    """The process that forks; it ends with this one, as its input does. Used by several threads, one command after the other."""

    def __init__(self) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("SPLITTALLY_")}
        variables = {**kept, "PYTHONPATH": str(ROOT), "ETH_HASH_BACKEND": "pysha3"}
        command = [sys.executable, "-m", "scripts.demo.commands"]
        self._process = subprocess.Popen(command, cwd=ROOT, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._one_at_a_time = threading.Lock()

    def run(self, arguments: list[str]) -> tuple[int, str, str]:
        """The exit code of a command, and what it printed. Raises RuntimeError if the process that forks is gone."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        with self._one_at_a_time:
            stdin.write(json.dumps(arguments) + "\n")
            stdin.flush()
            answer = stdout.readline()
        if not answer:
            raise RuntimeError(f"the process that runs `splittally` ended with {self._process.wait()}")
        code, out, err = json.loads(answer)
        return code, out, err

    def end(self) -> None:
        """Lets it end."""
        self._process.communicate()


@cache
def _loaded_program() -> LoadedProgram:
    program = LoadedProgram()
    atexit.register(program.end)
    return program


def _serve(asked: IO[str], answers: IO[str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends with its input
    for name in LOADED:
        import_module(f"gateway.commands.running.{name}")
    for line in asked:
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            child = os.fork()
            if child == 0:
                _become(json.loads(line), out, err)
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            print(json.dumps([code, *(_whole(file) for file in (out, err))]), file=answers, flush=True)


def _become(arguments: list[str], out: IO[str], err: IO[str]) -> None:
    """Turns this process into the command's; it does not return."""
    from gateway.cli import main

    signal.signal(signal.SIGINT, signal.default_int_handler)
    with Path(os.devnull).open() as nothing:
        for number, file in enumerate((nothing, out, err)):
            os.dup2(file.fileno(), number)
    sys.argv = ["splittally", *arguments]
    try:
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _whole(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


if __name__ == "__main__":
    _serve(sys.stdin, sys.stdout)
