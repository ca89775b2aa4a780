"""A simulated day at venues: everything is used, once a day, and the books agree."""

from __future__ import annotations

from citycard.store import reading
from citycard_tourism.live import live_day
from citycard_tourism.views import rights_of


def lived(leisure, cards):
    day, accounts = leisure.town.now.date(), [card.asn for card in cards]
    return {one.what: (one.count, one.amount_fen) for one in live_day(leisure.office, day, accounts)}


def test_a_day_is_lived_once_and_its_books_agree(leisure):
    cards = [leisure.town.card() for _ in range(6)]
    for card in cards:
        leisure.town.account(card, 200_000)
    leisure.go_to(leisure.at("12:00"))

    first = lived(leisure, cards)
    assert all(count for count, _ in first.values()), first
    assert first["goods"] == (6, 2 * (3500 + 6800 + 12_900))
    with reading(leisure.city.engine) as conn:
        before = [rights_of(conn, leisure.settings, card.asn) for card in cards]
        money = leisure.city.ledger.balances(conn, 2002)
    lived(leisure, cards)
    with reading(leisure.city.engine) as conn:
        assert [rights_of(conn, leisure.settings, card.asn) for card in cards] == before
        assert leisure.city.ledger.balances(conn, 2002) == money

    leisure.go_to(leisure.at("12:00", days=1))
    assert lived(leisure, cards)["passes"] == (0, 0)
    leisure.clear()
    leisure.town.check_books()


def test_who_has_no_money_does_nothing(leisure):
    card = leisure.town.card()
    leisure.town.account(card, 0)
    assert set(lived(leisure, [card]).values()) == {(0, 0)}
