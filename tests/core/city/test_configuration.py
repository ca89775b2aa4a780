"""A terminal's configuration: the same number while nothing changes, the next one when something does."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import attrs
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from citycard import registry
from citycard.city import City
from citycard.city.configuration import find_configuration, served_issuers
from citycard.store import reading, writing
from citycard.terminal.acceptance import ServedIssuer

TERMINAL = "990100000001"


def test_the_first_configuration_says_what_terminals_must_know(city):
    found = city.configuration()

    assert found.number == 1
    assert found.content["city"] == "9901"
    assert found.content["rules_version"] == city.rules_version
    assert found.content["blacklist"] == 0
    assert found.content["amount_limit_fen"] == city.terms.amount_limit_fen == 100_000
    assert found.content["plugins"] == {"yard": {"prices": {"ticket_fen": 100}}}
    assert found.content["enabled"] == {"city": ["yard"], "districts": {}, "partners": {}}
    (place,) = found.content["products"]["yard-pass"]["versions"]["1"]["places"]
    assert (place["sector"], place["size"]) == ("yard", 4)


def test_the_digest_is_of_the_content(city):
    found = city.configuration()
    plain = json.dumps(found.content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    assert found.digest == hashlib.sha256(plain.encode()).hexdigest()


def test_nothing_new_is_no_new_number(city, other):
    assert city.configuration() == city.configuration() == other.configuration()


def test_a_setting_that_changes_is_a_new_number(city, clock):
    first = city.configuration()
    config = city.folder / "city.toml"
    config.write_text(config.read_text() + "\n[plugins.yard]\nticket_fen = 150\n")
    again = City.open(city.folder, clock=clock)

    second = again.configuration()

    assert (first.number, second.number) == (1, 2)
    assert second.content["plugins"]["yard"]["prices"] == {"ticket_fen": 150}
    with reading(again.engine) as conn:
        assert [find_configuration(conn, number) for number in (1, 2, 3)] == [first, second, None]
    again.close()


def test_a_blacklist_that_is_published_is_a_new_number(city):
    city.configuration()
    card = city.issuing.card("01019901000000000001", "yard-pass", date(2018, 9, 1))
    with writing(city.engine) as conn:
        registry.add_cards(conn, [card])
        registry.blacklist_cards(conn, [card.asn], reason="lost")
        registry.publish_blacklist(conn)

    found = city.configuration()

    assert (found.number, found.content["blacklist"]) == (2, 1)


def test_another_city_is_told_with_its_days(city):
    assert served_issuers(city.configuration().content) == ()
    facts = {"code": "9902", "name": "West", "issuers": ("01019902FFFFFFFF",)}
    first, last = date(2018, 9, 1), date(2018, 9, 30)
    with writing(city.engine) as conn:
        registry.add_city(conn, registry.OtherCity(**facts, valid_from=first))
    served = ServedIssuer(issuer="01019902FFFFFFFF", first=first)
    assert (city.configuration().number, served_issuers(city.configuration().content)) == (2, (served,))
    with writing(city.engine) as conn:
        registry.remove_city(conn, "9902", last)
    found = city.configuration()
    assert (found.number, served_issuers(found.content)) == (3, (attrs.evolve(served, last=last),))


def test_a_district_that_switches_a_plugin_off_is_told(city):
    city.plugins.disable("yard", by="a test", district="nanshan")

    assert city.configuration().content["enabled"]["districts"] == {"nanshan": {"yard": False}}


def test_a_switch_that_is_taken_back_is_told_under_a_new_number(city):
    city.plugins.disable("yard", by="a test", district="nanshan")
    before = city.configuration().number

    city.plugins.reset("yard", district="nanshan")

    told = city.configuration()
    assert (told.number, told.content["enabled"]["districts"]) == (before + 1, {})


def test_processes_that_publish_together_publish_once(city, other):
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda each: each.configuration(), [city, other]))

    assert [each.number for each in found] == [1, 1]


def test_what_was_published_stays(city):
    city.configuration()
    with pytest.raises(DatabaseError, match="append-only"), writing(city.engine) as conn:
        conn.execute(text("UPDATE terminal_configuration SET digest = ''"))


def test_a_terminal_can_check_its_configuration_and_no_other_can(city):
    found = city.configuration()
    mac = city.vault.terminal_mac(bytes.fromhex(TERMINAL), found.signed_bytes)

    assert city.sam(TERMINAL).sign_batch(found.signed_bytes) == mac
    assert city.vault.check_terminal_mac(bytes.fromhex(TERMINAL), found.signed_bytes, mac)
    assert not city.vault.check_terminal_mac(bytes.fromhex("990100000002"), found.signed_bytes, mac)


def test_what_is_signed_is_not_a_batchs_digest(city):
    found = city.configuration()

    assert found.signed_bytes.endswith((1).to_bytes(4, "big") + bytes.fromhex(found.digest))
    assert len(found.signed_bytes) > len(bytes.fromhex(found.digest))
