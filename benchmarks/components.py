"""The Database Loader beside what a user would write in a component of their own.

    make .envs/kozmoai/.installed
    .venv/bin/python benchmarks/components.py dataframe
    .venv/bin/python benchmarks/components.py data
    .venv/bin/python benchmarks/components.py preview --rows 10000000

Rows come from PostgreSQL, and the node runs in KozmoAI's environment: seconds are those of the
output's method, the start of the tap included, and CPU seconds those of all its processes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from table import kept

from places import PROGRAMS, absent, program
from servers import postgres

ROWS = {"dataframe": 100_000, "data": 100_000, "preview": 10_000_000}
TABLE = """
CREATE TABLE orders AS SELECT i AS id, 'customer ' || i AS name, (i % 97)::int AS quantity,
  (i * 1.25)::numeric(12,2) AS total, i % 2 = 0 AS paid,
  timestamptz '2026-01-01' + i * interval '1 second' AS updated_at,
  date '2020-01-01' + (i % 3000)::int AS day, i / 7.0::float8 AS score, md5(i::text) AS digest,
  CASE WHEN i % 5 > 0 THEN 'note ' || i END AS note
FROM generate_series(1, ROWS) AS i
"""


def main() -> None:
    """Measure one mode, print the figures and ratios, keep them under benchmarks/results."""
    options = _options()
    if why := absent("kozmoai"):
        sys.exit(f"not there: kozmoai: {why}")
    rows = options.rows or ROWS[options.what]
    with (
        postgres.running() as server,
        postgres.database(server, "bench") as database,
        tempfile.TemporaryDirectory() as folder,
    ):
        database.execute(TABLE.replace("ROWS", str(rows)))
        database.execute("ALTER TABLE orders ADD PRIMARY KEY (id)")
        database.execute("ANALYZE orders")
        order = {"what": options.what, "login": database.config, "rounds": options.rounds}
        figures = {"rows": rows, **_measured(order, Path(folder))}
    print(_shown(options.what, figures))
    print(f"figures: {kept(f'components-{options.what}', figures)}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("what", choices=sorted(ROWS))
    parser.add_argument("--rows", type=int, help="default: 100,000; of preview 10 million")
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


def _measured(order: dict[str, Any], folder: Path) -> dict[str, Any]:
    path = folder / "order.json"
    path.write_text(json.dumps(order))
    env = {
        **os.environ,
        "ENABLE_MAGE_INTEGRATIONS": "true",
        "DO_NOT_TRACK": "true",
        "KOZMOAI_CONFIG_DIR": str(folder / "config"),
        "KOZMOAI_DATABASE_URL": f"sqlite:///{folder}/kozmoai.db",
        "KOZMO_HOME": str(folder / "kozmo"),
    }
    command = [program("kozmoai", "python"), "-W", "ignore", str(PROGRAMS / "components.py")]
    done = subprocess.run([*command, str(path)], stdout=subprocess.PIPE, check=True, env=env)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _shown(what: str, figures: dict[str, Any]) -> str:
    ways = {name: told for name, told in figures.items() if isinstance(told, dict)}
    lines = [f"{what}, {figures['rows']:,} rows, medians", "", "| | s | CPU s |", "|---|---|---|"]
    lines += [f"| {name} | {t['wall']:.2f} | {t['cpu']:.2f} |" for name, t in ways.items()]
    node, *beside = ways.values()
    _, *names = ways
    if what == "data":
        bound = sum(each["wall"] for each in beside)
        lines.append(f"\nnode / ({' + '.join(names)}): {node['wall'] / bound:.2f}")
    else:
        ratio = node["wall"] / beside[0]["wall"]
        lines.append(f"\nnode / {names[0]}: {ratio:.2f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
