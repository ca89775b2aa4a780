from datetime import date

from citycard.clearing import clear
from citycard_retail.habits import shopping_habits
from citycard_retail.sectors import SaleFacts
from citycard_retail.services import participants, services, tier_of
from citycard_retail.settings import RetailSettings

SETTINGS = RetailSettings(shopping={"kiosk": "corner-kiosk", "restaurant": "noodles"})


def test_services_have_numbers_of_retails_own():
    assert {one.name: one.number for one in services(SETTINGS)} == {
        "retail-sale": 200,
        "retail-void": 201,
        "retail-online": 202,
        "retail-hotel": 203,
        "retail-order": 204,
    }


def test_who_is_paid_are_the_fees_and_those_of_a_simulated_city():
    assert [(one.id, one.kind) for one in participants(SETTINGS)] == [
        ("retail-fees", "retail-fees"),
        ("corner-kiosk", "kiosk"),
        ("noodles", "restaurant"),
    ]


def test_a_tier_that_nobody_has_is_the_first():
    assert (tier_of(SETTINGS, 3).name, tier_of(SETTINGS, 200).name) == ("catering", "standard")


def test_people_shop_where_the_settings_say():
    habits = list(shopping_habits(SETTINGS))
    taps = [habit.there[0] for habit in habits]
    assert {tap.partner for tap in taps} == {"corner-kiosk", "noodles"}
    assert all(isinstance(tap.facts, SaleFacts) and tap.list_price_fen > 0 for tap in taps)
    assert {tap.facts.tier for tap in taps} == {2, 3}
    assert list(shopping_habits(RetailSettings())) == []


def test_records_that_are_alike_share_alike(shops):
    """Cleared by groups or one by one, every fen of every sale is somebody's."""
    town = shops.town
    shops.open("corner-kiosk", "kiosk")
    counter = shops.counter("990120000001")
    cards = [town.card() for _ in range(3)]
    for card in cards:
        town.load(card, 20_000)
        for asked in (999, 1_000, 1_001, 5_000, 5_000):
            counter.sell(card.reader, shops.day(), asked)
    town.hand_in(counter)
    report = clear(town.city)
    earned = {one.partner: one.gross_fen for one in report.partners}
    fees = 3 * (0 + 0 + 4 + 19 + 19)
    assert earned == {"corner-kiosk": 3 * 13_000 - fees, "retail-fees": fees}
    assert report.business_date == date(2026, 3, 2)
    assert [(one.code, one.records) for one in report.totals] == [("OK", 15)]
