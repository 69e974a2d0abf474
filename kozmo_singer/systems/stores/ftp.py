"""Files behind an FTP server."""

from __future__ import annotations

import ftplib
import io
import socket
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from typing import Any, BinaryIO, cast

from kozmo_singer.errors import ConnectError
from kozmo_singer.systems.stores import Entry, part_name
from kozmo_singer.systems.stores.objects import nanoseconds
from kozmo_singer.systems.stores.remote import RemoteStore, Replaced
from kozmo_singer.systems.stores.sftp import login, make_folders, root_of

_CHUNK = 1 << 18
_SECONDS = 60.0


class FtpStore(RemoteStore):
    """The files of one server, as one user sees them; ~ at the start of a path is the home."""

    lost = (*RemoteStore.lost, ftplib.error_temp, ftplib.error_proto)

    def __init__(self, config: Mapping[str, Any], host: str) -> None:
        super().__init__()
        self._config = login(config, host, "ftp")
        self.root = root_of("ftp", self._config, "ftp", 21)
        self._ftp: ftplib.FTP | None = None
        self._going: tuple[Entry, int, socket.socket] | None = None
        self._home = ""

    @classmethod
    def of(cls, scheme: str, rest: str, config: Mapping[str, Any]) -> tuple[FtpStore, str]:
        """Return the store of an address, and the pattern in it."""
        host, _, path = rest.partition("/")
        store = cls({**config, "ftp_tls": config.get("ftp_tls") or scheme == "ftps"}, host)
        return store, f"{store.root}/{path}"

    def connect(self) -> ftplib.FTP:
        """Return a new connection to the server; ConnectError says why there is none."""
        config = self._config
        user = config.get("ftp_user") or "anonymous"
        secure = ssl.create_default_context() if config.get("ftp_tls") else None
        made = ftplib.FTP_TLS(context=secure) if secure else ftplib.FTP()
        try:
            made.connect(config["ftp_host"], int(config.get("ftp_port") or 21), _SECONDS)
            made.encoding = "utf-8"
            made.login(user, config.get("ftp_password") or "")
            if isinstance(made, ftplib.FTP_TLS):
                made.prot_p()
        except ftplib.error_perm as error:
            made.close()
            raise ConnectError(
                f"{self.root} refused the login of '{user}'",
                str(error)[:200],
                "check ftp_user, ftp_password and ftp_tls",
            ) from error
        except (OSError, EOFError, ftplib.Error) as error:
            made.close()
            raise ConnectError(
                f"cannot reach {self.root}",
                str(error) or type(error).__name__,
                "check ftp_host, ftp_port and ftp_tls",
            ) from error
        return made

    @property
    def ftp(self) -> ftplib.FTP:
        """The connection, made where there is none, on which nothing is under way."""
        if self._ftp is None:
            self._ftp = self.connect()
            self._home = self._ftp.pwd()
        self._settle()
        return self._ftp

    @property
    def bytewise(self) -> ftplib.FTP:
        """The connection, on which a listing switched to lines before, set to bytes."""
        self.ftp.voidcmd("TYPE I")
        return self.ftp

    def real(self, name: str) -> str:
        """Return the path on the server: the home stands for ~."""
        if name == "/~" or name.startswith("/~/"):
            assert self.ftp
            return self._home.rstrip("/") + name[2:]
        return name

    def _drop(self) -> None:
        ftp, going, self._ftp, self._going = self._ftp, self._going, None, None
        if going is not None:
            going[2].close()
        if ftp is not None:
            ftp.close()

    def _settle(self) -> None:
        """End a transfer that is under way, so that the server hears again."""
        going, self._going = self._going, None
        if going is None:
            return
        going[2].close()
        assert self._ftp is not None, "there is a transfer"
        with suppress(ftplib.error_temp, ftplib.error_perm):
            # It says that the transfer was cut off, or that all was sent before.
            self._ftp.voidresp()

    def _stat(self, name: str) -> Entry:
        path = self.real(name)
        try:
            answer = self.ftp.sendcmd(f"MLST {path}")
        except ftplib.error_perm as error:
            if not str(error).startswith("50"):
                raise
            return self._asked(name, path)
        facts = answer.splitlines()[1].strip().partition(" ")[0].split(";")
        told = dict(fact.lower().split("=", 1) for fact in facts if "=" in fact)
        if told.get("type") != "file":
            raise IsADirectoryError(f"{name} is no file")
        return self._entry(name, int(told["size"]), told.get("modify", ""))

    def _asked(self, name: str, path: str) -> Entry:
        """What an old server tells of a file, which must be no folder."""
        size = self.bytewise.size(path)
        try:
            changed = self.ftp.sendcmd(f"MDTM {path}")[4:]
        except ftplib.error_perm:
            changed = ""
        if size is None:
            raise FileNotFoundError(f"{name} is no file")
        return self._entry(name, size, changed)

    def _entry(self, name: str, size: int, changed: str) -> Entry:
        moment = None
        with suppress(ValueError):
            moment = datetime.strptime(changed.partition(".")[0], "%Y%m%d%H%M%S")
            moment = moment.replace(tzinfo=timezone.utc)
        return Entry(self.root + name, size, nanoseconds(moment))

    def _folder(self, name: str, start: str = "") -> Iterable[tuple[str, Entry | None]]:
        folder = name.rstrip("/")
        for part, facts in self.again(lambda: self._lines(name)):
            path = f"{folder}/{part}"
            if facts.get("type") == "dir":
                yield part, None
            elif facts.get("type") == "file":
                yield part, self._entry(path, int(facts["size"]), facts.get("modify", ""))

    def _lines(self, name: str) -> list[tuple[str, dict[str, str]]]:
        path = self.real(name) or "/"
        try:
            return list(self.ftp.mlsd(path))
        except ftplib.error_perm as error:
            code = str(error)[:3]
            if code in ("550", "501"):
                return []
            if not code.startswith("50"):
                raise
        return [(part, self._facts(f"{name.rstrip('/')}/{part}")) for part in self._names(path)]

    def _names(self, path: str) -> list[str]:
        try:
            found = [line.rpartition("/")[2] for line in self.ftp.nlst(path)]
        except ftplib.error_perm as error:
            if str(error)[:3] not in ("550", "450"):
                raise
            return []
        return [part for part in found if part not in (".", "..")]

    def _facts(self, name: str) -> dict[str, str]:
        """What an old server tells of a name in a listing that tells names alone."""
        path = self.real(name)
        try:
            size = self.bytewise.size(path)
        except ftplib.error_perm:
            return {"type": "dir"}
        with suppress(ftplib.error_perm):
            changed = self.ftp.sendcmd(f"MDTM {path}")[4:]
            return {"type": "file", "size": str(size), "modify": changed}
        return {"type": "file", "size": str(size)}

    def _read(self, name: str, entry: Entry, start: int, end: int) -> bytes:
        going = self._going
        if going is None or going[:2] != (entry, start):
            if self._stat(name) != entry:
                raise Replaced
            body = self.bytewise.transfercmd(f"RETR {self.real(name)}", start or None)
            self._going = going = entry, start, body
        found: list[bytes] = []
        at, body = start, going[2]
        try:
            while at < end and (data := body.recv(min(_CHUNK, end - at))):
                found.append(data)
                at += len(data)
        except self.lost:
            if not found:
                raise
        self._going = (entry, at, body) if at < entry.size else going
        if at >= entry.size:
            self._settle()
        elif at < end:
            # The server ended it early.
            self._drop()
            if not found:
                raise EOFError("the transfer was cut off")
        return b"".join(found)

    def _create(self, name: str) -> FtpUpload:
        return FtpUpload(self, name)

    def _remove(self, name: str) -> None:
        try:
            self.ftp.delete(self.real(name))
        except ftplib.error_perm as error:
            if _gone(self.ftp, self.real(name)):
                return
            raise error

    @contextmanager
    def told(self, path: str) -> Iterator[None]:
        """Turn what ftplib raises into OSError or ConnectError."""
        try:
            yield
        except ftplib.error_perm as error:
            text = str(error)
            if "denied" in text.lower() or "not enough privileges" in text.lower():
                raise PermissionError(text) from error
            if text.startswith("550"):
                raise FileNotFoundError(f"the server answered: {text}") from error
            raise OSError(f"the server answered: {text}") from error
        except (ftplib.Error, EOFError) as error:
            why = str(error) or "the server closed the connection"
            raise ConnectError(f"the connection to {self.root} was lost", why) from error
        except ValueError as error:
            # No name with a line break can be said in this protocol.
            raise OSError(str(error)) from error


class FtpUpload:
    """A file that is written beside the place that it takes, and then renamed."""

    def __init__(self, store: FtpStore, name: str) -> None:
        # A connection of its own: while one file is written, others may be looked at.
        self._store, self._path = store, store.real(name)
        self._ftp = store.connect()
        folder, _, last = self._path.rpartition("/")
        make_folders(self._enter, self._make, folder)
        self._hidden = f"{folder}/{part_name(last)}"
        self._ftp.voidcmd("TYPE I")
        self._body = self._ftp.transfercmd(f"STOR {self._hidden}")
        self._sent = _Sent(self._body)
        self.file: BinaryIO = cast(BinaryIO, self._sent)

    def commit(self) -> None:
        """Give the file its name, in the place of one that was there."""
        with self._store.told(self._path):
            self._finish()
            if self._ftp.size(self._hidden) != self._sent.tell():
                raise OSError("the server did not keep all that was written")
            try:
                self._ftp.rename(self._hidden, self._path)
            except ftplib.error_perm:
                # Not every server replaces what is there.
                self._ftp.delete(self._path)
                self._ftp.rename(self._hidden, self._path)
            self._ftp.close()

    def abort(self) -> None:
        """Take the hidden file away, if it is still there."""
        if self._ftp.sock is None:
            return
        with self._store.told(self._path), suppress(ftplib.error_perm):
            self._finish()
            self._ftp.delete(self._hidden)
        self._ftp.close()

    def _enter(self, folder: str) -> None:
        try:
            self._ftp.cwd(folder)
        except ftplib.error_perm as error:
            raise FileNotFoundError(folder) from error

    def _make(self, folder: str) -> None:
        try:
            self._ftp.mkd(folder)
        except ftplib.error_perm as error:
            raise OSError(str(error)) from error

    def _finish(self) -> None:
        if not self._sent.closed:
            self._sent.close()
            if isinstance(self._body, ssl.SSLSocket):
                self._body.unwrap()
            self._body.close()
            self._ftp.voidresp()


class _Sent(io.RawIOBase):
    """What is written goes to the server at once."""

    def __init__(self, body: socket.socket) -> None:
        super().__init__()
        self._body, self._size = body, 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._size

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self._body.sendall(view)
        self._size += len(view)
        return len(view)


def _gone(ftp: ftplib.FTP, path: str) -> bool:
    try:
        ftp.size(path)
    except ftplib.error_perm:
        return True
    return False
