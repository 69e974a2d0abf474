"""XML: elements at a path as records, read piece by piece.

Attributes are columns with an @ before their names, as in `@id`; elements within a record are
columns, of text where they hold nothing else, and else of JSON: objects, or arrays where there are
several of one name. Text beside elements is `#text`. Prefixes of names are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

# Entities are refused, see _Parser.
from xml.parsers import expat  # nosec B407

import pyarrow as pa

from kozmo_singer.errors import ReadError
from kozmo_singer.systems.formats import Look, Options, Source, unreadable
from kozmo_singer.systems.formats.cells import shown, typed_cells
from kozmo_singer.systems.formats.csv_types import Numbers, infer
from kozmo_singer.systems.formats.packing import unpacked
from kozmo_singer.wire.arrow_lines import texts
from kozmo_singer.wire.encode import dumps
from kozmo_singer.wire.types import Column, LogicalType

PIECE_BYTES = 1 << 18
SAMPLE_BYTES = 1 << 24
_DEEPEST = 200
_TEXT = "#text"


class Record(NamedTuple):
    """A record and the line on which it begins."""

    line: int
    values: dict[str, Any]


class XmlFile:
    """A file of XML."""

    def __init__(self, source: Source, options: Options) -> None:
        self._source, self._options = source, options
        self._numbers = Numbers(options.decimal, options.thousands)
        self.beside: set[str] = set()

    def look(self) -> Look:
        """Return the columns that the records of the first megabytes have, see SAMPLE_BYTES."""
        found: dict[str, list[str]] = {}
        nested: set[str] = set()
        rows, read = 0, 0
        for read, records in self._parts():
            for _, values in records:
                for name, value in values.items():
                    cells = found.setdefault(name, [])
                    if isinstance(value, str):
                        cells.append(value)
                    elif value is not None:
                        nested.add(name)
            rows += len(records)
            if read >= SAMPLE_BYTES:
                break
        said = self._options.types
        columns = [
            Column(name, said.get(name) or self._type(cells, name in nested))
            for name, cells in found.items()
        ]
        whole = read >= self._source.size
        estimate = None if self._source.packed else rows * self._source.size // max(read, 1)
        path = self._options.record_path or "*/*"
        return Look(columns, rows if whole else estimate, f"XML, records at {path}")

    def batches(
        self, columns: Sequence[Column], skip: int, arrow: bool
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows behind the first *skip*, see FileReader; what one lacks is null."""
        names = {column.name for column in columns}
        for _, records in self._parts():
            start = min(skip, len(records))
            skip -= start
            if start == len(records):
                continue
            rows = records[start:]
            self.beside |= {name for row in rows for name in row.values} - names
            yield self._batch(columns, rows, arrow)

    def count(self) -> int:
        """Return the number of records."""
        return sum(len(records) for _, records in self._parts())

    def _type(self, cells: list[str], nested: bool) -> LogicalType:
        return LogicalType("json") if nested else infer(texts(cells), self._numbers)

    def _batch(
        self, columns: Sequence[Column], rows: Sequence[Record], arrow: bool
    ) -> pa.RecordBatch:
        def refuse(column: Column, value: str, place: int) -> ReadError:
            return self._misfit(column, value, rows[place].line)

        if not columns:
            return pa.RecordBatch.from_arrays([texts([""] * len(rows))], names=[""])
        types = {column.name: column for column in columns}

        def cells(name: str) -> pa.Array:
            return texts([self._cell(types[name], row) for row in rows])

        return typed_cells(columns, cells, self._numbers, refuse, arrow=arrow)

    def _cell(self, column: Column, row: Record) -> str | bytes | None:
        value = row.values.get(column.name)
        if value is None:
            return None
        if column.type.name == "json":
            return dumps(value)
        if isinstance(value, str):
            return value
        raise self._misfit(column, dumps(value).decode(), row.line)

    def _misfit(self, column: Column, value: str, line: int) -> ReadError:
        return unreadable(
            self._source,
            f"line {line}, {column.name}: expected {column.type.name}, got {shown(value)}",
            f'a sample told the type; to read anything: columns: {{"{column.name}": "json"}}',
        )

    def _parts(self) -> Iterator[tuple[int, list[Record]]]:
        """Yield records as they end, and how many bytes were read so far."""
        parser = _Parser(self._source, self._options)
        read = 0
        with unpacked(self._source) as stream:
            try:
                while piece := stream.read(PIECE_BYTES):
                    read += len(piece)
                    parser.feed(piece)
                    if parser.found:
                        yield read, parser.taken()
                parser.feed(b"", last=True)
            except expat.ExpatError as error:
                why = expat.ErrorString(error.code)
                raise unreadable(
                    self._source, f"line {error.lineno}, column {error.offset + 1}: {why}"
                ) from error
            except (LookupError, ValueError) as error:
                raise unreadable(self._source, f"its encoding cannot be read: {error}") from error
        yield read, parser.taken()


class _Node:
    """An element within a record while it is read."""

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.nil = False
        self.text: list[str] = []
        self.values: dict[str, Any] = {}
        for key, value in attributes.items():
            prefix, _, own = key.rpartition(":")
            if prefix == "xmlns" or key == "xmlns":
                continue
            if own == "nil" and prefix:
                self.nil = value in ("true", "1")
                continue
            self.values[f"@{own}"] = value

    def add(self, name: str, value: Any) -> None:
        """Take the value of an element below; the second one of a name makes an array."""
        if name not in self.values:
            self.values[name] = value
        elif isinstance(self.values[name], _Several):
            self.values[name].append(value)
        else:
            self.values[name] = _Several([self.values[name], value])

    def value(self) -> Any:
        """Return the text where there is nothing else, an object where there is; nil is None."""
        text = "".join(self.text)
        if not self.values:
            return None if self.nil else text
        return self.record()

    def record(self) -> dict[str, Any]:
        """Return the values by name."""
        text = "".join(self.text)
        return {**self.values, _TEXT: text} if text.strip() else self.values


class _Several(list[Any]):
    """The values of elements of one name."""


class _Parser:
    """Finds the records; neither entities nor what is elsewhere is ever read."""

    def __init__(self, source: Source, options: Options) -> None:
        self._source, self._limit = source, options.row_bytes
        path = options.record_path or "*/*"
        self._anywhere = path.startswith((".//", "//"))
        self._steps = path.lstrip("./").split("/")
        self._trail: list[str] = []
        self._nodes: list[_Node] = []
        self._line = self._start = 0
        self.found: list[Record] = []
        self._expat = expat.ParserCreate(options.encoding)
        self._expat.buffer_text = True
        self._expat.StartElementHandler = self._started
        self._expat.EndElementHandler = self._ended
        self._expat.EntityDeclHandler = self._entity
        self._expat.SkippedEntityHandler = self._entity

    def feed(self, piece: bytes, *, last: bool = False) -> None:
        self._expat.Parse(piece, last)
        if self._nodes and self._expat.CurrentByteIndex - self._start > self._limit:
            raise self._too_long()

    def taken(self) -> list[Record]:
        """Return the records that ended since this was asked last."""
        found, self.found = self.found, []
        return found

    def _started(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        self._trail.append(name)
        if len(self._trail) > _DEEPEST:
            raise unreadable(
                self._source,
                f"line {self._expat.CurrentLineNumber}: more than {_DEEPEST} elements deep",
            )
        if self._nodes:
            self._nodes.append(_Node(name, attributes))
        elif self._is_record():
            self._line = self._expat.CurrentLineNumber
            self._start = self._expat.CurrentByteIndex
            self._nodes.append(_Node(name, attributes))
            self._expat.CharacterDataHandler = self._text

    def _ended(self, tag: str) -> None:
        self._trail.pop()
        if not self._nodes:
            return
        node = self._nodes.pop()
        if self._nodes:
            self._nodes[-1].add(node.name, node.value())
            return
        self._expat.CharacterDataHandler = None
        if self._expat.CurrentByteIndex - self._start > self._limit:
            raise self._too_long()
        self.found.append(Record(self._line, node.record()))

    def _text(self, text: str) -> None:
        self._nodes[-1].text.append(text)

    def _is_record(self) -> bool:
        trail = self._trail[-len(self._steps) :] if self._anywhere else self._trail
        return len(trail) == len(self._steps) and all(
            step in ("*", name) for step, name in zip(self._steps, trail, strict=True)
        )

    def _entity(self, name: str, *_: Any) -> None:
        raise unreadable(
            self._source,
            f"line {self._expat.CurrentLineNumber}: it has an entity of its own, {shown(name)}",
            "entities are not read, since a few of them can name other files or fill the memory",
        )

    def _too_long(self) -> ReadError:
        return unreadable(
            self._source,
            f"line {self._line}: the record is longer than {self._limit} bytes",
            "to read such records: max_row_bytes, or another record_path",
        )
