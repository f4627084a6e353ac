"""Whose word for a TLS certificate is taken: that of certificate authorities in a file, which a private network has of its own."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx


class NoAuthorities(Exception):
    """The file names no certificate authority; the message says why."""


def only_those_of(path: Path) -> ssl.SSLContext:
    """For a program that asks one other, of which it has the authority's certificate. Raises NoAuthorities."""
    return _loaded(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), path)


def also_those_of(path: Path) -> ssl.SSLContext:
    """Besides those that are public. Raises NoAuthorities."""
    return _loaded(httpx.create_ssl_context(trust_env=False), path)


def _loaded(context: ssl.SSLContext, path: Path) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cafile=path)
    except (OSError, ssl.SSLError) as error:
        reason = "no certificate of an authority stands in it (PEM)" if isinstance(error, ssl.SSLError) else error.strerror
        raise NoAuthorities(f"{path}: {reason}") from error
    return context
