"""The script that one would write by hand: pyarrow reads a CSV file, COPY in binary takes it.

csv_copy.py FILE URL TABLE
"""

from __future__ import annotations

import sys

import psycopg
import pyarrow as pa
import pyarrow.csv
from pgpq import ArrowToPostgresBinaryEncoder

MOMENT = pa.timestamp("us", "UTC")
TYPES = {pa.int64(): "bigint", pa.string(): "text", pa.timestamp("s", "UTC"): "timestamptz"}


def main() -> None:
    """Create the table, of the types that pyarrow infers, and fill it."""
    path, url, table = sys.argv[1:]
    convert = pa.csv.ConvertOptions(null_values=[""], strings_can_be_null=True)
    with pa.csv.open_csv(path, convert_options=convert) as reader, psycopg.connect(url) as database:
        columns = ", ".join(f"{field.name} {TYPES[field.type]}" for field in reader.schema)
        database.execute(f"CREATE TABLE {table} ({columns})")
        # pgpq knows no timestamps of whole seconds.
        wanted = pa.schema(
            field.with_type(MOMENT) if pa.types.is_timestamp(field.type) else field
            for field in reader.schema
        )
        encoder = ArrowToPostgresBinaryEncoder(wanted)
        with database.cursor().copy(f"COPY {table} FROM STDIN (FORMAT binary)") as copy:
            copy.write(encoder.write_header())
            for batch in reader:
                copy.write(encoder.write_batch(batch.cast(wanted)))
            copy.write(encoder.finish())


if __name__ == "__main__":
    main()
