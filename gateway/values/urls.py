"""URLs as they may be shown: without what lets their reader in."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

_USERS_ARE_SECRETS = ("http", "https", "ws", "wss", "ftp")  # a token may stand in a user's place
_SECRETS = ("password", "passwd", "secret", "token", "key")
_PARAMETER = re.compile(r"([?&][^=&?]*)=[^&]*")


def without_secrets(url: str) -> str:
    """The URL with *** for passwords and tokens, wherever they stand in it; written wrongly it may lose more than that."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    user, at, host = _PARAMETER.sub(_shown, rest).rpartition("@")
    name, colon, _ = user.partition(":")
    if at and scheme.lower() in _USERS_ARE_SECRETS:
        name = "***"
    elif colon:
        name += ":***"
    return f"{scheme}://{name}{at}{host}"


def _shown(found: re.Match[str]) -> str:
    return f"{found[1]}=***" if unquote_plus(found[1]).lower().endswith(_SECRETS) else found[0]
