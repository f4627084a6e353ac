"""JSON as text in two forms, by encoders that are made once: `json.dumps` makes one for each call that asks for more than its defaults."""

from __future__ import annotations

import json

compact_json = json.JSONEncoder(separators=(",", ":")).encode
"""Without spaces, keys in the order given, ASCII."""
canonical_json = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
"""The same for the same content, whatever the order of its keys: what hashes are made of."""
