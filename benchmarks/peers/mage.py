"""Mage's source and destination, which no package index has."""

from __future__ import annotations

from peers.entry import Peer, Task, Work


def prepare(task: Task) -> Work:
    """Never asked: the entry is there to say why it has no figures."""
    raise LookupError(unpublished())


def unpublished() -> str:
    """Return why it cannot run."""
    return "PyPI has no mage_integrations and mage-ai 0.9.80 does not carry it: git only"


PEERS = [Peer("mage", prepare, lacking=unpublished)]
