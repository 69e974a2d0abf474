"""When to ask again, in each form that the standard knows."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from kozmo_singer.systems.retry_after import retry_after


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("3", 3), ("0.5", 0.5), ("-1", 0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0)]
    + [(nothing, None) for nothing in (None, "", "soon", "12 parsecs")],
)
def test_seconds(header: str | None, seconds: float | None) -> None:
    """A number, or a date that is past; nothing where it cannot be read."""
    assert retry_after(header) == seconds


def test_a_date_to_come() -> None:
    """Is so many seconds away."""
    then = datetime.now(timezone.utc) + timedelta(minutes=5)
    found = retry_after(format_datetime(then, usegmt=True))
    assert found is not None
    assert 290 < found <= 300
