"""Cities with other makes of cards: issued, loaded, charged, verified, rekeyed, given domains, stopped."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from citycard import registry
from citycard.card import CARD_PROFILES
from citycard.city import City
from citycard.city.atcard import CardDesk
from citycard.city.genuine import verify_card
from citycard.city.handheld import Handheld
from citycard.city.loading import DomainLoading
from citycard.city.rekey import rekey
from citycard.errors import CardRefused, OfficeRefused, ProductInvalid, RegistryInvalid, SettingsInvalid
from citycard.pcsc.reading import read_card
from citycard.psam import Psam
from citycard.registry import CardStatus
from citycard.store import writing
from citycard.terminal import CardSam, InProcessReader, Terminal
from citycard.terminal.updating import update_card

MORNING = (Path(__file__).parents[2] / "examples" / "morning" / "city.toml").read_text()
TERMINAL = "990100000001"
ASN = "00009901000000000001"


def town(folder: Path, make: str) -> City:
    template = folder / f"{make}.toml"
    template.write_text(f'{MORNING}\n[cards]\nprofile = "{make}"\n')
    return City.create(folder / make, template)


@pytest.fixture(params=sorted(CARD_PROFILES))
def city(request, tmp_path):
    made = town(tmp_path, request.param)
    with writing(made.engine) as conn:
        gate = registry.Terminal(number=TERMINAL, partner="haibin-metro", opened_on=dt.date(2026, 1, 1))
        registry.add_terminals(conn, [gate])
    yield made
    made.close()


@pytest.fixture
def card(city):
    on = city.now_local().date()
    chip = city.issuing.chip(ASN, "standard", on)
    with writing(city.engine) as conn:
        registry.add_cards(conn, [city.issuing.card(ASN, "standard", on)])
    return chip


@pytest.fixture
def reader(card):
    return InProcessReader(card)


def wrong(checks):
    return {check.name: check.words for check in checks if check.ok is False}


def test_a_card_of_the_citys_make_is_loaded_charged_and_found_genuine(city, reader):
    with Handheld(city, TERMINAL) as handheld:
        assert handheld.load(reader, 5000).balance_after_fen == 5000
        assert handheld.pay(reader, 250).debit.balance_after_fen == 4750
    assert wrong(verify_card(city, reader)) == {}
    (purse,) = read_card(reader).purses
    assert (purse.balance_fen, purse.expiry) == (4750, city.issuing.expiry("standard", purse.start))


def test_a_gate_with_a_chip_for_a_sam_writes_sectors_with_the_fare(city, reader):
    psam = Psam.blank()
    city.sams.issue(TERMINAL, InProcessReader(psam))
    with Handheld(city, TERMINAL) as handheld:
        handheld.load(reader, 5000)
    gate = Terminal(TERMINAL, CardSam(InProcessReader(psam)), profile=city.issuing.profile)
    place = city.issuing.version("standard").places[0]
    session = gate.tap(reader, city.now_local())
    body = b"\x07" * place.size
    gate.record(session.capp(300, city.now_local(), [session.write_sector(place, body)]))
    session = gate.tap(reader, city.now_local())
    assert (session.read_sector(place), session.balance_fen) == (body, 4700)


def test_a_card_gets_what_it_lacks_and_new_keys(city, card, reader):
    done = update_card(reader, DomainLoading(city, actor="gate"), profile=city.issuing.profile)
    assert (done.asn, done.added) == (ASN, ())
    city.vault.roll("purchase")
    fresh = rekey(reader, city.vault, profile=city.issuing.profile)
    assert (fresh.asn, fresh.before, fresh.after) == (ASN, 1, 2)
    with Handheld(city, TERMINAL) as handheld:
        handheld.load(reader, 500)
        assert handheld.pay(reader, 100).debit.key_version == 2


def test_the_office_stops_a_card_where_its_make_has_a_flag(city, reader):
    with writing(city.engine) as conn:
        registry.set_card_status(conn, ASN, CardStatus.LOST, reason="left in a taxi")
    desk = CardDesk(city, reader, "clerk")
    if city.issuing.profile.name == "chongqing":
        with pytest.raises(OfficeRefused, match="cannot be stopped"):
            desk.stop()
        return
    assert desk.stop() == ASN
    with Handheld(city, TERMINAL) as handheld, pytest.raises(CardRefused, match="stopped"):
        handheld.pay(reader, 100)


def test_a_city_keeps_the_make_of_its_cards(tmp_path):
    city = town(tmp_path, "t-union")
    city.issuing.publish()
    city.close()
    config = tmp_path / "t-union" / "city.toml"
    config.write_text(config.read_text().replace('"t-union"', '"city-union"'))
    changed = City.open(tmp_path / "t-union")
    with pytest.raises(ProductInvalid, match="a city keeps its make"):
        changed.issuing.publish()
    changed.close()


def test_a_number_that_a_make_cannot_carry_whole_is_refused(tmp_path):
    city = town(tmp_path, "city-union")
    with pytest.raises(RegistryInvalid, match="0000 and 16 digits"):
        city.issuing.chip("01019901000000000001", "standard", dt.date(2026, 1, 1))
    city.close()


def test_an_issuer_that_a_make_cannot_carry_whole_is_refused(tmp_path):
    template = tmp_path / "city.toml"
    template.write_text(
        '[city]\nname = "A"\ncode = "9901"\nissuer = "0101990100000000"\n[cards]\nprofile = "city-union"\n'
    )
    with pytest.raises(SettingsInvalid, match=r"wants a city\.issuer of 4 digits, 9901 and FFFFFFFF"):
        City.create(tmp_path / "town", template)
