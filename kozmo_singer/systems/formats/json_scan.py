"""Where the records of a JSON document stand: found while it is read, and cut out as they are.

Records are not decoded here, and only so much of the document is held as one of them is long. Many
are cut out at once: where a piece of text up to some `}` is a list for msgspec, it ends with a
record. Where no end is found in this way, brackets are counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

import msgspec

from kozmo_singer.systems.formats.json_path import Step
from kozmo_singer.wire.rows import REFUSED

TRIES = 16
_LIST: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])
_ALONE: msgspec.json.Decoder[msgspec.Raw] = msgspec.json.Decoder(msgspec.Raw)
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_RUN = re.compile(rb'[^"\[\]{}]*(?:"[^"\\]*(?:\\.[^"\\]*)*"[^"\[\]{}]*)*', re.DOTALL)
"""What stands between two brackets, whole strings among it."""
_SCALAR = re.compile(rb"[^\s,\[\]{}\"]+")
_BLANK = re.compile(rb"\s*")


class JsonFault(ValueError):
    """What is wrong with a document, and on which line."""


class Scanner:
    """A document, or several one after the other, whose text comes in *pieces*.

    No record may be longer than *limit* bytes.
    """

    def __init__(self, pieces: Iterator[bytes], limit: int) -> None:
        self._pieces, self._limit = pieces, limit
        self._text, self._at, self._line = b"", 0, 1
        self.seen = 0
        """How many bytes were scanned."""

    def records(self, path: Sequence[Step]) -> Iterator[list[bytes]]:
        """Yield the values at *path*, many at a time, without newlines; JsonFault says why not.

        An array at its end stands for its elements, and null for none.
        """
        while self._next():
            if not path and self._next() == b"{":
                yield self._lines() or [self._value(outermost=True)]
            else:
                yield from self._walk(path, "")

    def _walk(self, path: Sequence[Step], where: str) -> Iterator[list[bytes]]:
        if not path:
            if self._next() == b"[":
                yield from self._elements()
            elif (value := self._value()) != b"null":
                yield [value]
            return
        name = path[0]
        if name is None:
            self._expect(b"[", where)
            first = True
            while not self._ends(b"]", first):
                first = False
                yield from self._walk(path[1:], f"{where}[*]")
            return
        self._expect(b"{", where)
        found = False
        names: list[str] = []
        while not self._ends(b"}", not found and not names):
            key = self._key()
            if key == name and not found:
                found = True
                yield from self._walk(path[1:], f"{where}.{name}" if where else name)
            else:
                names.append(key)
                self._skip()
        if not found:
            there = ", ".join(names[:8]) or "nothing"
            raise self._fault(f"there is no '{name}' in {where or 'the document'}; it has {there}")

    def _elements(self) -> Iterator[list[bytes]]:
        """Yield the elements of the array that begins here."""
        self._expect(b"[", "")
        first = True
        while not self._ends(b"]", first):
            first = False
            found = self._quickly() or self._singly()
            yield found or [self._value()]

    def _quickly(self) -> list[bytes]:
        """Cut out as many objects as msgspec takes; none where the end of one cannot be guessed."""
        stop = len(self._text)
        tried = 0
        while tried < TRIES:
            stop = self._text.rfind(b"}", self._at, stop)
            if stop < 0:
                return []
            if self._text[stop + 1 : stop + 64].lstrip()[:1] not in (b",", b""):
                continue
            tried += 1
            block = self._text[self._at : stop + 1]
            try:
                found = _LIST.decode(b"[" + block + b"]")
            except REFUSED:
                continue
            self._at = stop + 1
            if b"\n" in block or b"\r" in block:
                return [_on_one_line(bytes(raw)) for raw in found]
            return [bytes(raw) for raw in found]
        return []

    def _singly(self) -> list[bytes]:
        """Cut out the elements that end within the text that is there."""
        found: list[bytes] = []
        while (end := self._end()) is not None:
            found.append(self._checked(self._text[self._at : end]))
            self._at = end
            follows = _BLANK.match(self._text, end).end()  # type: ignore[union-attr]
            if self._text[follows : follows + 1] != b",":
                break
            start = _BLANK.match(self._text, follows + 1).end()  # type: ignore[union-attr]
            if self._text[start : start + 1] not in (b"{", b"["):
                break
            self._at = start
        else:
            if found:
                # The comma before what is not whole yet has been passed.
                found.append(self._value())
        return found

    def _lines(self) -> list[bytes]:
        """Cut out objects that stand on a line each, as in JSON Lines."""
        stop = self._text.rfind(b"\n", self._at)
        if stop < 0:
            return []
        block = self._text[self._at : stop]
        lines = [line for line in block.split(b"\n") if line.strip()]
        try:
            if len(_ALONE.decode_lines(block)) != len(lines):
                return []
        except REFUSED:
            return []
        self._at = stop
        return [line.replace(b"\r", b" ") for line in lines]

    def _value(self, *, outermost: bool = False) -> bytes:
        """Return the value that begins here; *outermost* says that it is within no other."""
        while (end := self._end()) is None:
            if len(self._text) - self._at > self._limit:
                hint = "; where records stand within it, say where: json_path" if outermost else ""
                raise self._fault(f"a value is longer than {self._limit} bytes{hint}")
            if not self._more():
                end = self._last()
                break
        value = self._checked(self._text[self._at : end])
        self._at = end
        return value

    def _last(self) -> int:
        """Where a number or word ends that is the last of the file."""
        match = _SCALAR.match(self._text, self._at)
        if match is None or match.end() != len(self._text):
            raise self._fault("the file ends within a value")
        return match.end()

    def _checked(self, value: bytes) -> bytes:
        try:
            try:
                _ALONE.decode(value)
            except REFUSED:
                # NaN and halves of characters are no JSON for msgspec, but are found in files.
                json.loads(value)
        except (ValueError, RecursionError) as error:
            if isinstance(error, json.JSONDecodeError):
                raise self._fault(error.msg, len(error.doc[: error.pos].encode())) from error
            deep = isinstance(error, RecursionError)
            raise self._fault("a value is nested too deeply" if deep else str(error)) from error
        return _on_one_line(value)

    def _skip(self) -> None:
        """Pass over the value that begins here, without holding it."""
        first = self._next()
        if first not in (b"{", b"["):
            self._value()
            return
        depth = 0
        while True:
            depth += 1 if first in (b"{", b"[") else -1
            self._at += 1
            if not depth:
                return
            while True:
                self._at = _RUN.match(self._text, self._at).end()  # type: ignore[union-attr]
                first = self._text[self._at : self._at + 1]
                if first not in (b"", b'"'):
                    break
                if len(self._text) - self._at > self._limit:
                    raise self._fault(f"a text is longer than {self._limit} bytes")
                if not self._more():
                    raise self._fault("the file ends within a value")

    def _end(self) -> int | None:
        """Return where the value ends that begins here, None where its end is not there yet."""
        text, at = self._text, self._at
        first = text[at : at + 1]
        if first == b'"':
            match = _STRING.match(text, at)
            return match.end() if match else None
        if first not in (b"{", b"["):
            match = _SCALAR.match(text, at)
            if match is None and first:
                raise self._fault(f"expected a value, got {first.decode('utf-8', 'replace')!r}")
            return match.end() if match and match.end() < len(text) else None
        depth = 0
        while first not in (b"", b'"'):
            depth += 1 if first in (b"{", b"[") else -1
            at += 1
            if not depth:
                return at
            at = _RUN.match(text, at).end()  # type: ignore[union-attr]
            first = text[at : at + 1]
        return None

    def _key(self) -> str:
        if self._next() != b'"':
            raise self._fault("expected a name in quotes")
        key: str = json.loads(self._value())
        self._expect(b":", f"'{key}'")
        return key

    def _ends(self, bracket: bytes, first: bool) -> bool:
        """Pass over *bracket* and return True, else over the comma before all but the *first*."""
        found = self._next()
        if found == bracket:
            self._at += 1
            return True
        if not first:
            if found != b",":
                shown = f"got {found.decode('utf-8', 'replace')!r}" if found else "the file ends"
                raise self._fault(f"expected a comma or {bracket.decode()}, {shown}")
            self._at += 1
            if self._next() == bracket:
                raise self._fault(f"a comma before {bracket.decode()}")
        return False

    def _expect(self, sign: bytes, where: str) -> None:
        found = self._next()
        if found != sign:
            names = {b"[": "an array", b"{": "an object", b":": "a colon"}
            got = repr(found.decode("utf-8", "replace")) if found else "the end of the file"
            place = f" at {where}" if where else ""
            raise self._fault(f"expected {names[sign]}{place}, got {got}")
        self._at += 1

    def _next(self) -> bytes:
        """Return the letter that stands next, nothing at the end of the file."""
        while True:
            self._at = _BLANK.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text):
                return self._text[self._at : self._at + 1]
            if not self._more():
                return b""

    def _more(self) -> bool:
        piece = next(self._pieces, b"")
        self._line += self._text.count(b"\n", 0, self._at)
        self._text = self._text[self._at :] + piece
        self._at = 0
        self.seen += len(piece)
        return bool(piece)

    def _fault(self, why: str, ahead: int = 0) -> JsonFault:
        line = self._line + self._text.count(b"\n", 0, self._at + ahead)
        return JsonFault(f"line {line}: {why}")


def _on_one_line(value: bytes) -> bytes:
    """Return *value*, which is JSON, without newlines; within texts there are none."""
    return value.replace(b"\n", b" ").replace(b"\r", b" ")
