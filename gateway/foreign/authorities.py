"""Whose word for a TLS certificate is taken: that of certificate authorities in a file, which a private network has of its own."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


class NoAuthorities(Exception):
    """The file names no certificate authority; the message says why."""


def only_those_of(path: Path) -> ssl.SSLContext:
    """For a program that asks one other, of which it has the authority's certificate. Raises NoAuthorities."""
    return _loaded(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), path)


def only_this_one(path: Path) -> ssl.SSLContext:
    """For a program on the same machine, of which it has the very certificate: nobody else's counts, whatever host it names.

    Raises NoAuthorities.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        begins = path.read_text(encoding="ascii", errors="replace").partition(_BEGIN)[2]
        first, ends, _ = begins.partition(_END)
        context.load_verify_locations(cadata=f"{_BEGIN}{first}{ends}")  # its issuer, who may stand below it, is not believed
    except (OSError, ssl.SSLError, ValueError) as error:
        reason = "no certificate stands in it (PEM)" if isinstance(error, ssl.SSLError | ValueError) else error.strerror
        raise NoAuthorities(f"{path}: {reason}") from error
    return context


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
