from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.core.psam.conftest import KEYS, send

from citycard.errors import CardImageInvalid, PowerLoss
from citycard.psam import TRANSIT_PSAM, Psam


@pytest.fixture
def t0(make_sam):
    return make_sam(t0=True)


INIT = "80700000 1C 01020304 0007 000000FA 06 20260302 081530 01 00 5170070104791381"


def test_a_blank_sam_answers_as_its_maker_delivers_it():
    sam = Psam.blank()
    assert sam.power_on().hex().upper() == "3B0643435053414D"
    assert send(sam, "00A40000023F00").endswith("9000")
    assert send(sam, "00B0960006") == "0000000000009000"
    assert send(sam, "00A40000028011") == "6F148410A0000006324D4F542E435053414D3031A5009000"
    assert send(sam, "00B0980004") == "000000009000"


def test_the_atr_is_there_without_power():
    assert Psam.blank().atr == TRANSIT_PSAM.atr


def test_the_files_of_a_sam_stand_where_validators_read_them(sam):
    assert send(sam, "00A40000023F00").endswith("9000")
    assert send(sam, "00B095000A") == "000000003000890003409000"
    assert send(sam, "00B0960006") == "3000890003409000"
    assert send(sam, "00A4040010 A0000006324D4F542E435053414D3031").endswith("9000")
    assert send(sam, "00B0970001") == "019000"
    assert send(sam, "00B0970019") == "01 01015840FFFFFFFF 01015840FFFFFFFF 20260101 20361231 9000".replace(
        " ", ""
    )


@pytest.mark.parametrize(
    ("apdu", "status"),
    [
        ("00D6980004 00000000", "6982"),  # the serial is the SAM's own
        ("00D6970001 02", "6982"),
        ("80E00019 07 2800 10 F0F0FFFF", "6D00"),  # no files after it was made
        ("80D40100 15 3EF0F00100 00112233445566778899AABBCCDDEEFF", "6D00"),  # no key in the clear
        ("00A4000002 00E1", "9000"),
        ("00B2010400", "6D00"),  # the table of keys cannot be read, selected or not
        ("00B0000000", "6981"),
        ("80500102 0B", "6700"),
        ("9070000000", "6E00"),
    ],
)
def test_what_a_sam_refuses(sam, apdu, status):
    if apdu.startswith("00B0"):
        send(sam, "00A400000200E1")
    if apdu == "80500102 0B":
        status = "6D00"  # it is no purse
    assert send(sam, apdu)[-4:] == status


def test_a_saved_sam_goes_on_where_it_was(sam):
    assert send(sam, INIT)[:8] == "00000001"
    again = Psam.from_image(sam.image())
    again.power_on()
    send(again, "00A40000028011")
    assert send(again, INIT)[:8] == "00000002"


def test_a_damaged_image_is_refused(sam):
    with pytest.raises(CardImageInvalid):
        Psam.from_image(sam.image()[:-1])


def test_a_sam_without_power_does_not_answer(sam):
    sam.power_off()
    with pytest.raises(PowerLoss):
        send(sam, "0084000004")


def test_on_t0_an_answer_waits_for_get_response(t0):
    assert send(t0, INIT) == "6108"
    answer = send(t0, "00C0000008")
    assert (answer[:8], answer[-4:]) == ("00000001", "9000")


def test_on_t0_an_answer_can_be_fetched_in_pieces(t0):
    send(t0, INIT)
    assert send(t0, "00C0000004") == "000000016104"
    assert len(send(t0, "00C0000000")) == 2 * (4 + 2)


def test_on_t0_a_wrong_length_is_named_and_the_answer_kept(t0):
    send(t0, INIT)
    assert send(t0, "00C0000010") == "6C08"
    assert send(t0, "00C0000008").endswith("9000")


@pytest.mark.parametrize(
    ("apdu", "status"), [("00C0000008", "6985"), ("00C0010008", "6A86"), ("00C00000", "6700")]
)
def test_on_t0_get_response_without_an_answer_is_refused(t0, apdu, status):
    send(t0, "0084000004")
    assert send(t0, apdu) == status


def test_on_t0_another_command_drops_the_answer(t0):
    send(t0, INIT)
    send(t0, "0084000004")
    assert send(t0, "00C0000008") == "6985"


def test_on_t0_a_read_is_answered_at_once(t0):
    assert send(t0, "00B0970001") == "019000"
    assert send(t0, "00B0970040") == "6C19"


HEADS = ["8070", "8072", "801A", "80FA", "80DE", "80F8", "80FC", "84D4", "E040", "E042", "E044"]


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.builds(
                lambda head, p1, p2, data: bytes.fromhex(head) + bytes((p1, p2, len(data))) + data,
                st.sampled_from(
                    ["8070", "8072", "801A", "80FA", "80DE", "80F8", "80FC", "84D4", "E040", "E042", "E044"]
                ),
                st.sampled_from([0, 1, 4, 5, 7, 0x45, 0x80]),
                st.sampled_from([0, 1, 2]),
                st.binary(max_size=60),
            ),
        ),
        max_size=6,
    )
)
def test_no_command_stops_a_sam_or_brings_out_a_key(make_sam, commands):
    sam = make_sam()
    for apdu in commands:
        answer = sam.transmit(apdu)
        assert len(answer) >= 2
        assert not any(key.key in answer for key in KEYS)
    send(sam, "00A40000028011")
    assert send(sam, INIT)[-4:] == "9000"
