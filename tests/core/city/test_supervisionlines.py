"""Names of partners in the lines of a report."""

from __future__ import annotations

import pytest

from citycard.city.supervisionlines import named
from citycard.registry.records import Partner


@pytest.mark.parametrize(
    ("name", "english", "chinese"),
    [
        ("Haibin Gas 海滨燃气", "Haibin Gas", "海滨燃气"),
        ("Wave Gym North 浪花健身北店 2", "Wave Gym North", "浪花健身北店 2"),
        ("Market Hall", "Market Hall", ""),
        ("乙巴士", "乙巴士", ""),
    ],
)
def test_a_name_in_both_languages_is_told_in_each_of_them(name, english, chinese):
    shown = named(Partner(id="one", name=name, kind="operator"))
    assert (shown.title, shown.title_zh) == (english, chinese)
