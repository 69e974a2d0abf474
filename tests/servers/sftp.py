"""An SFTP server: sftp.py PORT FOLDER HOST_KEY CLIENT_KEY; user 'tap', password 'secret'."""

from __future__ import annotations

import asyncio
import sys

import asyncssh


class Gate(asyncssh.SSHServer):
    """Lets in who has the password or the key."""

    def __init__(self, key: str) -> None:
        self._key = asyncssh.read_public_key(key)

    def validate_password(self, username: str, password: str) -> bool:
        """Return whether this is the login."""
        return (username, password) == ("tap", "secret")

    def password_auth_supported(self) -> bool:
        """Return True."""
        return True

    def public_key_auth_supported(self) -> bool:
        """Return True."""
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Return whether this is the login."""
        return username == "tap" and key == self._key


class Files(asyncssh.SFTPServer):
    """Serves a folder, but for files that are called secret.csv."""

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        """Open a file."""
        if path.endswith(b"/secret.csv") and not pflags & asyncssh.FXF_WRITE:
            raise asyncssh.SFTPPermissionDenied("no")
        return super().open(path, pflags, attrs)


async def serve(port: int, folder: str, host_key: str, client_key: str) -> None:
    """Serve until the process is ended."""
    await asyncssh.listen(
        "127.0.0.1",
        port,
        server_factory=lambda: Gate(client_key),
        server_host_keys=[host_key],
        sftp_factory=lambda channel: Files(channel, chroot=folder.encode()),
    )
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), *sys.argv[2:]))
