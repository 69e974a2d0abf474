"""A web server of files in memory that can be told how to behave."""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit


@dataclass
class Web:
    """What the server has, how it behaves, and what it was asked."""

    port: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    length: bool = True
    head: bool = True
    matches: bool = True
    login: str | None = None
    """What the header Authorization has to be."""
    busy: list[str] = field(default_factory=list)
    """A Retry-After for each of the next requests, which are answered by 429."""
    cut: int | None = None
    """After how many bytes of its body the next large answer is cut off."""
    leads: dict[str, str] = field(default_factory=dict)
    """Where a path leads to another URL."""
    refusal: tuple[int, bytes] | None = None
    """The status and body of every answer."""
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)

    @property
    def url(self) -> str:
        """The address of its root."""
        return f"http://127.0.0.1:{self.port}"

    def basic(self, user: str, password: str) -> None:
        """Ask for a login from now on."""
        code = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.login = f"Basic {code}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    web: Web

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        """Answer without a body."""
        self._answer()

    def do_GET(self) -> None:
        """Answer with the file."""
        self._answer()

    def _answer(self) -> None:
        web, path = self.web, unquote(urlsplit(self.path).path)
        web.asked.append((self.command, self.path, dict(self.headers)))
        if web.refusal:
            return self._say(web.refusal[0], {"Content-Type": "application/xml"}, web.refusal[1])
        if web.busy:
            return self._say(429, {"Retry-After": web.busy.pop(0)})
        if path in web.leads:
            return self._say(302, {"Location": web.leads[path]})
        if web.login and self.headers.get("Authorization") != web.login:
            return self._say(401, {"WWW-Authenticate": "Basic"})
        if self.command == "HEAD" and not web.head:
            return self._say(405, {})
        body = web.files.get(path)
        if body is None:
            return self._say(404, {})
        etag = f'"{hashlib.sha256(body).hexdigest()[:12]}"'
        if web.matches and self.headers.get("If-Match") not in (None, etag):
            return self._say(412, {})
        headers = {"ETag": etag, "Last-Modified": formatdate(1_700_000_000, usegmt=True)}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked and web.ranges:
            start, end = int(asked[1]), min(int(asked[2] or len(body)) + 1, len(body))
            if start >= len(body):
                return self._say(416, {})
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(body)}"
            return self._say(206, headers, body[start:end])
        return self._say(200, headers, body)

    def _say(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        web = self.web
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if web.length or status >= 300:
            self.send_header("Content-Length", str(len(body)))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command == "HEAD":
            return
        probing = self.headers.get("Range") == "bytes=0-0"
        if web.cut is not None and len(body) > web.cut and not probing:
            body, web.cut = body[: web.cut], None
            self.close_connection = True
        web.sent[unquote(urlsplit(self.path).path)] += len(body)
        try:
            self.wfile.write(body)
        except ConnectionError:
            self.close_connection = True


@contextmanager
def serving() -> Iterator[Web]:
    """Run the server for as long as the context lasts."""
    web = Web()
    handler = type("Handler", (_Handler,), {"web": web})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        web.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield web
        finally:
            server.shutdown()
            thread.join()
