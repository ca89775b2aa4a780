from __future__ import annotations

from pathlib import Path

import pytest

from citycard.card import Holder, JourneyRecord, LogRecord, Management, PublicApplication, layout_of
from citycard.card.describe import describe

DOCS = Path(__file__).parents[3] / "docs"


def test_a_table_has_a_line_for_each_field() -> None:
    lines = describe(LogRecord).splitlines()
    assert len(lines) == 2 + len(layout_of(LogRecord).fields)
    assert lines[4] == "| 5 | 4 | `amount_fen` | amount: fen from 0 to 4294967295 |  |"


@pytest.mark.parametrize("cls", [PublicApplication, Holder, Management, LogRecord, JourneyRecord])
def test_the_page_shows_the_layouts_as_they_are(cls: type) -> None:
    assert describe(cls) in (DOCS / "card.md").read_text(encoding="utf-8")
