"""Run in KozmoAI's environment: which stream the rows go to, that come to a target."""

import numpy as np
import pandas as pd
import pytest

from kozmo_bridge import _host
from kozmo_bridge.components.singer_target import streams_of

DATA, FRAME = _host.host()[:2]


def written(rows):
    """Return the names of the columns and the values that each stream gets."""
    return {
        stream: [list(row.data.items()) for row in part]
        if isinstance(part, list)
        else [list(row.items()) for row in part.to_dict("records")]
        for stream, part in streams_of(rows, "")
    }


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, "", "data"])
def test_rows_that_name_no_stream_go_to_the_default(missing):
    """None is left out, in the order in which they came; whether as Data or in a frame."""
    rows = [{"id": n, "_stream": name} for n, name in enumerate([missing, "a", missing])]
    expected = {"data": [[("id", 0)], [("id", 2)]], "a": [[("id", 1)]]}
    assert written([DATA(data=row) for row in rows]) == expected
    assert written(FRAME(rows)) == expected
