"""Makes the project's own virtual environment from the pinned lock files, and starts a program in it.

Uses the standard library alone: it runs before anything is installed. A stamp of the lock file skips the work when nothing changed.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
VERIFICATION = ROOT / ".venv-verification"  # the execution specs pin older libraries than the node runs on
UV_VERSION = "0.13.9"


def python_with(lock_name: str, folder: Path = ENVIRONMENT) -> Path:
    """The interpreter of the environment in `folder`, with all of requirements/<lock_name>.txt installed (made if need be)."""
    if sys.version_info < (3, 11):  # noqa: UP036 - an older interpreter is what a fresh machine may offer
        raise SystemExit(f"Splittally needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    python = folder / "bin" / "python"
    lock = ROOT / "requirements" / f"{lock_name}.txt"
    stamp_file = folder / f"{lock_name}.stamp"
    stamp = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()
    if python.exists() and stamp_file.exists() and stamp_file.read_text() == stamp:
        return python
    print(f"Setting up {folder.name} from requirements/{lock.name} …", file=sys.stderr, flush=True)
    if not python.exists():
        venv.create(folder, with_pip=True)
    uv = [str(python), "-m", "uv"]
    if subprocess.run([*uv, "--version"], capture_output=True, check=False).returncode != 0:
        _call([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"uv=={UV_VERSION}"])
    _call([*uv, "pip", "install", "--quiet", "--python", str(python), "--require-hashes", "-r", str(lock)])
    stamp_file.write_text(stamp)
    return python


def run_in(lock_name: str, arguments: list[str]) -> None:
    """Replaces this process by the environment's interpreter with `arguments`, the project importable."""
    python = python_with(lock_name)
    path = os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH", "")) if part)
    variables = {**os.environ, "PYTHONPATH": path, "ETH_HASH_BACKEND": "pysha3"}
    os.execve(python, [str(python), *arguments], variables)  # noqa: S606 - our own interpreter, no shell


def _call(command: list[str]) -> None:
    done = subprocess.run(command, check=False)
    if done.returncode != 0:
        raise SystemExit(f"Set-up failed (exit {done.returncode}): {' '.join(command)}\nIs a package index reachable?")
