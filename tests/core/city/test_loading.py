"""Domains enabled when cards are out: loaded at any reader, torn at every write, served afterwards."""

from __future__ import annotations

import datetime as dt
import importlib
import sys
from types import SimpleNamespace

import attrs
import pytest

from citycard import registry
from citycard.card import decode, encode
from citycard.chip import Chip, prepare_blank
from citycard.city import City
from citycard.city.loading import DomainLoading
from citycard.errors import CardHasNoRoom, CardRemoved, OfficeRefused, ProductInvalid
from citycard.registry import CardStatus
from citycard.store import reading, writing
from citycard.terminal import InProcessReader, Terminal
from citycard.terminal.maintaining import append_command
from citycard.terminal.updating import update_card

pytestmark = pytest.mark.usefixtures("bazaar")

DAY = dt.date(2018, 9, 1)
NOON = dt.datetime(2018, 9, 1, 12, 0)
ASN = "01019901000000000001"
GATE = "990100000700"
CITY = """\
[city]
name = "Card town"
code = "9901"
[plugins]
allow = ["bazaar", "pool", "baths"]
enable = ["bazaar"]
[[plugins.bazaar.products]]
name = "standard"
title = "City card"
"""
PLUGIN = '''
"""A plugin that keeps something on cards."""

from citycard import PluginInfo, SectorLayout, codec, hookimpl

RECORD_SIZE = {size}


@codec.layout(size=RECORD_SIZE)
class Visits:
    """How often its holder came."""

    count: int = codec.unsigned(4)
    rest: bytes = codec.reserved(RECORD_SIZE - 4)


@hookimpl
def citycard_plugin():
    return PluginInfo(name="{name}", title="{name}", core=">=0.1,<0.2")


@hookimpl
def citycard_sectors():
    for number in range({sectors}):
        initial = bytes([0, 0, 0, 7]) + bytes(RECORD_SIZE - 4)
        name = "{name}" if number == 0 else "{name}-" + str(number)
        yield SectorLayout(name=name, title="{name}", record=Visits, initial=initial)
'''


@pytest.fixture
def domains(monkeypatch, tmp_path):
    """Two plugins on disk as if they were installed: a pool with one sector, baths with ten."""
    for name, size, sectors in (("pool", 8, 1), ("baths", 120, 10)):
        site = tmp_path / "site" / name
        (site / f"citycard_{name}").mkdir(parents=True)
        (site / f"citycard_{name}" / "__init__.py").write_text('"""A plugin."""\n')
        source = PLUGIN.format(name=name, size=size, sectors=sectors)
        (site / f"citycard_{name}" / "plugin.py").write_text(source)
        info = site / f"citycard_{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: citycard-{name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[citycard]\n{name} = citycard_{name}.plugin\n")
        monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
    yield
    for name in [name for name in sys.modules if name.startswith(("citycard_pool", "citycard_baths"))]:
        del sys.modules[name]


@pytest.fixture
def town(domains, found_city, tmp_path):
    """A city with one card out that carries what was enabled when it was made."""
    (tmp_path / "template.toml").write_text(CITY)
    found_city(tmp_path / "town", tmp_path / "template.toml").close()
    city = City.open(tmp_path / "town")
    chip = city.issuing.chip(ASN, "standard", DAY)
    with writing(city.engine) as conn:
        registry.add_cards(conn, [city.issuing.card(ASN, "standard", DAY)])
    city.close()
    return SimpleNamespace(folder=tmp_path / "town", chip=chip)


def with_domain(town, name):
    """Enable a domain and open the city as the next process does."""
    city = City.open(town.folder)
    city.plugins.enable(name, by="test")
    city.close()
    return City.open(town.folder)


def loaded(city, chip):
    return update_card(InProcessReader(chip), DomainLoading(city, actor="gate"))


def version_of(city):
    with reading(city.engine) as conn:
        return registry.find_card(conn, ASN).product_version


def test_a_card_in_use_gets_the_domain_at_a_reader_and_is_served_by_it(town):
    city = with_domain(town, "pool")
    assert version_of(city) == 1

    first, again = loaded(city, town.chip), loaded(city, town.chip)

    assert (first.added, first.version) == (("pool",), 2)
    assert (again.added, again.version) == ((), 2)
    assert version_of(city) == 2
    place = city.issuing.version("standard").place("pool")
    visits = next(one.record.record for one in city.plugins.sectors() if one.record.name == "pool")
    gate = Terminal(GATE, city.sam(GATE), host=city.desk)
    tap = gate.tap(InProcessReader(town.chip), NOON)
    seen = decode(visits, tap.read_sector(place))
    tap.capp(0, NOON, [tap.write_sector(place, encode(attrs_evolved(seen, count=8)))])
    assert seen.count == 7
    assert decode(visits, gate.tap(InProcessReader(town.chip), NOON).read_sector(place)).count == 8
    with reading(city.engine) as conn:
        (event,) = registry.card_events(conn, ASN)
    assert (event.what, event.detail, event.actor) == ("updated", "version 2: pool", "gate")
    city.close()


def attrs_evolved(record, **changes):
    from citycard.card import evolve

    return evolve(record, **changes)


def test_a_card_torn_at_every_write_is_loaded_at_its_next_sight(town):
    city = with_domain(town, "pool")
    image, wanted = town.chip.image(), None
    whole = Chip.from_image(image, city.issuing.chip_profile)
    loaded(city, whole)
    wanted, writes = whole.image(), whole.eeprom.writes
    for cut in range(writes):
        for torn in (False, True):
            with writing(city.engine) as conn:
                registry.set_card_version(conn, ASN, 1)
            chip = Chip.from_image(image, city.issuing.chip_profile)
            chip.eeprom.cut_after(cut, torn=torn)
            with pytest.raises(CardRemoved):
                loaded(city, chip)
            assert loaded(city, chip).version == 2
            assert chip.image() == wanted
            assert version_of(city) == 2
    assert writes > 3
    city.close()


def test_a_full_card_says_which_domain_has_no_room_and_stays_at_its_version(town):
    city = City.open(town.folder)
    files = tuple(
        attrs.evolve(file, size=280) if file.fid == city.issuing.profile.sector_sfi else file
        for file in city.issuing.profile.files
    )
    small = attrs.evolve(city.issuing.profile, files=files)
    chip = prepare_blank(city.issuing.version("standard"), small)
    keys = city.vault.card_keys(bytes.fromhex(ASN[4:]))
    product = city.issuing.product("standard")
    city.issuing.personalise(chip, ASN, product, keys, start=DAY, expiry=DAY.replace(year=2028))
    city.close()
    city = with_domain(town, "baths")

    with pytest.raises(CardHasNoRoom, match="baths"):
        loaded(city, chip)
    assert version_of(city) == 1
    gate = Terminal(GATE, city.sam(GATE), host=city.desk)
    assert gate.tap(InProcessReader(chip), NOON).view.asn == ASN
    city.close()


@pytest.mark.parametrize("switch", ["enabled", "in conflict"])
def test_a_card_that_was_begun_is_noted_whatever_is_switched_meanwhile(town, switch):
    city = with_domain(town, "pool")

    class Switched(DomainLoading):
        def begin(self, asn, issuer, records):
            wanted = super().begin(asn, issuer, records)
            if switch == "enabled":
                city.plugins.enable("baths", by="test")
            else:
                city.issuing.publish = in_conflict
            return wanted

    assert update_card(InProcessReader(town.chip), Switched(city, actor="gate")).version == 2
    assert version_of(city) == 2
    city.close()


def in_conflict():
    raise ProductInvalid(product="standard", problem="another plugin has it")


def test_the_city_gives_no_mac_for_anything_it_did_not_decide_on(town):
    city = with_domain(town, "pool")
    host = DomainLoading(city, actor="gate")
    with pytest.raises(OfficeRefused, match="nobody decided"):
        host.line_mac(ASN, append_command(b"\x43\x09\x01\x00"), bytes(4), 0)
    city.close()


@pytest.mark.parametrize("status", [CardStatus.LOST, CardStatus.BLOCKED])
def test_a_card_that_is_not_in_use_is_not_updated(town, status):
    city = with_domain(town, "pool")
    with writing(city.engine) as conn:
        registry.set_card_status(conn, ASN, status, reason="test")
    with pytest.raises(OfficeRefused, match=str(status)):
        loaded(city, town.chip)
    city.close()
