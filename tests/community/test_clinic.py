"""The clinic: a concession for who carries a resident's right, and for nobody else."""

import pytest

from citycard.errors import CardRefused
from citycard.ids import new_id
from citycard_community.clinic import ClinicTill
from citycard_community.errors import TerminalElsewhere
from citycard_community.visits import invite


@pytest.fixture
def resident(estate):
    card = estate.town.card()
    estate.town.load(card, 5_000)
    estate.home(card)
    return card


def test_a_resident_pays_less_once_the_card_says_so(estate, resident):
    clinic = estate.clinic()
    assert clinic.visit(resident.reader, estate.now).amount_fen == 1000
    estate.kiosk().collect(resident.reader, estate.now)
    assert clinic.visit(resident.reader, estate.now).amount_fen == 400
    assert estate.clear("sunrise-clinic").gross_fen == 1400


def test_a_visitor_is_no_resident(estate, resident):
    guest = estate.town.card()
    estate.town.load(guest, 5_000)
    invite(estate.city, estate.settings, new_id(), resident.asn, 1, estate.today, guest.asn)
    estate.kiosk().collect(guest.reader, estate.now)
    assert estate.opens("east", guest) == "visitor"
    assert estate.clinic().visit(guest.reader, estate.now).amount_fen == 1000


def test_who_cannot_pay_is_refused(estate):
    with pytest.raises(CardRefused, match="balance is too small"):
        estate.clinic().visit(estate.town.card().reader, estate.now)


def test_a_clinic_that_nobody_knows_has_no_till(estate):
    with pytest.raises(TerminalElsewhere, match="is no till of clinic 9"):
        ClinicTill(estate.clinic().till, estate.city.vault, 9)
