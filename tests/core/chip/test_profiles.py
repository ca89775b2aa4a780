"""Cards of every make: issued with one product, read with their own commands, paid with."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from citycard.card import (
    CARD_PROFILES,
    CHONGQING_PROFILE,
    CITY_UNION_PROFILE,
    FMCOS_PROFILE,
    TRANSIT_PROFILE,
    ChongqingApplication,
    CityUnionApplication,
    CityUnionIssue,
    PublicApplication,
    allocate,
    decode,
)
from citycard.chip import FMCOS_SM4, PROFILES, T_UNION, personalise, prepare_blank
from citycard.chip.personalise import chip_profile
from citycard.keys import purse
from citycard.keys.cipher import Algorithm
from citycard.keys.suite import SM4_SUITE

ASN, ISSUER = "03105170070104791381", "8475310000000000"
START, EXPIRY = dt.date(2024, 1, 1), dt.date(2034, 1, 1)
PIN = b"\x00\x20\x00\x00\x06123456"


def issue(issuing, profile, base=None, keys=None):
    version = allocate(issuing["product"], issuing["sectors"], profile=profile)
    chip = prepare_blank(version, profile, initial={"bus": b"\x42" * 125}, base=base).clone()
    personalise(
        chip,
        asn=ASN,
        issuer=ISSUER,
        product=issuing["product"],
        keys=keys or issuing["keys"],
        start=START,
        expiry=EXPIRY,
        city="3100",
        sectors={version.place("rail"): b"\x17" * 125},
        profile=profile,
    )
    return chip


@pytest.fixture
def card_of(issuing, desk_of):
    """Issue a card of a profile and return a desk with its application selected."""

    def make(profile, **more):
        desk = desk_of(issue(issuing, profile, **more))
        desk.chip.power_on()
        desk.ok(b"\x00\xa4\x04\x00" + bytes((len(profile.aid),)) + profile.aid)
        return desk

    return make


@pytest.mark.parametrize("profile", CARD_PROFILES.values(), ids=CARD_PROFILES.keys())
def test_a_card_of_every_make_carries_its_sectors_and_pays(card_of, issuing, profile):
    desk = card_of(profile)
    assert desk.chip.profile.name == profile.name
    records = desk.records(profile.sector_sfi)
    header = 1 + profile.sector_id_size
    assert [record[header] for record in records] == [0x17, 0x42]
    if profile.load_needs_pin:
        assert desk.load(1000).hex() == "6982"
        desk.ok(PIN)
    assert desk.load(1000)[-2:].hex() == "9000"
    assert desk.purchase(1)[-2:].hex() == "9000"
    number = 1 if profile.sector_id_size == 1 else records[0][1]
    written = records[0][:header] + b"\x99" * 125
    where = bytes((number, profile.sector_sfi << 3))
    if desk.chip.profile.protected_cache:
        answer = desk.init(3, 2)
        key = issuing["keys"].maintenance
        assert desk.protected("84DC" + where.hex(), written, key).hex() == "9000"
        assert desk.debit(answer, 2, 9)[-2:].hex() == "9000"
    else:
        update = b"\x80\xdc" + where + bytes((len(written),)) + written
        assert desk.capp(2, [update])[-2:].hex() == "9000"
    assert (desk.balance(), desk.records(profile.sector_sfi)[0]) == (997, written)
    assert len(desk.records(profile.log_sfi)) == 3


def test_a_city_union_card_reads_as_the_recorded_one(card_of):
    desk = card_of(CITY_UNION_PROFILE)
    answer = desk.ok("00A4040009A00000000386980701")
    assert answer[:18].hex().upper() == "6F2E8409A00000000386980701A5219F0C1E"
    application = CityUnionApplication(
        issuer="8475", city="3100", asn="5170070104791381", start=START, expiry=EXPIRY, main_type=1
    )
    assert decode(CityUnionApplication, desk.ok("00B0950000")) == application
    assert answer[-30:] == desk.ok("00B0950000")
    desk.ok("00A40000023F00")
    assert desk.ok("00A40000023F00")[4:18] == b"1PUB.SYS.DDF01"
    assert desk.ok("00B2010C00").hex().upper() == "7011610F4F09A0000000038698070150023F01"
    issued = CityUnionIssue(issuer="8475", city="3100", asn="5170070104791381", main_type=1, issued=START)
    assert decode(CityUnionIssue, desk.ok("00B0850000")) == issued
    assert desk.status("00D6850001FF") == "6982"


def test_a_chongqing_card_keeps_its_number_in_the_master_file(card_of):
    desk = card_of(CHONGQING_PROFILE)
    answer = desk.ok("00A4040009A00000000386980701")
    content = desk.ok("00B0950000")
    assert answer[-34:-32].hex() == "0c20"  # 9F0C with 32 bytes
    assert answer[-32:] == content
    wanted = ChongqingApplication(issuer="8475", city="3100", start=START, expiry=EXPIRY)
    assert decode(ChongqingApplication, content) == wanted


def test_34_bytes_of_ef_15_show_30_in_the_answer_to_select(card_of):
    desk = card_of(CARD_PROFILES["city-union-34"])
    assert len(desk.ok("00B0950000")) == 34
    assert desk.ok("00A4040009A00000000386980701")[-30:] == desk.ok("00B095001E")


def test_a_pboc_card_has_both_purses_and_hides_its_log(card_of):
    desk = card_of(FMCOS_PROFILE)
    assert decode(PublicApplication, desk.ok("00B0950000")).application_type == 3
    assert (desk.ok("805C000104").hex(), desk.ok("805C000204").hex()) == ("00000000", "00000000")
    assert desk.status("00B201C400") == "6982"
    desk.ok(PIN)
    assert desk.status("00B201C400") == "6A83"


def test_an_experimental_card_is_issued_and_paid_with_sm4(card_of, issuing):
    keys = attrs.evolve(
        issuing["keys"],
        algorithms={**issuing["keys"].algorithms, "load": Algorithm.SM4, "tac": Algorithm.SM4},
    )
    desk = card_of(FMCOS_PROFILE, base=FMCOS_SM4, keys=keys)
    desk.ok(PIN)
    answer = desk.init(0, 500)
    session = purse.load_session_key(keys.load, answer[8:12], 0, suite=SM4_SUITE)
    terminal, when = bytes.fromhex("001122334455"), bytes.fromhex("20241229141740")
    assert purse.load_mac1(session, 0, 500, 2, terminal, suite=SM4_SUITE) == answer[12:16]
    mac2 = purse.load_mac2(session, 500, 2, terminal, when, suite=SM4_SUITE)
    desk.ok(b"\x80\x52\x00\x00\x0b" + when + mac2 + b"\x04")
    assert desk.balance() == 500


def test_experimental_profiles_are_marked():
    assert [name for name, profile in PROFILES.items() if profile.experimental] == ["fmcos-sm4"]


def test_every_card_profile_has_its_chip_and_the_transit_card_is_t_unions():
    assert set(CARD_PROFILES) <= set(PROFILES)
    assert {chip_profile(profile).record_id_size for profile in CARD_PROFILES.values()} == {1, 2}
    assert chip_profile(TRANSIT_PROFILE).application_version == T_UNION.application_version
