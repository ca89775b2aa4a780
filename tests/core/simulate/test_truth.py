from __future__ import annotations

import pytest

from citycard.errors import TruthMissing
from citycard.simulate.truth import Delivery, Fault, RecordTruth, Truth


def test_a_truth_is_read_as_it_was_written(tmp_path):
    truth = Truth(
        plan={"cards": 3},
        first_terminal="990190000000",
        terminals=2,
        deliveries=(Delivery(folder="day-1", files=2, records=7, revoked=["990190000001"]),),
        faults=(Fault(number=1, kind="tac-wrong", code="T01"),),
        records=(RecordTruth("990190000000", 1, 2, "T01", 1),),
        files=(),
        missing=(),
    )
    truth.write(tmp_path)
    found = Truth.read(tmp_path)
    assert (found.faults, found.records, found.first_terminal) == (
        truth.faults,
        truth.records,
        truth.first_terminal,
    )
    assert found.deliveries[0].revoked == ("990190000001",)


@pytest.mark.parametrize("text", [None, "", "{}", '{"records": 3}'])
def test_a_folder_without_a_whole_truth_says_so(tmp_path, text):
    if text is not None:
        (tmp_path / "truth.json").write_text(text)
    with pytest.raises(TruthMissing, match="missing or damaged"):
        Truth.read(tmp_path)
