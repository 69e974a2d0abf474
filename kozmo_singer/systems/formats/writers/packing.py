"""Compressing files of text as they are written."""

from __future__ import annotations

import bz2
import lzma
from typing import Any, BinaryIO

import pyarrow as pa


def packing(file: BinaryIO, packed: str) -> Any:
    """Return a file that compresses into *file*; closing it ends the compressed data.

    *file* itself where nothing is to be compressed.
    """
    if packed == "none":
        return file
    if packed == "xz":
        return lzma.open(file, "wb")
    if packed == "bz2":
        return bz2.open(file, "wb")
    return pa.CompressedOutputStream(pa.PythonFile(file, "w"), packed)
