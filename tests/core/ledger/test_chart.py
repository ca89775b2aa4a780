import re
from pathlib import Path

from citycard.ledger.chart import TITLES, AccountCode, side_of

PAGE = Path(__file__).parents[3] / "docs" / "ledger.md"


def test_the_documentation_lists_the_whole_chart():
    listed = re.findall(r"^\| (\d{4}) \| (.+?) \| (debit|credit) \|$", PAGE.read_text(), re.MULTILINE)
    expected = [(str(int(code)), TITLES[code], side_of(code).name.lower()) for code in AccountCode]
    assert listed == expected


def test_every_code_has_a_title():
    assert set(TITLES) == set(AccountCode)
