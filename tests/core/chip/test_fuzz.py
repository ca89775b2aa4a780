"""Whatever bytes come: two status bytes at least, never an exception, and no money without a right MAC."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citycard.chip import Chip
from citycard.chip.commands import COMMANDS

RELAXED = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SHORT = st.binary(max_size=24)
WHATEVER = st.binary(max_size=300)


@st.composite
def plausible(draw):
    """Draw an APDU with a known class and instruction and a right length byte, so that it gets far."""
    head = draw(st.sampled_from(sorted(COMMANDS)))
    parameters = bytes(draw(st.sampled_from([0, 1, 2, 3, 4, 5, 0x80, 0x95, 0x9A, 0xD4, 0xF0])) for _ in "12")
    data = draw(SHORT | st.binary(min_size=128, max_size=128))
    tail = draw(st.sampled_from([b"", b"\x00", b"\x04", b"\x08", b"\x0f", b"\x10"]))
    body = bytes((len(data),)) + data if data else b""
    return head + parameters + body + tail


def purse_of(desk):
    return desk.balance(), desk.counters(), desk.records(0x18), desk.records(0x1E)


@RELAXED
@given(apdu=WHATEVER)
def test_any_bytes_get_an_answer(issued, desk_of, apdu):
    desk = desk_of(issued.clone()).select()
    answer = desk.send(apdu)
    assert isinstance(answer, bytes)
    assert len(answer) >= 2


@RELAXED
@given(apdus=st.lists(plausible(), max_size=12))
def test_any_sequence_leaves_the_purse_alone(issued, desk_of, apdus):
    desk = desk_of(issued.clone()).select()
    desk.load(1000)
    before = purse_of(desk)
    for apdu in apdus:
        answer = desk.send(apdu)
        assert len(answer) >= 2
    desk.select()
    if desk.status("805C000204") != "9303":  # three made-up MACs lock the application, as they should
        assert purse_of(desk) == before


@RELAXED
@given(apdus=st.lists(plausible(), max_size=20))
def test_any_sequence_on_a_blank_card_gets_answers(apdus):
    chip = Chip.blank()
    chip.power_on()
    for apdu in apdus:
        answer = chip.transmit(apdu)
        assert len(answer) >= 2
    assert Chip.from_image(chip.image()).power_on()


@RELAXED
@given(bits=st.integers(0, 4 * 8 - 1), kind=st.sampled_from([1, 3]))
def test_a_mac_with_one_wrong_bit_moves_no_money(issued, desk_of, bits, kind):
    desk = desk_of(issued.clone()).select()
    desk.load(1000)
    before = purse_of(desk)
    right = desk.chip.transmit
    answer = desk.init(kind, 100)

    def spoilt(apdu):
        mac = bytearray(apdu)
        mac[16 + bits // 8] ^= 1 << bits % 8
        return right(bytes(mac))

    desk.send = spoilt
    assert desk.debit(answer, 100, 6 if kind == 1 else 9).hex() == "9302"
    del desk.send
    assert purse_of(desk) == before


@pytest.mark.parametrize("image", [b"", b"CCIM", b"x" * 100])
def test_bytes_that_are_no_card_are_refused(image):
    from citycard.errors import CardImageInvalid

    with pytest.raises(CardImageInvalid):
        Chip.from_image(image)
