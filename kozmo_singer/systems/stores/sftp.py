"""Files behind an SSH server."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import unquote, urlsplit

from kozmo_singer.errors import ConfigError, ConnectError
from kozmo_singer.systems.ssh import log_in
from kozmo_singer.systems.stores import Entry, part_name
from kozmo_singer.systems.stores.remote import Explained, RemoteStore, Replaced

if TYPE_CHECKING:
    import paramiko

_REQUESTS = 64
"""How many pieces of 32 KB are asked for at once: what is held on the way is bounded."""


class SftpStore(RemoteStore):
    """The files of one server, as one user sees them; ~ at the start of a path is the home."""

    def __init__(self, config: Mapping[str, Any], host: str) -> None:
        super().__init__()
        import paramiko

        self._config = login(config, host, "ssh")
        self.root = root_of("sftp", self._config, "ssh", 22)
        self.lost = (*RemoteStore.lost, paramiko.SSHException)  # type: ignore[misc]
        self._client: paramiko.SSHClient | None = None
        self._channel: paramiko.SFTPClient | None = None
        self._opened: tuple[Entry, paramiko.SFTPFile] | None = None

    @classmethod
    def of(cls, scheme: str, rest: str, config: Mapping[str, Any]) -> tuple[SftpStore, str]:
        """Return the store of an address, and the pattern in it."""
        host, _, path = rest.partition("/")
        store = cls(config, host)
        return store, f"{store.root}/{path}"

    @property
    def sftp(self) -> paramiko.SFTPClient:
        """The connection, which is made where there is none."""
        if self._channel is None:
            self._client = log_in(self._config)
            self._channel = self._client.open_sftp()
            self._channel.get_channel().settimeout(60)  # type: ignore[union-attr]
        return self._channel

    def _drop(self) -> None:
        client, self._client, self._channel, self._opened = self._client, None, None, None
        if client is not None:
            with suppress(OSError, EOFError):
                client.close()

    def real(self, name: str) -> str:
        """Return the path on the server: the home stands for ~."""
        if name == "/~" or name.startswith("/~/"):
            return (self.sftp.normalize(".") + name[2:]).replace("//", "/")
        return name

    def _stat(self, name: str) -> Entry:
        found = self.sftp.stat(self.real(name))
        if not stat.S_ISREG(found.st_mode or stat.S_IFREG):
            raise IsADirectoryError(f"{name} is no file")
        return self._entry(name, found)

    def _entry(self, name: str, found: paramiko.SFTPAttributes) -> Entry:
        return Entry(self.root + name, found.st_size or 0, (found.st_mtime or 0) * 10**9)

    def _folder(self, name: str, start: str = "") -> Iterable[tuple[str, Entry | None]]:
        try:
            listed = self.again(lambda: self.sftp.listdir_attr(self.real(name) or "/"))
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            # Servers say no more than "Failure" of a file.
            if error.errno is None:
                return
            raise
        folder = name.rstrip("/")
        for each in listed:
            mode = each.st_mode or 0
            path = f"{folder}/{each.filename}"
            if stat.S_ISDIR(mode):
                yield each.filename, None
            elif stat.S_ISLNK(mode):
                with suppress(OSError):
                    yield each.filename, self.again(lambda path=path: self._stat(path))  # type: ignore[misc]
            elif stat.S_ISREG(mode):
                yield each.filename, self._entry(path, each)

    def _read(self, name: str, entry: Entry, start: int, end: int) -> bytes:
        if self._opened is None or self._opened[0] != entry:
            if self._opened is not None:
                self._opened[1].close()
            file = self.sftp.open(self.real(name), "rb")
            if self._entry(name, file.stat()) != entry:
                file.close()
                raise Replaced
            self._opened = entry, file
        (data,) = self._opened[1].readv([(start, end - start)], _REQUESTS)
        return bytes(data)

    def _create(self, name: str) -> SftpUpload:
        return SftpUpload(self, name)

    def _remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self.sftp.remove(self.real(name))

    @contextmanager
    def told(self, path: str) -> Iterator[None]:
        """Turn what paramiko raises into OSError or ConnectError."""
        import paramiko

        try:
            yield
        except (paramiko.SSHException, EOFError) as error:
            raise ConnectError(
                f"the connection to {self.root} was lost", str(error) or type(error).__name__
            ) from error
        except OSError as error:
            if type(error) is OSError and error.errno is None and not isinstance(error, Replaced):
                raise OSError(f"the server answered: {error}") from error
            raise


class SftpUpload:
    """A file that is written beside the place that it takes, and then renamed."""

    def __init__(self, store: SftpStore, name: str) -> None:
        path = store.real(name)
        self._store, self._path = store, path
        self._sftp = store.sftp
        folder, _, last = path.rpartition("/")
        make_folders(self._sftp.stat, self._sftp.mkdir, folder)
        self._hidden = f"{folder}/{part_name(last)}"
        file = self._sftp.open(self._hidden, "wx")
        file.set_pipelined(True)
        self._file = file
        self.file: BinaryIO = cast(BinaryIO, Explained(file, lambda: store.told(path)))

    def commit(self) -> None:
        """Give the file its name, in the place of one that was there."""
        with self._store.told(self._path):
            size = self._file.tell()
            self._file.close()
            if self._sftp.stat(self._hidden).st_size != size:
                raise OSError("the server did not keep all that was written")
            try:
                self._sftp.posix_rename(self._hidden, self._path)
            except OSError:
                # A server without this extension does not replace what is there.
                with suppress(FileNotFoundError):
                    self._sftp.remove(self._path)
                self._sftp.rename(self._hidden, self._path)

    def abort(self) -> None:
        """Take the hidden file away, if it is still there."""
        with self._store.told(self._path):
            self._file.close()
            with suppress(FileNotFoundError):
                self._sftp.remove(self._hidden)


def make_folders(look: Any, make: Any, folder: str) -> None:
    """Make *folder* and those above it that are not there, by what looks for one and makes one."""
    if folder in ("", "/"):
        return
    try:
        look(folder)
    except OSError:
        make_folders(look, make, folder.rpartition("/")[0])
        with suppress(OSError):
            # Somebody else may have made it just now; else writing fails, and says why.
            make(folder)


def login(config: Mapping[str, Any], host: str, prefix: str) -> dict[str, Any]:
    """Return *config* with what *host*, as it stands in an address, says of server and user."""
    said = urlsplit(f"//{host}")
    made = dict(config)
    try:
        told = {
            "host": said.hostname,
            "port": said.port,
            "user": said.username and unquote(said.username),
            "password": said.password and unquote(said.password),
        }
    except ValueError as error:
        raise ConfigError(f"the address names no server: {said.hostname or host}") from error
    made |= {f"{prefix}_{name}": value for name, value in told.items() if value}
    if not made.get(f"{prefix}_host"):
        raise ConfigError(
            "it is not said which server is meant",
            f"name it in the address, or set {prefix}_host",
        )
    return made


def root_of(scheme: str, config: Mapping[str, Any], prefix: str, usual: int) -> str:
    """Return what stands before the paths of a server: never a user or a password."""
    host, port = str(config[f"{prefix}_host"]), config.get(f"{prefix}_port") or usual
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" if port == usual else f"{scheme}://{shown}:{port}"
