"""What stores need beside an address, credentials above all: once for taps and for targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kozmo_singer.errors import ConfigError
from kozmo_singer.settings import Setting, grouped
from kozmo_singer.systems.stores import SCHEMES

BUCKET = Setting("bucket", "The bucket that path is in, where path does not begin with it")
CONTAINER = Setting("container", "The container that path is in, where path does not begin with it")
ANONYMOUS = Setting(
    "anonymous",
    "Ask without credentials, for what everybody may read",
    "boolean",
    default=False,
    group="Logins of stores",
)
S3 = grouped(
    "Amazon S3",
    Setting(
        "aws_access_key_id",
        "The key of an account; else what the usual chain finds: environment, profile, role",
        secret=True,
    ),
    Setting("aws_secret_access_key", "The secret of that key", secret=True),
    Setting("aws_session_token", "The token of a key that is only lent", secret=True),
    Setting("aws_profile", "A profile of ~/.aws"),
    Setting("aws_region", "The region of the buckets"),
    Setting("aws_endpoint_url", "Another server that speaks S3, for example http://127.0.0.1:8333"),
)
GCS = grouped(
    "Google Cloud Storage",
    Setting(
        "google_credentials",
        "A service account: its key as JSON, or the file with it; else the default credentials",
        secret=True,
    ),
    Setting("google_project", "The project that pays, for buckets that ask for one"),
    Setting("gcs_endpoint_url", "Another server that speaks for Google Cloud Storage"),
)
AZURE = grouped(
    "Azure Blob Storage",
    Setting("azure_account_name", "The storage account"),
    Setting(
        "azure_account_key",
        "A key of that account; else what the usual chain finds: environment, identity, CLI",
        secret=True,
    ),
    Setting("azure_sas_token", "A shared access signature, in place of a key", secret=True),
    Setting("azure_connection_string", "A connection string, in place of all these", secret=True),
    Setting("azure_endpoint_url", "Where the account is, unless in the public cloud"),
)
SFTP = grouped(
    "SSH server",
    Setting("ssh_host", "The SSH server, where the address names none"),
    Setting("ssh_port", "Its port", "integer", default=22, minimum=1),
    Setting("ssh_user", "Who logs in"),
    Setting("ssh_password", "The password of that user", secret=True),
    Setting("ssh_private_key", "The private key: its text, or the file with it", secret=True),
    Setting("ssh_private_key_password", "The passphrase of the private key", secret=True),
    Setting(
        "ssh_host_key",
        "The server's public key, as ssh-ed25519 AAAA...; without it ~/.ssh/known_hosts decides",
    ),
)
FTP = grouped(
    "FTP server",
    Setting("ftp_host", "The FTP server, where the address names none"),
    Setting("ftp_port", "Its port", "integer", default=21, minimum=1),
    Setting("ftp_user", "Who logs in; else anonymous"),
    Setting("ftp_password", "The password of that user", secret=True),
    Setting("ftp_tls", "Secure the connection by TLS", "boolean", default=False),
)
HTTP = grouped(
    "Web server",
    Setting("http_user", "Who logs in, by basic authentication"),
    Setting("http_password", "The password of that user", secret=True),
    Setting("http_token", "A bearer token", secret=True),
    Setting("http_headers", "Headers of each request, by name", "object", secret=True),
)
STORES = (ANONYMOUS, *S3, *GCS, *AZURE, *SFTP, *FTP, *HTTP)


def address(plugin: str, scheme: str | None, config: Mapping[str, Any]) -> str:
    """Return the setting path, as an address where *plugin* knows the store of *scheme* alone.

    ConfigError says where it is the address of another store.
    """
    path = str(config["path"] or "")
    if scheme is None:
        return path
    said, separator, _ = path.partition("://")
    if separator:
        if SCHEMES.get(said) != SCHEMES[scheme]:
            every = f"{plugin.partition('-')[0]}-files"
            raise ConfigError(
                f"{plugin} knows {scheme}://, and not {said}://", f"{every} knows all stores"
            )
        return path
    if scheme in ("sftp", "ftp"):
        return f"{scheme}://{path}" if path.startswith("/") else f"{scheme}:///~/{path}"
    bucket = config.get(BUCKET.name) or config.get(CONTAINER.name)
    return f"{scheme}://{bucket}/{path.lstrip('/')}" if bucket else f"{scheme}://{path}"
