from __future__ import annotations

import json
from datetime import date

import attrs

from citycard.cli.output import emit, progress, table


@attrs.frozen
class Stop:
    name: str
    opened: date


def test_records_become_one_json_document(capsys):
    emit([Stop("福田", date(2018, 9, 1)), {"tac": b"\x8a\xf2"}])

    assert json.loads(capsys.readouterr().out) == [{"name": "福田", "opened": "2018-09-01"}, {"tac": "8AF2"}]


def test_columns_line_up_under_wide_letters_and_numbers_stand_right(capsys):
    table(("line", "taps"), [("地铁一号线", 7), ("bus", 123)])

    assert capsys.readouterr().out.splitlines() == [
        "line        taps",
        "地铁一号线     7",
        "bus          123",
    ]


def test_progress_is_silent_unless_asked(capsys):
    assert list(progress([1, 2, 3], "taps", shown=False)) == [1, 2, 3]
    assert capsys.readouterr().err == ""
