"""What a file is by its first bytes, where its name says that it is text."""

from __future__ import annotations

from kozmo_singer.systems.formats import Source, unreadable

TEXTS = ("csv", "fixed-width", "json", "jsonl", "xml")
_SIGNATURES = {
    b"PK\x03\x04": "a zip archive, or a workbook of Excel",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "a workbook of Excel 97",
    b"PAR1": "Parquet",
    b"ORC": "ORC",
    b"Obj\x01": "Avro",
    b"ARROW1\0\0": "Arrow",
    b"SQLite format 3\0": "a database of SQLite",
    b"%PDF-": "PDF",
}
_NO_TEXT = bytes(range(7)) + bytes(range(14, 32))


def refuse_others(source: Source, format: str, head: bytes) -> None:
    """Raise ReadError where *head*, the start of the file, is surely not that of *format*."""
    if format not in TEXTS:
        return
    if head and not head.strip(b"\0"):
        raise unreadable(source, f"it is no {format}: it begins with {len(head)} zero bytes")
    for signature, what in _SIGNATURES.items():
        if head.startswith(signature) and head.translate(None, _NO_TEXT) != head:
            raise unreadable(
                source,
                f"it is no {format}: its first bytes are those of {what}",
                "the format of files whose names do not tell it: format",
            )
