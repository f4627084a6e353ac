"""Parts outside Python that some test suites need: installed where that is allowed, otherwise named as missing.

Standard library alone. With CI=true a missing part is a failure, never a skip.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def prepare() -> list[str]:
    """Makes Node.js and the contract compiler's packages available; returns what is still missing."""
    missing = []
    if not _have_nodejs():
        missing.append("Node.js and npm (the contracts are not recompiled)")
    elif not _have_contract_packages():
        missing.append("the npm packages of contracts/package-lock.json (the contracts are not recompiled)")
    if missing and os.environ.get("CI") == "true":
        raise SystemExit(f"Missing with CI=true: {'; '.join(missing)}")
    return missing


def _have_nodejs() -> bool:
    if shutil.which("node") and shutil.which("npm"):
        return True
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    print("Installing Node.js and npm with apt-get …", flush=True)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": False}
    subprocess.run(["apt-get", "update"], **quiet)  # type: ignore[call-overload]  # noqa: S607
    command = ["apt-get", "install", "-y", "--no-install-recommends", "nodejs", "npm"]
    subprocess.run(command, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, **quiet)  # type: ignore[call-overload]
    return bool(shutil.which("node") and shutil.which("npm"))


def _have_contract_packages() -> bool:
    folder = ROOT / "contracts"
    if not (folder / "package-lock.json").exists():
        return False
    installed = folder / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= (folder / "package-lock.json").stat().st_mtime:
        return True
    done = subprocess.run(["npm", "ci", "--silent"], cwd=folder, check=False)  # noqa: S607 - npm is where PATH says
    return done.returncode == 0
