"""Parts outside Python that some test suites need: installed where that is allowed, otherwise named as missing.

Standard library alone. With CI=true a missing part is a failure, never a skip.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {  # folder with a package-lock.json → what is not done without it
    "contracts": "the contracts are not recompiled",
    "tests/conformance/clients": "no flows of viem, ethers and cast, no comparison with anvil",
    "tests/conformance/chains": "no public standard chains imported",
}
CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")  # any of them; Debian's names first


def prepare() -> list[str]:
    """Makes Node.js, the packages of every lock and a browser available; returns what is still missing."""
    missing = []
    if not _have_chromium():
        missing.append(f"Chromium as any of {', '.join(CHROMIUM)} (no passkey made by a real browser)")
    if not _have_nodejs():
        missing.append(f"Node.js and npm ({'; '.join(PACKAGES.values())})")
    else:
        missing += [
            f"the npm packages of {name}/package-lock.json ({loss})" for name, loss in PACKAGES.items() if not _have_packages(ROOT / name)
        ]
    if missing and os.environ.get("CI") == "true":
        raise SystemExit(f"Missing with CI=true: {'; '.join(missing)}")
    return missing


def _have_nodejs() -> bool:
    if shutil.which("node") and shutil.which("npm"):
        return True
    install("Node.js and npm", "nodejs", "npm")
    return bool(shutil.which("node") and shutil.which("npm"))


def _have_chromium() -> bool:
    if not _chromium():
        install("Chromium", CHROMIUM[0])
    return _chromium()


def _chromium() -> bool:
    return any(shutil.which(name) for name in CHROMIUM)


def install(what: str, *packages: str) -> None:
    """With apt-get where that is allowed; where it is not, or fails, nothing is said here: the caller looks for what it needs."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    print(f"Installing {what} with apt-get …", flush=True)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": False}
    subprocess.run(["apt-get", "update"], **quiet)  # type: ignore[call-overload]  # noqa: S607
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    subprocess.run(command, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, **quiet)  # type: ignore[call-overload]


def _have_packages(folder: Path) -> bool:
    lock = folder / "package-lock.json"
    if not lock.exists():
        return False
    installed = folder / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return True
    done = subprocess.run(["npm", "ci", "--silent", "--ignore-scripts"], cwd=folder, check=False)  # noqa: S607 - npm is where PATH says
    return done.returncode == 0
