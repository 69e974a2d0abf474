"""Every mapper by name. Nothing is imported until a mapper is run."""

from kozmo_singer.scripts import Entry

MAPPERS = {
    "map-kozmo-clean": Entry(
        "kozmo_bridge.cleaner.pipe.mapper:MapKozmoClean",
        "clean",
        "Rows on their way, cleaned by rules",
    ),
}
