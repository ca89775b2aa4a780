from __future__ import annotations

from citycard.simulate.compare import Found, compare
from citycard.simulate.truth import Fault, FileTruth, MissingTruth, RecordTruth, Truth

TRUTH = Truth(
    plan={},
    first_terminal="990190000000",
    terminals=10,
    deliveries=(),
    faults=(
        Fault(number=1, kind="tac-wrong", code="T01"),
        Fault(number=2, kind="file-changed", code="F03"),
        Fault(number=3, kind="file-missing", code="F05"),
    ),
    records=(
        RecordTruth("990190000001", 1, 3, "T01", 1),
        RecordTruth("990190000001", 1, 4, "C01", 1),
    ),
    files=(FileTruth("day-1", "990190000002-000001.ccb", "F03", 2),),
    missing=(MissingTruth("990190000003", 1, 3),),
)
ALL = Found(
    records={("990190000001", 1, 3): "T01", ("990190000001", 1, 4): "C01"},
    files={"990190000002-000001.ccb": frozenset({"F03"})},
    missing=frozenset({("990190000003", 1)}),
)


def test_what_is_found_as_it_is_true_is_perfect():
    score = compare(TRUTH, ALL)
    assert (score.faults_injected, score.faults_found, score.false_alarms) == (3, 3, 0)
    assert score.perfect


def test_a_fault_is_found_only_when_all_that_it_touches_has_its_code():
    records = dict(ALL.records) | {("990190000001", 1, 4): "C02"}
    score = compare(TRUTH, Found(records=records, files=ALL.files, missing=ALL.missing))
    assert (score.faults_found, score.false_alarms, score.missed) == (2, 1, (1,))
    assert score.wrong == ("990190000001-1-4 C02",)


def test_a_record_that_is_in_order_and_is_not_left_alone_is_a_false_alarm():
    records = dict(ALL.records) | {("990190000009", 1, 1): "C01"}
    score = compare(TRUTH, Found(records=records, files=ALL.files, missing=ALL.missing))
    assert (score.faults_found, score.false_alarms, score.perfect) == (3, 1, False)


def test_files_and_numbers_count_like_records():
    score = compare(TRUTH, Found(records=ALL.records, files={}, missing=frozenset({("990190000004", 7)})))
    assert (score.faults_found, score.missed) == (1, (2, 3))
    assert score.wrong == ("990190000004-7 F05",)
