"""An FTP server: ftp.py PORT FOLDER [CERTIFICATE]; user 'tap', password 'secret', or anonymous.

User 'old' has a server that knows no MLST and MLSD, as there are many.
"""

from __future__ import annotations

import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.servers import FTPServer


def main() -> None:
    """Serve until the process is ended."""
    port, folder = int(sys.argv[1]), sys.argv[2]
    authorizer = DummyAuthorizer()
    authorizer.add_user("tap", "secret", folder, perm="elradfmwMT")
    authorizer.add_anonymous(folder)
    handler = TLS_FTPHandler if len(sys.argv) > 3 else FTPHandler

    class Handler(handler):  # type: ignore[misc,valid-type]
        """Serves *folder*."""

    Handler.authorizer = authorizer
    if len(sys.argv) > 3:
        Handler.certfile = sys.argv[3]
        Handler.tls_control_required = Handler.tls_data_required = True
    FTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    main()
