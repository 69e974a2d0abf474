"""PostgreSQL: settings, connections, quoting, types both ways, and errors in words.

Drivers are imported when a connection is opened, never with this module.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from kozmo_singer.errors import ConfigError, ConnectError, KozmoError, MissingDriver
from kozmo_singer.settings import Setting
from kozmo_singer.systems.sql.quoting import quote
from kozmo_singer.systems.tls import is_local, warn_of
from kozmo_singer.wire.types import LogicalType

if TYPE_CHECKING:
    import psycopg

IDENTIFIER_BYTES = 63
"""NAMEDATALEN - 1: the server cuts longer names off, https://www.postgresql.org/docs/18/limits.html"""

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "sqlalchemy_url",
        "Whole connection URL, postgresql://user:password@host:5432/database?sslmode=require; "
        "when it is set, host, port, user, password and database are not looked at",
        secret=True,
    ),
    Setting("host", "Server name or address, or the folder of a Unix socket; default localhost"),
    Setting("port", "Server port; default 5432", "integer", minimum=1),
    Setting("user", "Role to log in as"),
    Setting("password", "Password of the role", secret=True),
    Setting("database", "Database to connect to; default: the name of the role"),
    Setting(
        "sslmode",
        "TLS: verify-full by default, or prefer where the server is this machine",
        choices=SSL_MODES,
    ),
    Setting("sslrootcert", "File of certificate authorities; default: those of this machine"),
    Setting("sslcert", "File with the client certificate"),
    Setting("sslkey", "File with the key of the client certificate"),
    Setting("connect_timeout", "Seconds to wait for the server", "integer", default=10, minimum=1),
    Setting(
        "statement_timeout",
        "Seconds after which the server gives up a statement; default: the server's own",
        "integer",
        minimum=1,
    ),
    Setting("application_name", "Name shown in pg_stat_activity; default: the plug-in's"),
    Setting("ssh_host", "SSH server to tunnel through; the database's host is seen from there"),
    Setting("ssh_port", "Port of the SSH server", "integer", default=22, minimum=1),
    Setting("ssh_user", "User on the SSH server"),
    Setting("ssh_password", "Password on the SSH server", secret=True),
    Setting("ssh_private_key", "Private key for the SSH server: a file, or the PEM", secret=True),
    Setting("ssh_private_key_password", "Passphrase of the private key", secret=True),
    Setting(
        "ssh_host_key",
        "Public key of the SSH server, 'ssh-ed25519 AAAA...'; default: ~/.ssh/known_hosts",
    ),
)

_PARTS = ("host", "port", "user", "password", "database")
_LIBPQ = {"database": "dbname"}
_CA_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def parameters(config: Mapping[str, Any], plugin: str = "kozmo-singer") -> dict[str, Any]:
    """Return libpq's connection parameters; a URL stands alone and is merged with no other part.

    TLS, timeouts and the application name of *config* are added where the URL leaves them open.
    """
    url = config.get("sqlalchemy_url")
    if url:
        found = _from_url(url)
    else:
        found = {_LIBPQ.get(n, n): config[n] for n in _PARTS if config.get(n) not in (None, "")}
        found.setdefault("host", "localhost")
        found.setdefault("port", 5432)
    for name in ("sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout"):
        if config.get(name) not in (None, ""):
            found.setdefault(name, config[name])
    found.setdefault("application_name", config.get("application_name") or plugin)
    # Without it a database of encoding SQL_ASCII would hand out bytes for text.
    found.setdefault("client_encoding", "UTF8")
    if config.get("statement_timeout"):
        limit = f"-c statement_timeout={int(config['statement_timeout'])}s"
        found["options"] = f"{found['options']} {limit}" if found.get("options") else limit
    return _with_tls(found, tunnelled=bool(config.get("ssh_host")))


def _from_url(url: str) -> dict[str, Any]:
    scheme, _, rest = url.partition("://")
    if scheme.split("+")[0] not in ("postgresql", "postgres") or not rest:
        raise ConfigError(
            "setting 'sqlalchemy_url' is no PostgreSQL URL",
            "expected postgresql://user:password@host:5432/database",
        )
    try:
        parts = urlsplit(f"postgresql://{rest}")
        found: dict[str, Any] = {
            "host": unquote(parts.hostname) if parts.hostname else None,
            "port": parts.port,
            "user": parts.username and unquote(parts.username),
            "password": parts.password and unquote(parts.password),
            "dbname": unquote(parts.path.lstrip("/")),
            **dict(parse_qsl(parts.query)),
        }
    except ValueError as error:
        raise ConfigError(
            "setting 'sqlalchemy_url' cannot be read",
            "special characters in user and password are written as %40 for @ and so on",
        ) from error
    return {name: value for name, value in found.items() if value not in (None, "")}


def _with_tls(found: dict[str, Any], *, tunnelled: bool) -> dict[str, Any]:
    if "sslmode" not in found:
        inside = tunnelled or is_local(str(found.get("host", "")))
        found["sslmode"] = "prefer" if inside else "verify-full"
    own = os.path.expanduser("~/.postgresql/root.crt")
    verifies = str(found["sslmode"]).startswith("verify")
    if verifies and "sslrootcert" not in found and not os.path.exists(own):
        # The OpenSSL inside psycopg's wheel does not know where this machine keeps its own.
        found["sslrootcert"] = next((f for f in _CA_FILES if os.path.exists(f)), "system")
    return found


def _expect_tls(found: Mapping[str, Any], plugin: str, *, tunnelled: bool) -> None:
    """Warn where an sslmode of the user's lets others on the way listen, or answer."""
    host, mode = str(found.get("host", "")), str(found["sslmode"])
    if tunnelled or is_local(host) or mode.startswith("verify"):
        return
    risk = "rows and password may go in the clear"
    if mode == "require":
        risk = "nobody makes sure who is at the other end"
    warn_of(f"{plugin}: with sslmode '{mode}' {risk} at {host}; verify-full is safe")


@contextmanager
def connect(
    config: Mapping[str, Any], plugin: str = "kozmo-singer", **options: Any
) -> Iterator[psycopg.Connection[Any]]:
    """Yield a psycopg connection (and close it) as *config* says, through an SSH tunnel if asked.

    *options* go to ``psycopg.connect`` (autocommit, row_factory ...). Failing raises ConnectError.
    """
    try:
        import psycopg
    except ImportError as error:
        raise MissingDriver(plugin, "psycopg", "postgres") from error
    found = parameters(config, plugin)
    _expect_tls(found, plugin, tunnelled=bool(config.get("ssh_host")))
    with _tunnel(config, plugin, found) as reached:
        try:
            connection = psycopg.connect(**reached, **options)
        except psycopg.Error as error:
            raise connect_error(error, found) from error
        try:
            yield connection
        finally:
            connection.close()


@contextmanager
def _tunnel(
    config: Mapping[str, Any], plugin: str, found: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    if not config.get("ssh_host"):
        yield found
        return
    from kozmo_singer.systems.sql.tunnel import tunnel

    host, port = str(found.get("host", "localhost")), int(found.get("port", 5432))
    with tunnel(config, plugin, host, port) as local_port:
        # hostaddr is where to connect to, host stays the name that the certificate must bear.
        yield {**found, "hostaddr": "127.0.0.1", "port": local_port}


def qualified(schema: str | None, table: str) -> str:
    """Return ``"schema"."table"``, or the table alone without a schema."""
    return f"{quote(schema)}.{quote(table)}" if schema else quote(table)


# --- types -----------------------------------------------------------------------------------

_DDL = {
    "boolean": "boolean",
    "binary": "bytea",
    "date": "date",
    "time": "time",
    "timestamp": "timestamp",
    "timestamptz": "timestamptz",
    "uuid": "uuid",
    "json": "jsonb",
}
_INTEGERS = {16: "smallint", 32: "integer", 64: "bigint", None: "bigint"}


def ddl(type: LogicalType) -> str:
    """Return the column type that holds every value of *type*.

    An integer of unknown width is a bigint, as every loader makes it; a value beyond 64 bits
    needs ``numeric``. Limits: varchar(10485760), numeric(1000),
    https://www.postgresql.org/docs/18/datatype.html
    """
    if type.name == "integer":
        return _INTEGERS.get(type.bits, "bigint")
    if type.name == "float":
        return "real" if type.bits == 32 else "double precision"
    if type.name == "decimal":
        if type.precision and type.precision <= 1000:
            return f"numeric({type.precision},{type.scale or 0})"
        return "numeric"
    if type.name == "string":
        return f"varchar({type.length})" if type.length and type.length <= 10_485_760 else "text"
    return _DDL[type.name]


_NAMED = {
    "boolean": LogicalType("boolean"),
    "smallint": LogicalType("integer", bits=16),
    "integer": LogicalType("integer", bits=32),
    "bigint": LogicalType("integer", bits=64),
    "oid": LogicalType("integer", bits=64),
    "xid": LogicalType("integer", bits=64),
    "cid": LogicalType("integer", bits=64),
    "xid8": LogicalType("integer"),
    "real": LogicalType("float", bits=32),
    "double precision": LogicalType("float", bits=64),
    "money": LogicalType("decimal"),
    "numeric": LogicalType("decimal"),
    "bytea": LogicalType("binary"),
    "uuid": LogicalType("uuid"),
    "date": LogicalType("date"),
    "time without time zone": LogicalType("time"),
    "timestamp without time zone": LogicalType("timestamp"),
    "timestamp with time zone": LogicalType("timestamptz"),
    "json": LogicalType("json"),
    "jsonb": LogicalType("json"),
    "hstore": LogicalType("json"),
    "vector": LogicalType("json"),
    "halfvec": LogicalType("json"),
    "int2vector": LogicalType("json"),
    "oidvector": LogicalType("json"),
}
_ARGUMENTS = re.compile(r"\(([-\d, ]+)\)")


def logical(formatted: str) -> LogicalType:
    """Return the logical type of a column from ``format_type()``'s text.

    Arrays (``integer[]``) are json; a domain or composite must be resolved by the caller. Every
    type that is not named here (ranges, intervals, inet, bit, enums, geometric, ...) is a string.
    """
    name = _ARGUMENTS.sub("", formatted).replace("  ", " ").strip()
    arguments = _ARGUMENTS.search(formatted)
    numbers = [int(n) for n in arguments[1].split(",")] if arguments else []
    if name.endswith("[]"):
        return LogicalType("json")
    bare = name.rpartition(".")[2].strip('"')
    if name == "numeric" and numbers:
        precision, scale = numbers[0], numbers[1] if len(numbers) > 1 else 0
        # PostgreSQL 15 has numeric(2,-3), which holds 99000, and numeric(3,5), which holds 0.00999.
        return LogicalType("decimal", max(precision - min(scale, 0), scale), max(scale, 0))
    if name in ("character varying", "character") and numbers:
        return LogicalType("string", length=numbers[0])
    return _NAMED.get(name) or _NAMED.get(bare) or LogicalType("string")


# --- errors ----------------------------------------------------------------------------------


def connect_error(error: Exception, found: Mapping[str, Any]) -> KozmoError:
    """Return libpq's refusal to connect in words, with the setting to look at."""
    text = str(error)
    where = f"{found.get('host', 'localhost')}:{found.get('port', 5432)}"
    user, database = found.get("user", ""), found.get("dbname", found.get("user", ""))
    for pattern, message, *details in _REFUSALS:
        if re.search(pattern, text):
            names = {"where": where, "user": user, "database": database}
            return ConnectError(
                message.format(**names, wait=found.get("connect_timeout")),
                *(d.format(**names) for d in details),
            )
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return ConnectError(f"cannot connect to PostgreSQL at {where}", *lines[-2:])


_REFUSALS: tuple[tuple[str, ...], ...] = (
    (
        r"password authentication failed|authentication failed for user|no password supplied",
        "PostgreSQL at {where} refused the login of user '{user}'",
        "the password is wrong or missing, or there is no such user",
        "check the settings user and password",
    ),
    (
        r'role ".*" does not exist',
        "PostgreSQL at {where} has no user '{user}'",
        "check the setting user",
    ),
    (
        r'database ".*" does not exist',
        "PostgreSQL at {where} has no database '{database}'",
        "check the setting database",
    ),
    (
        r"permission denied for database",
        "user '{user}' may not connect to database '{database}' at {where}",
        "an administrator can allow it: GRANT CONNECT ON DATABASE ... TO ...",
    ),
    (
        r"could not translate host name|Name or service not known|failed to resolve host",
        "the host of {where} is unknown",
        "check the setting host, and that this machine can resolve names",
    ),
    (
        r"[Cc]onnection refused|No such file or directory\s+Is the server",
        "nothing answers at {where}",
        "is PostgreSQL running there, and does it listen on that address?",
        "check the settings host and port",
    ),
    (
        r"timeout expired|timed out|No route to host|Network is unreachable",
        "PostgreSQL at {where} did not answer within {wait} s",
        "check the settings host and port, and firewalls in between",
    ),
    (
        r"closed the connection unexpectedly|received invalid response",
        "what listens at {where} ended the connection; is it PostgreSQL?",
        "check the settings host and port",
    ),
    (
        r"no pg_hba\.conf entry",
        "PostgreSQL at {where} lets user '{user}' in from elsewhere only (pg_hba.conf)",
        "an administrator of the server can add this machine; TLS may be demanded: see sslmode",
    ),
    (
        r"does not support SSL",
        "PostgreSQL at {where} speaks no TLS",
        "set sslmode to 'disable' to send everything, the password too, in the clear",
    ),
    (
        r"certificate verify failed|root certificate|does not match host name|certificate",
        "the certificate of PostgreSQL at {where} could not be verified",
        "set sslrootcert to the file of the authority that signed it",
        "or sslmode to 'require' to encrypt without knowing who is at the other end",
    ),
    (
        r"too many (connections|clients)|remaining connection slots",
        "PostgreSQL at {where} has no connection left",
        "try again later, or ask for a higher max_connections",
    ),
    (
        r"invalid connection option|invalid URI query parameter|invalid sslmode|invalid .* value",
        "the connection settings of {where} hold an option that PostgreSQL does not know",
        "check the part after the question mark in sqlalchemy_url",
    ),
)

_ADVICE = {
    "22021": "the database holds text that is not UTF-8; correct it, or deselect its column",
    "42P01": "the table does not exist (any more); discover again",
    "3F000": "the schema does not exist (any more); discover again",
    "42703": "a column does not exist (any more); discover again",
    "42501": "the user lacks the permission; an administrator can GRANT it",
    "57014": "the statement ran longer than statement_timeout allows",
    "53100": "the disk of the server is full",
    "54011": "leave out what is not needed, by the tap's selection or stream_maps",
    "57P01": "the server was shut down; run again",
    "57P03": "the server is starting or stopping; run again in a moment",
    "40001": "another transaction was in the way; run again",
    "40P01": "another transaction was in the way; run again",
    "25006": "the connection is read-only, as a tap's is, or one to a standby",
}


_PASSING = ("40001", "40P01", "53300", "57P01", "57P02", "57P03")
"""https://www.postgresql.org/docs/18/errcodes-appendix.html"""


@contextmanager
def translated(kind: type[KozmoError], doing: str) -> Iterator[None]:
    """Turn psycopg errors of the block into *kind*: "<doing>", the server's words, and advice.

    Example: ``with translated(ReadError, "tap-postgres could not read stream public-orders"):``
    """
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        fault = kind(doing, *_words(error))
        fault.retryable = _lost(error)
        raise fault from error


def _lost(error: psycopg.Error) -> bool:
    """Whether the server went away, or gave up for a reason that passes."""
    import psycopg

    state = error.sqlstate or ""
    gone = not state and isinstance(error, psycopg.OperationalError)
    return gone or state in _PASSING or state.startswith("08")


def _words(error: psycopg.Error) -> list[str]:
    state = error.sqlstate or ""
    diagnostic = error.diag
    said = diagnostic.message_primary or str(error).strip().splitlines()[0]
    lines = [said]
    if diagnostic.message_detail:
        lines.append(diagnostic.message_detail.splitlines()[0][:300])
    advice = _ADVICE.get(state)
    if not state and re.search(r"closed|terminat|lost|EOF", said):
        advice = "the connection was lost; run again to go on from the last state"
    if advice:
        lines.append(advice)
    return lines
