"""The shared heart of kozmo-singer: the Singer wire and what is known of each outside system."""

__version__ = "0.1.0"
