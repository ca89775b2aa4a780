from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from citycard.clearing.files import read_named, write_named, write_table
from citycard.errors import ArchiveDamaged

ROWS = 40_000


@pytest.mark.parametrize(
    "wanted", [(0, 0), (0, 1), (9_999, 10_001), (12_345, 34_567), (39_999, 40_000), (0, ROWS)]
)
def test_rows_of_a_file_are_read_by_the_groups_in_which_they_are(tmp_path, wanted):
    table = pa.table({"asn": [str(row) for row in range(ROWS)], "line": range(ROWS)})
    path = write_named(tmp_path, "records", *(table.slice(at, 10_000) for at in range(0, ROWS, 10_000)))
    assert pq.ParquetFile(tmp_path / path).num_row_groups == 4
    found = read_named(tmp_path, path, ["line", "not there"], lambda *_: range(*wanted))
    assert (found.rows, found.named, found.chosen) == (ROWS, True, True)
    assert found.table.column_names == ["line"]
    assert found.table["line"].to_pylist() == list(range(*wanted))


def test_rows_of_a_file_that_is_not_named_by_its_bytes_are_not_chosen_by_what_it_says(tmp_path):
    write_table(tmp_path / "before.parquet", pa.table({"line": range(9)}))
    found = read_named(tmp_path, "before.parquet", ["line"], lambda *_: range(3))
    assert (found.table.num_rows, found.rows, found.named, found.chosen) == (9, 9, False, False)


def test_a_file_that_was_looked_at_is_not_looked_at_again(tmp_path):
    path, checked = write_named(tmp_path, "records", pa.table({"line": range(9)})), set[str]()
    read_named(tmp_path, path, ["line"], checked=checked)
    assert checked == {path}
    write_table(tmp_path / path, pa.table({"line": range(3)}))
    assert read_named(tmp_path, path, ["line"], checked=checked).rows == 3
    with pytest.raises(ArchiveDamaged):
        read_named(tmp_path, path, ["line"])
