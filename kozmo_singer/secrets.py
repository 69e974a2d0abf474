"""Secrets: where their values come from, which values are some, and the forms in which they leak.

A value of a configuration can be told in four ways: as it is; as ``${NAME}`` or
``${NAME:-default}`` in a file, which stand for environment variables; as ``keyring:SERVICE/USER``;
or by a setting of the same name with ``_command`` behind it, whose first line of output it is.
One more dollar before a reference makes it text: ``$${NAME}``, ``$keyring:SERVICE/USER``.
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from kozmo_singer.errors import ConfigError

COMMAND = "_command"
"""What stands behind the name of a setting whose value a command prints."""
COMMAND_SECONDS = 60.0
_KEYRING = re.compile(r"(\$*)keyring:(.+)/([^/]+)")
_REFERENCE = re.compile(r"(\$?)\$\{(\w+)(?::-([^}]*))?\}")
_NAMES = re.compile(
    r"pass|secret|token|(api|private|access|account)[_-]?key|credential|auth|dsn|connection_string",
    re.IGNORECASE,
)
_LOGIN = re.compile(r"://[^/\s:@]*:(?=([^/\s@]+)@)(?=([^/\s]+)@)")
_PARAMETER = re.compile(r"(?:^|[?&;\s])([\w.-]+)=([^&;\s]+)")
_LONG_LINE = 16


def is_secret(name: str) -> bool:
    """Return whether a setting or variable of this *name* probably holds a secret."""
    return _NAMES.search(name) is not None


def expand(
    value: Any,
    where: str = "",
    environ: Mapping[str, str] | None = None,
    hidden: list[str] | None = None,
) -> Any:
    """Return *value* with ${NAME} and ${NAME:-default} replaced in all its texts.

    $${NAME} is the text ${NAME}; any other dollar is a dollar. A variable that is not set is a
    ConfigError that names the setting, and *where* it is. Values of variables whose names say that
    they are secret are added to *hidden*.
    """
    if isinstance(value, Mapping):
        place = f"{where}, " if where else ""
        return {
            key: expand(item, f"{place}setting '{key}'", environ, hidden)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [expand(item, where, environ, hidden) for item in value]
    if not isinstance(value, str):
        return value
    known = os.environ if environ is None else environ

    def variable(found: re.Match[str]) -> str:
        escaped, name, default = found.groups()
        if escaped:
            return found[0][1:]
        said = known.get(name, default)
        if said is None:
            place = f"{where}: " if where else ""
            raise ConfigError(
                f"{place}the environment variable {name} is not set",
                f"set it, or give a default: ${{{name}:-default}}",
            )
        if hidden is not None and is_secret(name):
            hidden.append(said)
        return said

    return _REFERENCE.sub(variable, value)


def escape(value: Any) -> Any:
    """Return *value* in the form that `expand` and `fetch` turn back into it."""
    return _in_texts(plain(value), lambda text: _REFERENCE.sub(lambda m: f"${m[0]}", text))


def plain(value: Any) -> Any:
    """Return *value* in the form that `fetch` turns back into it: no text asks the keyring."""
    return _in_texts(value, lambda text: f"${text}" if _KEYRING.fullmatch(text) else text)


def _in_texts(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _in_texts(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [_in_texts(item, change) for item in value]
    return change(value) if isinstance(value, str) else value


def fetch(
    config: Mapping[str, Any], has_command: Callable[[str], bool]
) -> tuple[dict[str, Any], list[str]]:
    """Return *config* with what commands and the keyring say, and the secrets that they said.

    NAME_command is looked at where *has_command*(NAME) holds.
    """
    found: dict[str, Any] = {}
    said: list[str] = []
    for name, value in config.items():
        stem = name.removesuffix(COMMAND)
        if stem == name or not has_command(stem):
            found[name] = _looked_up(name, value, said)
        elif value not in (None, ""):
            if config.get(stem) not in (None, ""):
                raise ConfigError(f"'{stem}' and '{name}' are both given", "leave one of them out")
            found[stem] = run_command(name, value)
            said.append(found[stem])
    return found, said


def is_fetched(name: str, value: Any, has_command: Callable[[str], bool]) -> bool:
    """Return whether `fetch` would do something about this setting."""
    stem = name.removesuffix(COMMAND)
    if stem != name and has_command(stem):
        return True
    if isinstance(value, Mapping):
        return any(is_fetched("", item, has_command) for item in value.values())
    if isinstance(value, list):
        return any(is_fetched("", item, has_command) for item in value)
    return isinstance(value, str) and _KEYRING.fullmatch(value) is not None


def run_command(name: str, command: Any) -> str:
    """Return the first line that *command*, the value of setting *name*, prints.

    It is run without a shell. Whatever goes wrong is a ConfigError that shows nothing it printed.
    """
    import shlex

    try:
        argv = shlex.split(command)
    except (ValueError, AttributeError, TypeError) as error:
        raise ConfigError(f"setting '{name}' is no command line") from error
    code, out = _output(name, argv)
    why = f"failed (exit code {code})" if code else "printed nothing on its first line"
    line = b"" if code else out.partition(b"\n")[0].rstrip(b"\r")
    try:
        if text := line.decode():
            return text
    except UnicodeDecodeError:
        why = "printed no UTF-8 text"
    raise ConfigError(f"the command of setting '{name}' {why}", "run it by hand to see why")


def _output(name: str, argv: list[str]) -> tuple[int, bytes]:
    """The exit code of *argv* and what it printed; of its process group nothing lives on."""
    import subprocess

    none, pipe = subprocess.DEVNULL, subprocess.PIPE
    try:
        process = subprocess.Popen(
            argv, stdin=none, stdout=pipe, stderr=none, start_new_session=True
        )
    except (OSError, ValueError, IndexError) as error:
        why = getattr(error, "strerror", None) or "it is empty"
        raise ConfigError(f"the command of setting '{name}' cannot be started: {why}") from error
    try:
        out, _ = process.communicate(timeout=COMMAND_SECONDS)
    except subprocess.TimeoutExpired:
        raise ConfigError(
            f"the command of setting '{name}' did not end within {COMMAND_SECONDS:g} s"
        ) from None
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    return process.returncode, out


def secrets_in(value: Any, name: str = "") -> Iterator[str]:
    """Yield the values in a configuration that look like secrets by their name or form."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from secrets_in(item, name if is_secret(name) else str(key))
    elif isinstance(value, list):
        for item in value:
            yield from secrets_in(item, name)
    elif isinstance(value, str):
        if is_secret(name):
            yield value
        found = [login for logins in _LOGIN.findall(value) for login in logins]
        found += [said for parameter, said in _PARAMETER.findall(value) if is_secret(parameter)]
        for each in found:
            yield from {each, unquote(each)}
    elif isinstance(value, int) and not isinstance(value, bool) and is_secret(name):
        yield str(value)


def forms(secrets: Iterable[str]) -> list[str]:
    """Return *secrets* in every form in which a log or an error may show them.

    As they are, percent-encoded, within JSON, as Python shows them, and single long lines.
    """
    found: set[str] = set()
    for secret in secrets:
        lines = (line for line in secret.splitlines() if len(line) > _LONG_LINE)
        spelt = (json.dumps(secret), json.dumps(secret, ensure_ascii=False), repr(secret))
        found |= {secret, *lines, *(text[1:-1] for text in spelt)}
        with suppress(UnicodeEncodeError):
            found |= {quote(secret, safe=""), quote(secret), quote_plus(secret)}
    return sorted(found - {""})


def _looked_up(name: str, value: Any, said: list[str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _looked_up(f"{name}.{key}", item, said) for key, item in value.items()}
    if isinstance(value, list):
        return [_looked_up(name, item, said) for item in value]
    match = _KEYRING.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return value
    if match[1]:
        return value[1:]
    said.append(_from_keyring(name, match[2], match[3]))
    return said[-1]


def _from_keyring(name: str, service: str, user: str) -> str:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError as error:
        raise ConfigError(
            f"setting '{name}' is in the keyring, and the package keyring is not installed",
            "run: pip install 'kozmo-singer[keyring]'",
        ) from error
    try:
        password = keyring.get_password(service, user)
    except (KeyringError, RuntimeError, OSError) as error:
        raise ConfigError(
            f"setting '{name}': the keyring cannot be read ({type(error).__name__})",
            "see what there is: keyring --list-backends",
        ) from error
    if not password:
        raise ConfigError(
            f"setting '{name}': the keyring holds no password of {user} for {service}",
            f"put it there: keyring set '{service}' '{user}'",
        )
    return password
