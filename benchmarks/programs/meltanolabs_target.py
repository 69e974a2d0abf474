"""Meltano's target with the SDK's msgspec reader: no setting turns it on, a subclass does."""

from singer_sdk.contrib.msgspec import MsgSpecReader
from target_postgres.target import TargetPostgres


class Tuned(TargetPostgres):
    """The target as it is, lines decoded by msgspec."""

    message_reader_class = MsgSpecReader


if __name__ == "__main__":
    Tuned.cli()
