"""Files that a web server has: read only, in ranges where the server knows them."""

from __future__ import annotations

import logging
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from email.utils import parsedate_to_datetime
from glob import has_magic
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import unquote

from kozmo_singer.errors import ConnectError
from kozmo_singer.systems.retry_after import retry_after
from kozmo_singer.systems.stores import Entry, Upload
from kozmo_singer.systems.stores.objects import nanoseconds
from kozmo_singer.systems.stores.remote import RangeFile, RemoteStore, Replaced, gathered

if TYPE_CHECKING:
    import httpx
    import tenacity

_CHUNK = 1 << 18
_BUSY = (429, 503)
BUSY_ATTEMPTS, LONGEST_BUSY = 8, 120.0
"""How often a server is asked that is busy, and how many seconds it may want to be left alone."""
Origin = tuple[str, str, "int | None"]
Login = tuple[Origin, tuple[str, str], tuple[tuple[str, str], ...]]
_CLIENTS: dict[Login, httpx.Client] = {}
_log = logging.getLogger("kozmo_singer")


class HttpStore(RemoteStore):
    """The file of one URL. Its path is the URL without a query, which may hold a secret."""

    def __init__(self, config: Mapping[str, Any], url: str) -> None:
        super().__init__()
        import httpx

        self.root = url
        self._url = httpx.URL(url)
        headers = {
            str(name): str(value) for name, value in (config.get("http_headers") or {}).items()
        }
        if config.get("http_token"):
            headers["Authorization"] = f"Bearer {config['http_token']}"
        login = (config.get("http_user") or "", config.get("http_password") or "")
        self._login: Login = (_origin(self._url), login, tuple(headers.items()))
        self._path = unquote(str(self._url.copy_with(query=None, fragment=None, userinfo=b"")))
        self._whole: dict[Entry, Spool] = {}
        self.lost = (*RemoteStore.lost, httpx.TransportError)  # type: ignore[misc]

    @classmethod
    def of(cls, scheme: str, rest: str, config: Mapping[str, Any]) -> tuple[HttpStore, str]:
        """Return the store of a URL, and its path."""
        store = cls(config, f"{scheme}://{rest}")
        return store, store._path

    @property
    def client(self) -> httpx.Client:
        """What speaks to the server, shared by all its files that are asked for with one login."""
        if self._login not in _CLIENTS:
            _CLIENTS[self._login] = _client(*self._login)
        return _CLIENTS[self._login]

    def close(self) -> None:
        """End the connections, and forget what had to be received as a whole."""
        self._whole.clear()
        client = _CLIENTS.pop(self._login, None)
        if client is not None:
            client.close()

    def list(self, pattern: str) -> list[Entry]:
        """Return the file of the URL; a web server lists nothing."""
        try:
            entry = self.info(pattern)
        except FileNotFoundError:
            if has_magic(str(self._url.path)):
                raise FileNotFoundError(
                    "web servers cannot list: name each file, as in the setting files"
                ) from None
            return []
        self._listed[entry.path] = entry
        return [entry]

    def open(self, path: str) -> BinaryIO:
        """Return the file for reading."""
        entry = self._listed.get(path) or self.info(path)
        with self.told(path):
            if entry.size and entry not in self._whole and not self.again(self._has_ranges):
                self._whole[entry] = Spool(self, entry)
        return cast(BinaryIO, RangeFile(self, entry))

    def read(self, entry: Entry, start: int, end: int) -> bytes:
        """Return the bytes from *start* to *end*, see RemoteStore."""
        if entry not in self._whole:
            return super().read(entry, start, end)
        with self.told(entry.path):
            data = self._whole[entry].read(start, end)
        if len(data) < end - start:
            raise Replaced
        return data

    def chunks(self, entry: Entry, start: int) -> Iterator[bytes]:
        """Yield what is behind the first *start* bytes, of a server that knows no ranges."""
        with self._ask("GET", entry) as answer:
            for chunk in answer.iter_raw(_CHUNK):
                skipped = min(start, len(chunk))
                start -= skipped
                if chunk[skipped:]:
                    yield chunk[skipped:]

    def _has_ranges(self) -> bool:
        with self._ask("GET", None, 0, 1) as answer:
            return answer.status_code == 206

    def _stat(self, name: str) -> Entry:
        with self._ask("HEAD") as answer:
            length = answer.headers.get("content-length")
            if answer.status_code < 300 and length is not None:
                return self._entry(answer, int(length))
        # Not every server knows HEAD, or tells the size of what it makes as it is asked.
        with self._ask("GET", None, 0, 1) as answer:
            if answer.status_code == 206:
                whole = answer.headers.get("content-range", "").rpartition("/")[2]
                if whole.isdigit():
                    return self._entry(answer, int(whole))
            elif length := answer.headers.get("content-length"):
                return self._entry(answer, int(length))
        return self._measured()

    def _measured(self) -> Entry:
        """The file, whose size nobody knows before it has been read to its end."""
        for known in self._whole:
            with self._ask("GET") as answer:
                if self._entry(answer, known.size) == known:
                    return known
        self._whole.clear()
        with self._ask("GET") as answer:
            entry = self._entry(answer, 0)
            spool = Spool(self, entry, answer.iter_raw(_CHUNK))
            found = replace(entry, size=spool.fill(None))
        self._whole[found] = spool
        return found

    def _entry(self, answer: httpx.Response, size: int) -> Entry:
        moment = None
        if said := answer.headers.get("last-modified"):
            try:
                moment = parsedate_to_datetime(said)
            except ValueError:
                moment = None
        return Entry(self._path, size, nanoseconds(moment), answer.headers.get("etag"))

    def _read(self, name: str, entry: Entry, start: int, end: int) -> bytes:
        with self._ask("GET", entry, start, end) as answer:
            if answer.status_code != 206:
                raise OSError("the server stopped answering for ranges of the file")
            return gathered(answer.iter_raw(_CHUNK), self.lost)

    @contextmanager
    def _ask(
        self, method: str, entry: Entry | None = None, start: int = 0, end: int = 0
    ) -> Iterator[httpx.Response]:
        """Give the answer, of which nothing was read; it is that of *entry*, if there is one."""
        headers = {"Range": f"bytes={start}-{end - 1}"} if end else {}
        if entry is not None and (entry.etag or "").startswith('"'):
            headers["If-Match"] = str(entry.etag)
        answer = self._answer(self.client.build_request(method, self._url, headers=headers))
        try:
            self._check(answer, method, entry)
            yield answer
        finally:
            answer.close()

    def _answer(self, request: httpx.Request) -> httpx.Response:
        """Return what the server says once it is not busy, or still is after the last attempt."""
        import tenacity

        return tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda answer: answer.status_code in _BUSY),
            stop=tenacity.stop_after_attempt(BUSY_ATTEMPTS),
            wait=self._pause,
            retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        )(self.client.send, request, stream=True)

    def _pause(self, state: tenacity.RetryCallState) -> float:
        """Close a busy answer, and return the seconds that the server wants to be left alone."""
        assert state.outcome is not None, "there was an answer"
        answer: httpx.Response = state.outcome.result()
        answer.close()
        said = retry_after(answer.headers.get("retry-after"))
        seconds = 0.5 * 2.0**state.attempt_number if said is None else said
        if seconds > LONGEST_BUSY:
            raise ConnectError(
                f"{self._path} wants to be left alone for {seconds:.0f} s",
                f"the server answered {answer.status_code}; run again later",
            )
        _log.warning(
            "%s answered %s, trying again in %.1f s", self._path, answer.status_code, seconds
        )
        return seconds

    def _check(self, answer: httpx.Response, method: str, entry: Entry | None) -> None:
        status = answer.status_code
        if status in (401, 407):
            raise ConnectError(
                f"{self._path} refused the login: {status} {answer.reason_phrase}",
                "check http_user and http_password, http_token or http_headers",
            )
        if status in (403, 451) and method != "HEAD":
            raise PermissionError(f"access denied: {status} {answer.reason_phrase}")
        if status in (404, 410):
            raise FileNotFoundError(f"the server answered {status} {answer.reason_phrase}")
        if status in (412, 416):
            raise Replaced
        if status >= 400 and method != "HEAD":
            raise OSError(f"the server answered {status} {answer.reason_phrase}")
        if entry is not None and status < 300:
            size = answer.headers.get("content-range", "").rpartition("/")[2]
            now = self._entry(answer, int(size) if size.isdigit() else entry.size)
            if now != entry:
                raise Replaced

    def _folder(self, name: str, start: str = "") -> Iterator[tuple[str, Entry | None]]:
        return iter(())

    def _create(self, name: str) -> Upload:
        raise OSError("over HTTP files are only read")

    def _remove(self, name: str) -> None:
        raise OSError("over HTTP files are only read")

    @contextmanager
    def told(self, path: str) -> Iterator[None]:
        """Turn what httpx raises over the file into ConnectError."""
        import httpx

        try:
            yield
        except httpx.HTTPError as error:
            raise ConnectError(
                f"cannot reach {self._path}",
                str(error) or type(error).__name__,
                "check the address, and the certificate if it is https",
            ) from error


def _client(
    origin: Origin, login: tuple[str, str], headers: tuple[tuple[str, str], ...]
) -> httpx.Client:
    import httpx

    # It tells of each request, with the whole URL.
    logging.getLogger("httpx").setLevel(logging.WARNING)

    def strip(request: httpx.Request) -> None:
        # Another server, to which this one led, is told none of our secrets.
        if _origin(request.url) != origin:
            for name, _ in headers:
                request.headers.pop(name, None)

    return httpx.Client(
        auth=login if any(login) else None,
        headers={**dict(headers), "Accept-Encoding": "identity"},
        follow_redirects=True,
        timeout=httpx.Timeout(60, connect=15),
        event_hooks={"request": [strip]},
    )


def _origin(url: httpx.URL) -> Origin:
    return url.scheme, url.host, url.port


class Spool:
    """What was received so far of a file, of a server that can only send it from its start."""

    def __init__(
        self, store: HttpStore, entry: Entry, chunks: Iterator[bytes] | None = None
    ) -> None:
        self._store, self._entry, self._chunks = store, entry, chunks
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        self._size = 0

    def fill(self, end: int | None) -> int:
        """Receive up to *end* at least, or all; return how much there is."""
        while end is None or self._size < end:
            chunk = self._store.again(self._next)
            if not chunk:
                break
            self._file.seek(self._size)
            self._file.write(chunk)
            self._size += len(chunk)
        return self._size

    def read(self, start: int, end: int) -> bytes:
        """Return the bytes from *start* to *end*."""
        self.fill(end)
        self._file.seek(start)
        return self._file.read(end - start)

    def _next(self) -> bytes:
        # Another attempt needs another answer, so this one is kept only if it goes well.
        chunks, self._chunks = self._chunks, None
        if chunks is None:
            chunks = self._store.chunks(self._entry, self._size)
        chunk = next(chunks, b"")
        self._chunks = chunks
        return chunk
