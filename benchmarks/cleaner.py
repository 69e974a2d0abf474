"""The cleaner: the kinds it finds, the damage it undoes, what it costs; beside its peers.

    .venv/bin/python benchmarks/cleaner.py kinds
    .venv/bin/python benchmarks/cleaner.py damage
    .venv/bin/python benchmarks/cleaner.py speed --rounds 3
    .venv/bin/python benchmarks/cleaner.py pipe

docs/cleaning-benchmarks.md says what is measured, on which tables, and how they are labelled.
"""

from __future__ import annotations

import argparse
import json

from places import RESULTS


def main() -> None:
    """Print what was asked for in Markdown; keep the figures as JSON."""
    options = _options()
    if options.what == "kinds":
        from cleaning.kinds import measured

        text, figures = measured(options.all)
    elif options.what == "damage":
        from cleaning import damage

        text, figures = damage.measured(options.share, options.only)
    elif options.what == "pipe":
        from cleaning import pipe

        text, figures = pipe.measured(options.rows, options.rounds)
    else:
        from cleaning import speed

        text, figures = speed.measured(options.rows, options.rounds, options.large)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"cleaner-{options.what}.json"
    path.write_text(json.dumps(figures, indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    what = parser.add_subparsers(dest="what", required=True)
    kinds = what.add_parser("kinds", help="kinds of columns, ours and Mage AI's")
    kinds.add_argument("--all", action="store_true", help="name what is wrong in all tables")
    damage = what.add_parser("damage", help="what is found and restored of seeded damage")
    damage.add_argument("--share", type=int, default=1, help="every so manieth case")
    damage.add_argument("--only", help="one kind of damage")
    speed = what.add_parser("speed", help="CPU seconds beside peers")
    speed.add_argument("--rows", type=int, default=100_000)
    speed.add_argument("--rounds", type=int, default=3)
    speed.add_argument("--large", type=int, default=10_000_000, help="0: without that table")
    pipe = what.add_parser("pipe", help="CPU seconds of map-kozmo-clean")
    pipe.add_argument("--rows", type=int, default=400_000)
    pipe.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
