"""The rules of prices: what each service costs, and that a rule's version is that of its words."""

import datetime as dt

import attrs
import pytest

from citycard.clearing.pricing import PriceRequest, RuleBook
from citycard.errors import PriceUnknown
from citycard_community.fees import CLINIC, DOOR, FEE, PARKING, PASS, RESIDENT, WRITE, fee_rules
from citycard_community.sectors import ParkingStep

NOON = dt.datetime(2026, 3, 2, 12, 0)
PARK = {"community": 7, "car_park": 1}


@pytest.fixture(scope="module")
def settings():
    from citycard.kernel.settings import structure
    from citycard_community.settings import CommunitySettings

    community = {
        "id": "sunrise",
        "number": 7,
        "name": "Sunrise",
        "partner": "pm",
        "zones": [{"number": 1, "name": "East"}],
        "car_parks": [{"number": 1, "name": "Garage", "spaces": 3}],
    }
    clinic = {
        "id": "clinic",
        "number": 1,
        "name": "Clinic",
        "communities": ["sunrise"],
        "resident_percent": 33,
    }
    return structure(CommunitySettings, {"communities": [community], "clinics": [clinic]}, where="test")


@pytest.fixture(scope="module")
def price(settings):
    book = RuleBook(fee_rules(settings))

    def price(service, facts, **more):
        return book.quote(PriceRequest(service=service, at=NOON, facts=facts, **more))

    return price


def test_each_service_has_its_price(price):
    hour = NOON - dt.timedelta(hours=1)
    for service, facts, more, fen in (
        (DOOR, {}, {}, 0),
        (WRITE, {}, {}, 0),
        (PARKING, PARK | {"step": ParkingStep.ENTRY}, {}, 0),
        (PARKING, PARK | {"step": ParkingStep.EXIT, "since": hour}, {}, 400),
        (PARKING, PARK | {"step": ParkingStep.PASS_EXIT, "since": hour}, {}, 0),
        (PARKING, PARK | {"step": ParkingStep.PAID_EXIT, "since": None}, {}, 0),
        (PARKING, PARK | {"step": ParkingStep.LOST_TICKET, "since": None}, {}, 3000),
        (PASS, PARK | {"months": 3}, {}, 45_000),
        (FEE, {}, {"list_price_fen": 123}, 123),
        (CLINIC, {"clinic": 1}, {}, 1000),
        (CLINIC, {"clinic": 1}, {"entitlements": {RESIDENT}}, 330),
    ):
        assert price(service, facts, **more).amount_fen == fen, (service, facts)


def test_why_a_stay_costs_what_it_costs_is_said(price):
    facts = PARK | {"step": ParkingStep.EXIT, "since": NOON - dt.timedelta(minutes=16)}
    (step,) = price(PARKING, facts).steps
    assert step.reason == "2.00 each started 30 minutes, at most 20.00 in 24 hours"


@pytest.mark.parametrize(
    ("service", "facts"),
    [
        (PARKING, {}),
        (PARKING, PARK),
        (PARKING, {"community": 8, "car_park": 1, "step": ParkingStep.ENTRY}),
        (PASS, PARK),
        (PASS, {"months": 1}),
        (FEE, {}),
        (CLINIC, {"clinic": 9}),
    ],
)
def test_a_place_that_nobody_knows_has_no_price(price, service, facts):
    with pytest.raises(PriceUnknown):
        price(service, facts)


def test_a_version_changes_exactly_when_its_prices_do(settings):
    def versions(of):
        return {rule.name: rule.version for rule in fee_rules(of)}

    dearer = attrs.evolve(settings, clinics=(attrs.evolve(settings.clinics[0], visit_fen=1),))
    changed = {name for name, version in versions(settings).items() if versions(dearer)[name] != version}
    assert changed == {"clinic"}
    assert versions(settings) == versions(settings)
