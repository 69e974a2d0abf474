"""All entries of the suite, in the order of the table."""

from __future__ import annotations

from peers import kozmo, limit, meltanolabs, sling
from peers.entry import Peer

MODULES = (kozmo, meltanolabs, sling, limit)
PEERS: dict[str, Peer] = {peer.name: peer for module in MODULES for peer in module.PEERS}
