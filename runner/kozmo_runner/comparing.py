"""Does the destination hold what the source has now? Rows and hash of each stream, on both sides.

Databases add up their rows themselves where both sides do it alike; everything else is read as
Singer and added up here, see kozmo_singer.wire.sums. Memory stays bounded either way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from kozmo_runner.abilities import OURS, Abilities, abilities
from kozmo_runner.asking import answered, as_catalog
from kozmo_runner.capabilities import capabilities
from kozmo_runner.configs import Config, Given, give, said
from kozmo_runner.plugins import Plug, find
from kozmo_runner.process import Cancel
from kozmo_runner.report import StreamComparison, Verdict
from kozmo_runner.shards import selecting
from kozmo_runner.summing import Shape, Sums, read_sums
from kozmo_runner.tapping import choose, tap_command
from kozmo_runner.workspace import Workspace
from kozmo_singer.errors import ConfigError, KozmoError, ReadError
from kozmo_singer.wire.catalog import Catalog, Stream
from kozmo_singer.wire.sums import TEXT, Sum
from kozmo_singer.wire.types import columns

_MAPS = ("stream_maps", "flattening_enabled")


@dataclass
class Side:
    """A plug-in with its configuration and, of a tap, what of its streams is compared."""

    plug: Plug
    given: Given
    able: Abilities
    catalog: Catalog | None = None


def compare(
    tap: str,
    target: str,
    *,
    tap_config: Config = None,
    target_config: Config = None,
    streams: Sequence[str] = (),
    catalog: Catalog | Mapping[str, Any] | None = None,
    cancel: Cancel | None = None,
) -> list[StreamComparison]:
    """Compare the streams of *tap*, as they are now, with what *target* holds of them.

    *streams* are rules as of `kozmo select`. ConfigError where the target cannot be read back.
    """
    plugs = find(tap, "tap"), find(target, "target")
    return compare_plugs(
        *plugs, tap_config, target_config, streams, as_catalog(catalog), cancel or Cancel()
    )


def compare_plugs(
    tap: Plug,
    target: Plug,
    tap_config: Config,
    target_config: Config,
    streams: Sequence[str],
    catalog: Catalog | None,
    cancel: Cancel,
) -> list[StreamComparison]:
    """As `compare`, of plug-ins that were found."""
    with Workspace() as workspace:
        sides = []
        for plug, config in ((tap, tap_config), (target, target_config)):
            able = abilities(plug, workspace, cancel)
            sides.append(Side(plug, give(plug, config, able, workspace), able))
        source, destination = sides
        source.catalog = choose(
            tap, source.given, source.able, workspace, catalog, streams, cancel=cancel
        )
        return Comparer(source, destination, workspace, cancel).result()


class Comparer:
    """Compares what *source* has with what *target* holds of it."""

    def __init__(self, source: Side, target: Side, workspace: Workspace, cancel: Cancel) -> None:
        self._source, self._target = source, target
        self._workspace, self._cancel = workspace, cancel
        self._missing: dict[str, list[str]] = {}
        self._absent: set[str] = set()

    def result(self) -> list[StreamComparison]:
        """Return a comparison of each stream, in the order of the source."""
        by_tap = expect_readable(self._target, self._workspace, self._cancel)
        mine, streams = self._streams()
        if not streams:
            return []
        if not by_tap:
            mine = mine or self._sums_of_source(streams)
            mine |= self._read_source([s for s in streams if _needs(mine.get(s.stream))])
            theirs = self._read_files(streams)
            return [self._judged(s.stream, mine, theirs) for s in streams]
        reader, places = self._reader_of(streams)
        there = [s for s in streams if s.stream in places]
        # Each server works for itself; there is nothing to do here meanwhile.
        with ThreadPoolExecutor(2) as pool:
            found = pool.submit(self._digest, reader)
            mine = mine or self._sums_of_source(there)
            theirs = found.result()
        odd = [s for s in there if not _alike(mine.get(s.stream), theirs.get(s.stream))]
        mine |= self._read_source([s for s in odd if _needs(mine.get(s.stream))])
        theirs |= self._read_tables(
            reader, [s for s in odd if _needs(theirs.get(s.stream))], places
        )
        return [self._judged(s.stream, mine, theirs) for s in streams]

    def _streams(self) -> tuple[dict[str, Sum], list[Stream]]:
        """The streams to compare; with their sums where only reading tells what they are."""
        source = self._source
        if source.catalog is not None and not any(_is_on(source.given, n) for n in _MAPS):
            return {}, [_plain(stream) for stream in source.catalog.selected()]
        sums, schemas = self._read(source, self._source_argv(source.catalog), None)
        return sums, [_plain(Stream(n, schema, n)) for n, schema in schemas.items()]

    def _source_argv(self, catalog: Catalog | None) -> list[str]:
        source = self._source
        return tap_command(source.plug, source.given, source.able, self._workspace, catalog, None)

    def _chosen(self, streams: Sequence[Stream]) -> Catalog:
        assert self._source.catalog is not None
        names = {s.stream for s in streams}
        wanted = [s for s in self._source.catalog.streams if s.stream in names]
        return selecting(self._source.catalog, wanted)

    def _sums_of_source(self, streams: Sequence[Stream]) -> dict[str, Sum]:
        return self._digest(replace(self._source, catalog=self._chosen(streams)))

    def _read_source(self, streams: Sequence[Stream]) -> dict[str, Sum]:
        if not streams:
            return {}
        argv = self._source_argv(self._chosen(streams))
        return self._read(self._source, argv, {s.stream: columns(s.schema) for s in streams})[0]

    def _read_files(self, streams: Sequence[Stream]) -> dict[str, Sum]:
        target = self._target
        path = self._workspace.write("compared.json", Catalog([*streams]).to_dict())
        argv = [*target.plug.command, *target.given.argv, "--read-back", str(path)]
        return self._read(target, argv, {s.stream: columns(s.schema) for s in streams})[0]

    def _reader_of(self, streams: Sequence[Stream]) -> tuple[Side, dict[str, dict[str, Any]]]:
        """The tap that reads the destination, and where in it the streams are."""
        target = self._target
        path = self._workspace.write("compared.json", Catalog([*streams]).to_dict())
        answer = answered(
            target.plug, ["--read-back", str(path)], target.given, "could not say what it holds",
            self._workspace, self._cancel,
        )  # fmt: skip
        plug, values = find(answer["tap"], "tap"), target.given.values
        config = {n: values[n] for n in answer["settings"] if values.get(n) is not None}
        places: dict[str, dict[str, Any]] = {}
        for stream in streams:
            place = answer["streams"].get(stream.stream)
            missing = [] if place is None else [n for n, c in place["columns"].items() if c is None]
            if place is None:
                self._absent.add(stream.stream)
            elif missing:
                self._missing[stream.stream] = missing
            else:
                places[stream.stream] = place
        tables = [_table(s, places[s.stream]) for s in streams if s.stream in places]
        given = give(plug, config, OURS, self._workspace)
        return Side(plug, given, OURS, Catalog(tables)), places

    def _read_tables(
        self, reader: Side, streams: Sequence[Stream], places: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, Sum]:
        if not streams:
            return {}
        tables = [_as_it_is(_table(s, places[s.stream])) for s in streams]
        argv = tap_command(
            reader.plug, reader.given, reader.able, self._workspace, Catalog(tables), None
        )
        names = {s.stream: places[s.stream]["columns"] for s in streams}
        shapes = {
            s.stream: [
                msgspec.structs.replace(c, name=names[s.stream][c.name]) for c in columns(s.schema)
            ]
            for s in streams
        }
        return self._read(reader, argv, shapes)[0]

    def _read(self, side: Side, argv: Sequence[str], shapes: Mapping[str, Shape] | None) -> Sums:
        return read_sums(side.plug, argv, side.given, shapes, self._workspace, self._cancel)

    def _digest(self, side: Side) -> dict[str, Sum]:
        """What the database itself says of the selected streams, by their names."""
        if side.catalog is None or not side.catalog.selected() or not side.plug.ours:
            return {}
        if "digest" not in capabilities(side.plug, self._workspace, self._cancel):
            return {}
        side_name = "source" if side.given is self._source.given else "target"
        path = self._workspace.write(f"digest.{side_name}.json", side.catalog.to_dict())
        words = ["--digest", "--catalog", str(path)]
        answer = answered(
            side.plug, words, side.given, "could not add up its rows", self._workspace, self._cancel
        )
        names = {s.tap_stream_id: s.stream for s in side.catalog.selected()}
        return {names[n]: msgspec.convert(v, Sum) for n, v in answer.items() if v is not None}

    def _judged(
        self, name: str, mine: Mapping[str, Sum], theirs: Mapping[str, Sum]
    ) -> StreamComparison:
        if name in self._absent:
            return StreamComparison(name, "not there")
        if name in self._missing:
            return StreamComparison(name, "columns missing", missing=self._missing[name])
        one, other = mine.get(name, Sum(0, "")), theirs.get(name, Sum(0, ""))
        verdict: Verdict = "equal"
        if one.rows != other.rows:
            verdict = "rows differ"
        elif one.rows and (one.hash, one.form) != (other.hash, other.form):
            verdict = "values differ"
        return StreamComparison(name, verdict, one.rows, other.rows)


def expect_readable(target: Side, workspace: Workspace, cancel: Cancel) -> bool:
    """Return whether a tap reads what *target* wrote; ConfigError where nothing does."""
    can = capabilities(target.plug, workspace, cancel) if target.plug.ours else frozenset()
    found = {"read-back", "read-back-by-tap"} & can
    if not found:
        raise ConfigError(
            f"what {target.plug.name} wrote cannot be read back, so it cannot be compared",
            "its --about lists neither read-back nor read-back-by-tap",
        )
    if any(_is_on(target.given, name) for name in _MAPS):
        raise ConfigError(
            f"{target.plug.name} changes streams by stream_maps or flattening",
            "what it holds is meant to differ from the source; have the tap map them instead",
        )
    return "read-back-by-tap" in found


def failure_of(found: Sequence[StreamComparison]) -> KozmoError | None:
    """Return the error that names the streams that differ, None where all are equal."""
    differing = [each for each in found if not each.equal]
    if not differing:
        return None
    more = f"and {len(differing) - 3} more" if len(differing) > 3 else ""
    words = [each.words for each in differing[:3]]
    return ReadError(
        f"the target does not hold what the source has: {len(differing)} of {len(found)} streams "
        "differ",
        *words,
        *([more] if more else []),
    )


def _is_on(given: Given, name: str) -> bool:
    return bool(said(given, name) - {"False", "false", "0", "no", "off", "{}"})


def _needs(sum: Sum | None) -> bool:
    """Whether a stream has to be read, since its sum is not of the form that reading gives."""
    return sum is None or sum.form != TEXT


def _alike(one: Sum | None, other: Sum | None) -> bool:
    return one is not None and other is not None and one.form == other.form


def _plain(stream: Stream) -> Stream:
    """A stream with what is read of it, all selected."""
    schema = stream.masked_schema() if stream.selected else stream.schema
    properties = stream.schema.get("properties") or {}
    extra = [n for n in (*stream.key_properties, stream.replication_key) if n in properties]
    schema = {**schema, "properties": {
        **(schema.get("properties") or {}), **{n: properties[n] for n in extra},
    }}  # fmt: skip
    return Stream(stream.stream, schema, stream.stream, metadata={(): {"selected": True}})


def _table(stream: Stream, place: Mapping[str, Any]) -> Stream:
    """A stream as the tap that reads the destination sees it: a table, and the columns there."""
    root = {"selected": True, "schema-name": place["schema"], "table-name": place["table"],
            "where-null": place["deleted"]}  # fmt: skip
    names = place["columns"]
    properties = {names[n]: s for n, s in (stream.schema.get("properties") or {}).items()}
    return Stream(
        stream.stream,
        {"type": "object", "properties": properties},
        stream.stream,
        replication_method="FULL_TABLE",
        metadata={(): {k: v for k, v in root.items() if v is not None}},
    )


def _as_it_is(table: Stream) -> Stream:
    """The same with columns of whatever type they have there."""
    kept = {n: s if "contentEncoding" in s else {} for n, s in table.schema["properties"].items()}
    base16 = {n: {**s, "contentEncoding": "base16"} if s else s for n, s in kept.items()}
    return replace(table, schema={**table.schema, "properties": base16})
