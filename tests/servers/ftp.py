"""An FTP server: ftp.py PORT FOLDER [CERTIFICATE]; user 'tap', password 'secret', or anonymous.

User 'old' has a server that knows no MLST and MLSD, as there are many.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer


def main() -> None:
    """Serve until the process is ended."""
    port, folder, certificate = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    if certificate:
        from pyftpdlib.handlers import TLS_FTPHandler as Base
    else:
        Base = FTPHandler

    class Data(Base.dtp_handler):  # type: ignore[misc,name-defined]
        """Cuts a transfer off where the file `cut` says so, once."""

        def send(self, data: bytes) -> int:
            """Send, unless it is to be cut off."""
            mark = Path(folder, "cut")
            if mark.exists() and self.tot_bytes_sent > int(mark.read_text()):
                mark.unlink()
                self.close()
                return 0
            return int(super().send(data))

    class Handler(Base):  # type: ignore[misc,valid-type]
        """Serves *folder*."""

        def ftp_RETR(self, file: str) -> object:
            """Send a file that is not called secret.csv."""
            if file.endswith("/secret.csv"):
                self.respond("550 Permission denied.")
                return None
            return super().ftp_RETR(file)

        def pre_process_command(self, line: str, cmd: str, arg: str) -> None:
            """For the user 'old', know no command of this century."""
            if self.username == "old" and cmd in ("MLST", "MLSD"):
                self.respond(f'500 Command "{cmd}" not understood.')
            else:
                super().pre_process_command(line, cmd, arg)

    Handler.authorizer = DummyAuthorizer()
    for user in ("tap", "old"):
        Handler.authorizer.add_user(user, "secret", folder, perm="elradfmwMT")
    Handler.authorizer.add_anonymous(folder)
    Handler.dtp_handler = Data
    Handler.use_sendfile = False
    Handler.auth_failed_timeout = 0
    if certificate:
        Handler.certfile = certificate[0]
        Handler.tls_control_required = Handler.tls_data_required = True
    FTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    main()
