"""Copy one table with dlt, as a script of its users would; the order is a JSON file."""

import json
import sys

import dlt
from dlt.sources.sql_database import sql_table


def main() -> None:
    """Run a pipeline that starts from nothing, by key (upsert) or into a new table."""
    with open(sys.argv[1]) as file:
        order = json.load(file)
    table = sql_table(
        credentials=order["url"].replace("postgresql:", "postgresql+psycopg2:"),
        table=order["table"],
        schema=order["schema"],
        backend=order["backend"],
        reflection_level="full_with_precision",
        backend_kwargs={"conn": order["url"]} if order["backend"] == "connectorx" else {},
    )
    pipeline = dlt.pipeline(
        "copy",
        destination=dlt.destinations.postgres(order["url"]),
        dataset_name=order["landed"],
        pipelines_dir=order["folder"],
    )
    if order["mode"] == "append":
        table.apply_hints(write_disposition="append")
    else:
        merge = {"disposition": "merge", "strategy": "upsert"}
        table.apply_hints(write_disposition=merge, primary_key=order["key"])
    pipeline.run(table, loader_file_format=order["format"]).raise_on_failed_jobs()


if __name__ == "__main__":
    main()
