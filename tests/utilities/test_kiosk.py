"""The bar code of a slip: read as written, and every slip of the scanner found."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard_utilities.errors import CardFromElsewhere, SlipInvalid
from citycard_utilities.kiosk import Slip, pay_slip

DUE = dt.date(2026, 3, 20)
SLIP = Slip(biller=1, bill="W202602000017", household="H17", amount_fen=1234, due=DUE)


def test_a_slip_is_read_as_it_was_written():
    assert Slip.read(SLIP.barcode) == SLIP
    assert SLIP.barcode.startswith("UB1|1|W202602000017|H17|1234|20260320|")


@given(st.integers(0, 40), st.sampled_from("0123456789AWH|"))
def test_a_letter_that_is_read_wrongly_is_found(place, letter):
    text = SLIP.barcode
    place %= len(text)
    changed = text[:place] + letter + text[place + 1 :]
    if changed == text:
        assert Slip.read(changed) == SLIP
    else:
        with pytest.raises(SlipInvalid):
            Slip.read(changed)


@pytest.mark.parametrize("text", ["", "UB1", "x" * 500, "UB1|1|W|H|0|20260320|00", "UB2|1|W|H|1|20260320|00"])
def test_what_is_no_slip_is_refused(text):
    with pytest.raises(SlipInvalid):
        Slip.read(text)


@pytest.mark.parametrize(
    "change", [{"amount_fen": 0}, {"amount_fen": 2**32}, {"biller": 70_000}, {"bill": "W" * 21}]
)
def test_a_slip_that_no_record_can_hold_is_refused(change):
    with pytest.raises(SlipInvalid):
        Slip.read(attrs.evolve(SLIP, **change).barcode)


def test_a_card_of_another_city_pays_no_bill(town):
    kiosk, guest = town.till(town.terminal(town.partner("kiosk-street"))), town.guest()
    kiosk.refresh()
    with pytest.raises(CardFromElsewhere, match=guest.asn):
        kiosk.serve(guest.reader, town.now, pay_slip(SLIP))
