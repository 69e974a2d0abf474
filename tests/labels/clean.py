"""Clean tables: columns of the labelled ones whose types are stated by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from labels.tables import SOURCES, read

ROWS = 1_500
"""Enough for what a suggestion needs to see."""

# category: few words. name: many short ones. whole, real: numbers. flag: yes or no.
# A date is stated by its format.
CLEAN: dict[str, dict[str, str]] = {
    "superstore": {
        "Ship Mode": "category",
        "Segment": "category",
        "City": "name",
        "State": "category",
        "Region": "category",
        "Category": "category",
        "Sub-Category": "category",
        "Sales": "real",
        "Quantity": "whole",
        "Profit": "real",
    },
    "seattle": {
        "date": "%Y/%m/%d",
        "precipitation": "real",
        "temp_max": "real",
        "temp_min": "real",
        "wind": "real",
        "weather": "category",
    },
    "cars": {
        "Name": "name",
        "Miles_per_Gallon": "real",
        "Displacement": "real",
        "Horsepower": "whole",
        "Weight_in_lbs": "whole",
        "Acceleration": "real",
        "Origin": "category",
    },
    "penguins": {
        "Species": "category",
        "Island": "category",
        "Individual ID": "name",
        "Date Egg": "%Y-%m-%d",
        "Culmen Length (mm)": "real",
        "Body Mass (g)": "whole",
        "Delta 15 N (o/oo)": "real",
    },
    "flights": {
        "carrier": "category",
        "tailnum": "name",
        "origin": "category",
        "dep_delay": "whole",
        "distance": "whole",
        "time_hour": "%Y-%m-%dT%H:%M:%SZ",
    },
    "arrests": {
        "released": "flag",
        "colour": "category",
        "age": "whole",
        "employed": "flag",
        "citizen": "flag",
        "checks": "whole",
    },
    "shootings": {
        "Date": "%d-%m-%Y",
        "Dead": "whole",
        "Injured": "whole",
    },
    "death_row": {
        "Date of Birth": "%Y-%m-%d",
        "Date Received": "%Y-%m-%d",
        "Execution Date": "%Y-%m-%d",
        "Last Name": "name",
        "Race": "category",
        "Weight": "whole",
    },
    "patients": {
        "sex": "category",
        "province": "category",
        "birth_year": "whole",
        "confirmed_date": "%Y-%m-%d",
        "released_date": "%Y-%m-%d",
        "state": "category",
    },
    "sales": {
        "Gender": "category",
        "Loyalty Member": "flag",
        "Product Type": "category",
        "Order Status": "category",
        "Total Price": "real",
        "Quantity": "whole",
        "Purchase Date": "%Y-%m-%d",
        "Add-on Total": "real",
    },
    "housing": {
        "city": "category",
        "sales": "whole",
        "volume": "whole",
        "median": "whole",
        "inventory": "real",
    },
    "countries": {"Population": "whole", "Area (sq. mi.)": "whole", "GDP ($ per capita)": "whole"},
    "cancer": {
        "diagdateb": "%d-%m-%Y",
        "recdate": "%d-%m-%Y",
        "age": "whole",
        "prog_recp": "whole",
        "censrec": "flag",
        "censdead": "flag",
    },
    "world_cities": {"name": "name", "lat": "real", "lng": "real"},
    "french_prisons": {"dep": "name", "type": "category", "name": "name"},
    "courts": {
        "type": "category",
        "name": "name",
        "street": "name",
        "city": "name",
        "phone": "phone",
        "email": "email",
    },
    "iso_countries": {"alpha_2": "code", "name": "country", "numeric": "code"},
    "ibans": {"in_sepa_zone": "flag", "bban_length": "whole"},
    "banks": {"short_name": "name", "bic": "code", "primary": "flag"},
    "senators": {"Name": "name", "Province / Territory": "category", "diff_days": "whole"},
    "sigma": {"level": "category", "logsource.product": "category", "creation_date": "%Y-%m-%d"},
}
_FLAGS = {"Yes": True, "No": False, "True": True, "False": False, "1": True, "0": False}


def clean_tables(packages: Path) -> dict[str, pl.DataFrame]:
    """Return the clean tables by name: the first ROWS rows, no two of them equal."""
    sources = {source.name: source for source in SOURCES}
    return {
        name: _typed(read(sources[name], packages)[list(types)].astype("string"), types)
        for name, types in CLEAN.items()
    }


def _typed(frame: Any, types: dict[str, str]) -> pl.DataFrame:
    texts = pl.from_pandas(frame)
    made = texts.select(_cast(name, kind).alias(name) for name, kind in types.items())
    return made.unique(maintain_order=True).head(ROWS)


def _cast(name: str, kind: str) -> pl.Expr:
    cell = pl.col(name)
    if kind == "whole":
        return cell.cast(pl.Float64).cast(pl.Int64)
    if kind == "real":
        return cell.cast(pl.Float64)
    if kind == "flag":
        return cell.replace_strict(_FLAGS, return_dtype=pl.Boolean)
    if kind.endswith("Z"):
        return cell.str.to_datetime(kind).dt.replace_time_zone("UTC")
    if kind.startswith("%"):
        return cell.str.to_date(kind)
    return cell
