"""Cards of a plan from blank ones."""

from __future__ import annotations

import pytest

from citycard.errors import SectorAccessFailed
from citycard.mifare.access import KeyKind
from citycard.mifare.layouts import AdditionalIssue, BasicIssue
from citycard.mifare.personalise import personalise_sector_card
from citycard.mifare.plan import CONSTRUCTION, PLANS
from citycard.mifare.pseudo import PseudoReader
from citycard.terminal.reader import InProcessReader


def test_the_blocks_and_trailers_lie_where_the_plan_says(blank, keys):
    issue = BasicIssue(city="4100", industry="0001", serial="00012345", card_kind=3)
    more = AdditionalIssue(sold_on="130901", city="4100", industry="0001")
    reader = InProcessReader(PseudoReader(blank))
    number = personalise_sector_card(reader, CONSTRUCTION, keys, issue, balance_fen=5000, additional=more)
    assert number == "4100000100012345"
    assert blank.memory.block(4)[:15].hex().upper() == "410000010001234500000000BB0301"
    assert blank.memory.block(6)[:4].hex().upper() == "13090102"
    assert blank.memory.block(8).hex().upper() == "8813000077ECFFFF8813000009F609F6"
    assert blank.memory.block(8) == blank.memory.block(9)
    assert blank.memory.block(36) == bytes(15) + b"\xe4"
    uid = blank.uid
    for sector, bits in ((0, "787788"), (1, "787788"), (2, "08778F"), (9, "7F0788")):
        key_a, key_b = (keys(uid, sector, kind) for kind in KeyKind)
        assert blank.memory.block(sector * 4 + 3) == key_a + bytes.fromhex(bits) + b"\x69" + key_b
    assert blank.memory.block(15).hex().upper() == "FFFFFFFFFFFFFF078069FFFFFFFFFFFF"


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_every_plan_gives_a_card_that_opens(bench, plan):
    view = bench.session(bench.card(plan, balance_fen=700), plan).open()
    assert (view.balance_fen, view.dedicated, view.rules, view.info.public_count) == (700, 0, (), 0)


def test_a_card_is_personalised_once(bench, keys):
    card = bench.card()
    with pytest.raises(SectorAccessFailed):
        personalise_sector_card(
            InProcessReader(PseudoReader(card)),
            CONSTRUCTION,
            keys,
            BasicIssue(city="4100", industry="0001", serial="00000001"),
        )
