"""Every domain on one card: loaded in any order, with room to spare, each at its place for ever."""

from __future__ import annotations

import random

import pytest

from citycard.card import CARD_PROFILES
from citycard.card.codec import decode
from citycard.kernel.discovery import find
from citycard.testing.town import Town

CHIP_BYTES = 8192
DOMAINS = ("transit", "utilities", "retail", "tourism", "campus", "community", "egov", "health")
LATER = DOMAINS[1:]


@pytest.fixture
def made(tmp_path):
    towns = []

    def make(**options):
        towns.append(Town.make(tmp_path, DOMAINS, hierarchies=["health"], **options))
        return towns[-1]

    yield make
    for town in towns:
        town.close()


def sectors_of(town):
    return {owned.record.name: owned for owned in town.city.plugins.sectors()}


def carried(town, card, till):
    """Read every sector that the card should have, as a till of no domain in particular reads it."""
    seen = {}

    def look(visit):
        seen.update({name: visit.read(name) for name in sectors_of(town)})
        raise LookupError

    with pytest.raises(LookupError):
        till.serve(card.reader, town.now, look)
    return seen


def test_all_domains_are_installed_and_run_without_settings(made):
    town = made()
    assert {found.owner.plugin for found in find()} >= set(DOMAINS)
    states = {report.name: (str(report.state), report.reason) for report in town.city.plugins.reports()}
    assert {name: states[name] for name in DOMAINS} == dict.fromkeys(DOMAINS, ("enabled", ""))


def test_a_new_card_carries_every_domain_in_a_chip_of_8_kb(made):
    town = made()
    card, till = town.card(), town.till(town.terminal("city-desk"))
    assert card.chip.eeprom.capacity <= CHIP_BYTES
    sectors = sectors_of(town)
    fresh = {name: decode(owned.record.record, owned.record.initial) for name, owned in sectors.items()}
    assert carried(town, card, till) == fresh
    assert {owned.owner.plugin for owned in sectors.values()} == set(DOMAINS)


@pytest.mark.parametrize("make", sorted(CARD_PROFILES))
def test_every_make_of_card_has_room_for_every_domain(made, make):
    town = made(more=f'[cards]\nprofile = "{make}"\n')
    version = town.city.issuing.version("citizen")
    assert {place.sector for place in version.places} == set(sectors_of(town))


@pytest.mark.parametrize("seed", range(3))
def test_a_card_issued_with_transit_alone_gets_each_domain_at_a_later_tap(made, seed):
    town = made(enable=["transit"])
    card, till = town.card(), town.till(town.terminal("city-desk"))
    order = random.Random(seed).sample(LATER, len(LATER))
    places = {place.sector: place for place in town.city.issuing.version("citizen").places}
    for name in order:
        town.city.plugins.enable(name, by="council")
        mine = {owned.record.name for owned in sectors_of(town).values() if owned.owner.plugin == name}
        assert set(town.update(card)) == mine
        till.refresh()
        assert mine <= set(carried(town, card, till))
        # What has a place keeps it, whatever comes after.
        now = {place.sector: place for place in town.city.issuing.version("citizen").places}
        assert {sector: now[sector] for sector in places} == places
        places = now
    # A card made now is like the one that was loaded step by step.
    assert carried(town, town.card(), till) == carried(town, card, till)
    assert town.update(card) == ()
