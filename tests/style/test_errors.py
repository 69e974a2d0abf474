"""Every error that a user can meet is short and says where it stands in the hierarchy."""

import inspect

import pytest

from kozmo_singer import errors

CLASSES = [
    each
    for each in vars(errors).values()
    if inspect.isclass(each) and issubclass(each, errors.KozmoError)
]
LONG = ["one\ntwo\nthree", *(f"detail {number}" for number in range(9))]


def _make(kind: type[errors.KozmoError]) -> errors.KozmoError:
    if kind is errors.MissingDriver:
        return errors.MissingDriver("tap-x", "driver", "x")
    if kind is errors.RecordError:
        return errors.RecordError(*LONG, stream="s", line=3, path="$.a")
    return kind(*LONG)


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_is_shown_on_at_most_six_lines(kind: type[errors.KozmoError]) -> None:
    """However much a driver had to say, the first line names the error and no traceback follows."""
    lines = errors.show(_make(kind)).splitlines()
    assert lines[0].startswith("Error: ")
    assert len(lines) <= 6
    assert not any("Traceback" in line for line in lines)


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_is_explained_in_the_hierarchy(kind: type[errors.KozmoError]) -> None:
    """The docstring of the module lists each class with what it means."""
    assert f"{kind.__name__} " in (errors.__doc__ or "") or kind is errors.KozmoError


@pytest.mark.parametrize("kind", CLASSES)
def test_the_exit_code_is_usage_or_failure(kind: type[errors.KozmoError]) -> None:
    """2 for what the user wrote, 1 for everything else."""
    assert kind.exit_code == (2 if kind is errors.ConfigError else 1)
