from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from citycard.clearing.files import read_named, write_named

ROWS = 40_000


@pytest.mark.parametrize(
    "wanted", [(0, 0), (0, 1), (9_999, 10_001), (12_345, 34_567), (39_999, 40_000), (0, ROWS)]
)
def test_rows_of_a_file_are_read_by_the_groups_in_which_they_are(tmp_path, wanted):
    path = write_named(tmp_path, "records", pa.table({"asn": map(str, range(ROWS)), "line": range(ROWS)}))
    assert pq.ParquetFile(tmp_path / path).num_row_groups > 1
    found = read_named(tmp_path, path, ["line", "not there"], lambda _: range(*wanted))
    assert (found.rows, found.named) == (ROWS, True)
    assert found.table.column_names == ["line"]
    assert found.table["line"].to_pylist() == list(range(*wanted))
