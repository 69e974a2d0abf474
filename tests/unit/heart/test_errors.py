"""Errors are short, say where, and show no secret."""

from kozmo_singer.errors import (
    MAX_LINES,
    ConfigError,
    KozmoError,
    MissingDriver,
    RecordError,
    report,
    scrub,
    show,
)


def test_an_error_is_shown_with_its_details():
    error = RecordError("expected integer, got 1.5", "do this", stream="s", line=3, path="$.id")
    assert show(error) == (
        "Error: cannot read stream s\n  line 3, $.id: expected integer, got 1.5\n  do this"
    )


def test_a_missing_driver_names_the_command_that_helps():
    assert str(MissingDriver("tap-postgres", "psycopg", "postgres")) == (
        "tap-postgres needs 'psycopg'; run: pip install 'kozmo-singer[postgres]'"
    )


def test_no_error_is_longer_than_six_lines():
    shown = show(KozmoError("a", *map(str, range(50))))
    assert len(shown.splitlines()) == MAX_LINES
    assert shown.endswith("...")


def test_errors_of_libraries_are_shown_by_their_words():
    assert show(ValueError("bad\n\nthing")) == "Error: ValueError: bad\nthing"


def test_secrets_are_masked_longest_first():
    assert scrub("pw=hunter2-long, hunter2", ["hunter2", "hunter2-long"]) == "pw=****, ****"
    assert "hunter2" not in show(KozmoError("login with hunter2 failed"), ["hunter2"])


def test_the_exit_code_goes_with_the_kind_of_error(capsys):
    assert report(ConfigError("a")) == 2
    assert report(KozmoError("b")) == 1
    assert report(OSError("c")) == 1
    assert capsys.readouterr().err.splitlines() == ["Error: a", "Error: b", "Error: OSError: c"]
