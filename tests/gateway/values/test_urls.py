"""No way of writing a password into a URL gets it shown."""

from __future__ import annotations

import pytest

from gateway.values.urls import without_secrets


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ann:s3cret@host/x", "postgresql://ann:***@host/x"),
        ("postgresql://ann:s3@cret@host/x", "postgresql://ann:***@host/x"),
        ("postgresql://ann:s3/cret@host/x?a=b", "postgresql://ann:***@host/x?a=b"),
        ("postgresql://ann:s3?cret@host/x", "postgresql://ann:***@host/x"),
        ("postgresql://host/x?password=s3cret&a=b", "postgresql://host/x?password=***&a=b"),
        ("postgresql://host/x?a=b&PASSWORD=s3cret", "postgresql://host/x?a=b&PASSWORD=***"),
        ("postgresql://host/x?passwor%64=s3cret", "postgresql://host/x?passwor%64=***"),
        ("postgresql://host/x?sslpassword=s3@cret", "postgresql://host/x?sslpassword=***"),
        ("postgresql://ann@host/x?host=/run/pg", "postgresql://ann@host/x?host=/run/pg"),
        ("http://s3cret@host:8545/", "http://***@host:8545/"),
        ("https://ann:s3cret@host/", "https://***@host/"),
        ("http://host/?token=s3cret", "http://host/?token=***"),
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
        ("sqlite:////tmp/a:b.sqlite3", "sqlite:////tmp/a:b.sqlite3"),
        ("no url", "no url"),
    ],
)
def test_what_lets_its_reader_in_is_not_shown(url: str, shown: str) -> None:
    assert without_secrets(url) == shown
