"""The description that the API serves of itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.builders.offline_coalition import OfflineCoalition


def collect(folder: Path) -> Any:
    """GET /openapi.json with its keys sorted."""
    coalition = OfflineCoalition(folder)
    try:
        return json.loads(json.dumps(coalition.client.get("/openapi.json").json(), sort_keys=True))
    finally:
        coalition.close()
