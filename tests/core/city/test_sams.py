"""SAMs of a real city: made in a chip, used at a terminal, given new keys while it is open, revoked."""

from __future__ import annotations

from datetime import date

import pytest

from citycard import registry
from citycard.errors import (
    CardRemoved,
    PersonalisationFailed,
    RegistryMissing,
    SamMismatch,
    SamRevoked,
    SamTaken,
)
from citycard.keys.greylock import grey_lock_mac1, grey_session_key
from citycard.psam import Psam
from citycard.registry.sams import SamStatus
from citycard.store import writing
from citycard.terminal import CardSam, InProcessReader
from citycard.terminal.greysam import CardGreySam

TERMINAL, SECOND = "990100000001", "990100000002"
NUMBER = "00009901990100000001"
ASN8 = bytes.fromhex("9901000000000001")


@pytest.fixture
def town(city):
    with writing(city.engine) as conn:
        registry.add_partners(conn, [registry.Partner(id="bus", name="Bus")])
        registry.add_terminals(
            conn,
            [
                registry.Terminal(number=number, partner="bus", opened_on=date(2018, 9, 1))
                for number in (TERMINAL, SECOND)
            ],
        )
    return city


@pytest.fixture
def psam():
    return Psam.blank()


def question(version: int = 1):
    return bytes(4), 7, 250, 6, bytes.fromhex("20180901090000"), version, 0, ASN8


def test_a_sam_is_made_and_says_what_the_citys_software_sam_says(town, psam):
    made = town.sams.issue(TERMINAL, InProcessReader(psam), actor="li")
    assert (made.number, made.terminal, made.status) == (NUMBER, TERMINAL, SamStatus.ISSUED)
    assert made.keys == {"batch": (1,), "purchase": (1,), "sam": (1,)}
    hard, soft = CardSam(InProcessReader(psam)), town.sam(TERMINAL)
    assert hard.init_for_purchase(*question()) == soft.init_for_purchase(*question())
    assert hard.sign_batch(bytes(32)) == soft.sign_batch(bytes(32))
    assert town.sams.number_of(InProcessReader(psam)) == NUMBER


def test_an_interrupted_issue_goes_on(town, psam):
    for writes in (3, 40, 90):
        psam.eeprom.cut_after(writes)
        with pytest.raises(CardRemoved):
            town.sams.issue(TERMINAL, InProcessReader(psam))
    psam.eeprom.cut_after(None)
    town.sams.issue(TERMINAL, InProcessReader(psam))
    assert CardSam(InProcessReader(psam)).init_for_purchase(*question())[0] == 1
    assert [step.what for step in town.sams.history(NUMBER)] == ["issued", "keys"]


def test_a_terminal_that_is_not_registered_gets_none(town, psam):
    with pytest.raises(RegistryMissing):
        town.sams.issue("990100000009", InProcessReader(psam))
    assert town.sams.held() == []


def test_a_terminal_does_not_get_a_second_number(town, psam):
    town.sams.issue(TERMINAL, InProcessReader(psam))
    with pytest.raises(SamTaken):
        town.sams.issue(TERMINAL, InProcessReader(Psam.blank()), number="00009901000000000077")


def test_a_sam_in_use_is_not_made_the_sam_of_another_terminal(town, psam):
    town.sams.issue(TERMINAL, InProcessReader(psam))
    with pytest.raises(PersonalisationFailed):
        town.sams.issue(SECOND, InProcessReader(psam))


def test_an_open_terminal_gets_a_new_key_version_without_another_sam(town, psam):
    town.sams.issue(TERMINAL, InProcessReader(psam))
    hard, soft = CardSam(InProcessReader(psam)), town.sam(TERMINAL)
    hard.init_for_purchase(*question())
    soft.init_for_purchase(*question())
    town.vault.roll("purchase")
    updated = town.sams.update(NUMBER, InProcessReader(psam))
    soft.load(town.vault.sam_keys())
    assert updated.keys["purchase"] == (1, 2)
    # The update reset the SAM under the terminal's hands: it comes back by itself, and its serial goes on.
    assert hard.init_for_purchase(*question(2)) == soft.init_for_purchase(*question(2))
    assert hard.init_for_purchase(*question(1)) == soft.init_for_purchase(*question(1))
    assert hard.serial == 3


def test_only_the_sam_that_is_meant_is_updated(town, psam):
    town.sams.issue(TERMINAL, InProcessReader(psam))
    other = Psam.blank()
    town.sams.issue(SECOND, InProcessReader(other))
    with pytest.raises(SamMismatch, match=NUMBER):
        town.sams.update(NUMBER, InProcessReader(other))


def test_a_sam_for_blocking_holds_the_maintenance_key_and_keeps_getting_it(town, psam):
    made = town.sams.issue(TERMINAL, InProcessReader(psam), blocking=True)
    assert made.keys["maintenance"] == (1,)
    town.vault.roll("maintenance")
    assert town.sams.update(NUMBER, InProcessReader(psam)).keys["maintenance"] == (1, 2)
    psam.power_on()
    psam.transmit(bytes.fromhex("00A40000028011"))
    assert psam.transmit(bytes.fromhex("801A250108") + ASN8) == b"\x90\x00"


def test_a_sam_for_fuel_locks_with_the_cards_purchase_key(town, psam):
    made = town.sams.issue(TERMINAL, InProcessReader(psam), fuel=True)
    assert made.keys["grey-lock"] == made.keys["purchase"] == (1,)
    town.vault.roll("purchase")
    assert town.sams.update(NUMBER, InProcessReader(psam)).keys["grey-lock"] == (1, 2)
    CardSam(InProcessReader(psam))  # selects the application
    pump = CardGreySam(InProcessReader(psam), TERMINAL)
    number, random, mac1 = pump.init_for_grey_lock(bytes(4), 7, 9_000, 0x92, *question(2)[4:])
    card_key = town.vault.card_key("purchase", ASN8, 2)
    session = grey_session_key(card_key, bytes(4), 7, number, random)
    assert mac1 == grey_lock_mac1(session, 0x92, bytes.fromhex(TERMINAL), question()[4])


def test_a_sam_is_in_use_when_its_terminal_was_configured(town, psam):
    town.sams.issue(TERMINAL, InProcessReader(psam))
    found = town.configuration()
    mac = town.sams.sign_configuration(TERMINAL, found)
    assert town.vault.check_terminal_mac(bytes.fromhex(TERMINAL), found.signed_bytes, mac)
    assert town.sams.find(NUMBER).status is SamStatus.IN_USE


def test_a_terminal_whose_sam_is_revoked_gets_no_configuration_and_no_keys(town, psam):
    town.sams.issue(TERMINAL, InProcessReader(psam))
    revoked = town.sams.revoke(NUMBER, reason="stolen", actor="li")
    assert revoked.revoked_at == town.clock.now()
    with pytest.raises(SamRevoked):
        town.sams.sign_configuration(TERMINAL, town.configuration())
    with pytest.raises(SamRevoked):
        town.sams.update(NUMBER, InProcessReader(psam))
    with pytest.raises(SamRevoked):
        town.sams.issue(TERMINAL, InProcessReader(Psam.blank()))


def test_a_terminal_with_a_sam_in_software_is_configured_as_ever(town):
    assert len(town.sams.sign_configuration(SECOND, town.configuration())) == 16


def test_a_purchase_key_that_waits_is_loaded_after_its_roll_over_and_not_before(town, psam):
    town.vault.put("purchase", bytes(range(16)))
    assert town.sams.issue(TERMINAL, InProcessReader(psam)).keys["purchase"] == (1,)
    town.vault.roll("purchase")
    assert town.sams.update(NUMBER, InProcessReader(psam)).keys["purchase"] == (1, 2)
