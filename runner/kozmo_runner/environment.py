"""The environment of a plug-in's process: what every program needs, and what is its own."""

from __future__ import annotations

import os
import re
from fnmatch import fnmatchcase

from kozmo_runner.plugins import Plug
from kozmo_singer.secrets import is_fetched

VARIABLE = "KOZMO_PASS_ENV"
"""Names more variables that pass: words with * and ?, or PLUG-IN:WORD for one plug-in alone."""
_EVERYBODY = (
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "HOSTNAME", "TERM", "NO_COLOR", "TZ",
    "LANG", "LANGUAGE", "LC_*", "TMPDIR", "TMP", "TEMP", "XDG_*", "*_PROXY", "*_proxy",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "OPENSSL_CONF", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS", "SSH_AUTH_SOCK", "KRB5*", "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_*",
    "PYTHON*", "VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "JAVA_HOME", "SINGER_SDK_*",
    "OMP_NUM_THREADS", "MALLOC_*",
)  # fmt: skip
_FILES = r"|-(files|csv|json|jsonl|parquet|arrow|excel|avro|orc|xml|fixed-width)$"
"""The end of the name of a plug-in that knows files of a format, in whatever store."""
_SYSTEMS = {
    "PG*": r"postgres|redshift|cockroach|timescale|greenplum",
    "AWS_*": r"aws|s3|athena|redshift|dynamo|kinesis|glue|sqs" + _FILES,
    "GOOGLE_*": r"google|bigquery|gcs|gsheet|sheets|ga4|firestore|spanner|pubsub" + _FILES,
    "CLOUDSDK_*": r"google|bigquery|gcs|firestore|spanner|pubsub" + _FILES,
    "AZURE_*": r"azure|mssql|synapse|fabric" + _FILES,
    "SNOWFLAKE_*": r"snowflake",
    "MYSQL_*": r"mysql|mariadb",
    "TNS_ADMIN": r"oracle",
    "ORACLE_*": r"oracle",
    "KUBERNETES_*": r"kubernetes|k8s",
}
"""Variables that a vendor's own library reads, for plug-ins whose name speaks of the vendor."""


def child_environment(plug: Plug) -> dict[str, str]:
    """Return the environment for *plug*; of settings it holds those of its own prefix only.

    Left out of those are the ones that the runner hands over in a file, because it has run a
    command or asked the keyring for them.
    """
    patterns = [*_EVERYBODY, *(p for p, of in _SYSTEMS.items() if re.search(of, plug.name))]
    for word in re.split(r"[,\s]+", os.environ.get(VARIABLE, "")):
        name, colon, pattern = word.rpartition(":")
        if not colon or name == plug.name:
            patterns.append(pattern)
    env = {
        name: value
        for name, value in os.environ.items()
        if _is_own(plug, name, value) or any(fnmatchcase(name, each) for each in patterns)
    }
    if plug.kind == "target" and not plug.ours:
        # A Python target would keep its STATE lines in a buffer until its end.
        env.setdefault("PYTHONUNBUFFERED", "1")
    return env


def settings_in_environment(plug: Plug) -> dict[str, str]:
    """Return what variables of the plug-in's prefix say: setting -> text."""
    return {
        name.removeprefix(plug.prefix).lower(): value
        for name, value in os.environ.items()
        if name.startswith(plug.prefix) and name != plug.prefix
    }


def _is_own(plug: Plug, name: str, value: str) -> bool:
    if not name.startswith(plug.prefix):
        return False
    return not is_fetched(name.removeprefix(plug.prefix).lower(), value, plug.has_command)
