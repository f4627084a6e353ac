"""A certificate authority of a brand's own, made as docs/brand-agent.md prints it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.documents.printed import blocks


def make_authority(folder: Path) -> Path:
    """As the document prints it; the certificate and key it signs lie beside it."""
    folder.mkdir()
    [printed] = [block for block in blocks("docs/brand-agent.md") if block.language == "tls"]
    done = subprocess.run(["bash", "-ec", "\n".join(printed.lines)], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return folder / "ca.pem"
