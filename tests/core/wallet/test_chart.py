import re
from pathlib import Path

from citycard.wallet.chart import (
    TITLES,
    AccountCode,
    agent_receivable,
    card_purse,
    partner_payable,
    side_of,
)

PAGE = Path(__file__).parents[3] / "docs" / "ledger.md"


def test_the_documentation_lists_the_whole_chart():
    listed = re.findall(r"^\| (\d{4}) \| (.+?) \| (debit|credit) \|$", PAGE.read_text(), re.MULTILINE)
    expected = [(str(int(code)), TITLES[code], side_of(code).name.lower()) for code in AccountCode]
    assert listed == expected


def test_every_code_has_a_title():
    assert set(TITLES) == set(AccountCode)


def test_addresses_say_whose_they_are():
    assert card_purse("00000000000000000001") == "card/00000000000000000001/purse"
    assert partner_payable("metro-1") == "partner/metro-1/payable"
    assert agent_receivable("kiosk-7") == "agent/kiosk-7/receivable"
