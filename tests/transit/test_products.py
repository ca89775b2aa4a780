"""Which product a published card must be."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from citycard_transit.errors import ProductNotConfigured
from citycard_transit.products import infer
from citycard_transit.services import Fares
from citycard_transit.settings import TransitSettings
from citycard_transit.shenzhen import read_taps
from citycard_transit.taps import Tap


@pytest.fixture
def taps(small_file: Path) -> list[Tap]:
    return sorted(read_taps(small_file).taps, key=lambda tap: (tap.at, tap.line))


def test_the_first_price_of_a_card_tells_its_product(taps: list[Tap], shenzhen_fares: Fares) -> None:
    plan = infer(taps, shenzhen_fares)
    assert plan.products == {
        "AAAAAAAAB": "standard",
        "AAAAAAAAC": "half",
        "AAAAAAAAD": "free",
        "AAAAAAAAE": "full",
        "AAAAAAAAF": "standard",
    }
    assert (plan.inferred, plan.transfers, plan.ask_card) == ({3, 5, 7, 9, 10}, set(), set())


def test_a_later_price_changes_nothing(taps: list[Tap], shenzhen_fares: Fares) -> None:
    changed = [attrs.evolve(tap, paid_fen=0) if tap.line == 11 else tap for tap in taps]
    assert infer(changed, shenzhen_fares) == infer(taps, shenzhen_fares)


def test_a_price_that_fits_nothing_leaves_the_first_product_of_the_order(
    taps: list[Tap], shenzhen_fares: Fares
) -> None:
    changed = [attrs.evolve(tap, paid_fen=1) if tap.line == 3 else tap for tap in taps]
    assert infer(changed, shenzhen_fares).products["AAAAAAAAB"] == "standard"


def test_on_an_unmarked_line_a_transfer_is_read_off_the_price(taps: list[Tap], shenzhen_fares: Fares) -> None:
    unmarked = [attrs.evolve(tap, place="85路", paid_fen=275) if tap.line == 10 else tap for tap in taps]
    plan = infer(unmarked, shenzhen_fares)
    assert (plan.transfers, plan.products["AAAAAAAAF"]) == ({10}, "standard")
    assert 10 in plan.used


def test_on_an_unmarked_line_the_gate_asks_the_card_when_the_ride_before_is_known(
    taps: list[Tap], shenzhen_fares: Fares
) -> None:
    unmarked = [attrs.evolve(tap, place="85路", transfer=False) if tap.line == 4 else tap for tap in taps]
    plan = infer(unmarked, shenzhen_fares)
    assert (plan.ask_card, plan.transfers) == ({4}, set())


def test_a_product_that_the_city_does_not_have_is_refused(taps: list[Tap], shenzhen: TransitSettings) -> None:
    with pytest.raises(ProductNotConfigured, match="there is no card product 'gold'"):
        infer([attrs.evolve(taps[0], product="gold")], Fares.of(shenzhen))
