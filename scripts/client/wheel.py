"""A wheel: what pip installs without building anything. The same modules give the same bytes."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

_METADATA = """Metadata-Version: 2.1
Name: {name}
Version: {version}
Summary: The Python client of a Splittally gateway, made from its API's description
License: Apache-2.0
Requires-Python: >=3.11
Requires-Dist: httpx>=0.28
"""
_WHEEL = "Wheel-Version: 1.0\nGenerator: splittally\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_TIME = (1980, 1, 1, 0, 0, 0)


def write_wheel(folder: Path, package: str, version: str, modules: Mapping[str, str], license_text: str) -> Path:
    """In place of earlier ones of the package; gives the file's path."""
    info = f"{package}-{version}.dist-info"
    files = {f"{package}/{name}": text.encode() for name, text in modules.items()}
    files[f"{info}/METADATA"] = _METADATA.format(name=package.replace("_", "-"), version=version).encode()
    files[f"{info}/LICENSE"] = license_text.encode()
    files[f"{info}/WHEEL"] = _WHEEL.encode()
    files[f"{info}/RECORD"] = "".join([*(_recorded(name, content) for name, content in files.items()), f"{info}/RECORD,,\n"]).encode()
    folder.mkdir(parents=True, exist_ok=True)
    for earlier in folder.glob(f"{package}-*.whl"):
        earlier.unlink()
    path = folder / f"{package}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, content in files.items():
            wheel.writestr(zipfile.ZipInfo(name, _TIME), content, zipfile.ZIP_DEFLATED)
    return path


def _recorded(name: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(content)}\n"
