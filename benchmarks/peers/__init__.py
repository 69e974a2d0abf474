"""All entries of the suite, in the order of the table."""

from __future__ import annotations

from peers import dlt, ingestr, kozmo, limit, mage, meltanolabs, pipelinewise, sling
from peers.entry import Peer

MODULES = (kozmo, meltanolabs, pipelinewise, mage, ingestr, dlt, sling, limit)
PEERS: dict[str, Peer] = {peer.name: peer for module in MODULES for peer in module.PEERS}
