"""Who is warned that others on the way can listen."""

import logging

import pytest

from kozmo_singer.systems import tls
from kozmo_singer.systems.sql import postgres


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"host": "db.example.org"}, None),
        ({"host": "db.example.org", "sslmode": "verify-ca"}, None),
        ({"host": "db.example.org", "sslmode": "require"}, "nobody makes sure who"),
        ({"host": "db.example.org", "sslmode": "prefer"}, "may go in the clear"),
        ({"host": "db.example.org", "sslmode": "allow"}, "may go in the clear"),
        ({"sqlalchemy_url": "postgresql://u:p@db.example.org/d?sslmode=disable"}, "in the clear"),
        ({"host": "db.example.org", "sslmode": "disable", "ssh_host": "bastion"}, None),
        ({"host": "localhost", "sslmode": "disable"}, None),
        ({"host": "127.0.0.2", "sslmode": "disable"}, None),
        ({"host": "/run/postgresql", "sslmode": "disable"}, None),
        ({"sslmode": "disable"}, None),
    ],
)
def test_a_weak_sslmode_is_a_warning_on_a_wire_that_others_share(config, words, caplog):
    """Once a process, though a target opens several connections."""
    tls.warn_of.cache_clear()
    found = postgres.parameters(config)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            postgres._expect_tls(found, "tap-x", tunnelled="ssh_host" in config)
    assert [words in message for message in caplog.messages] == ([True] if words else [])
