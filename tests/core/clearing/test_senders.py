"""A sender has an id that a cover can name, and one key."""

from __future__ import annotations

import pytest

from citycard.clearing.senders import open_sender, senders
from citycard.errors import SenderIdInvalid, SenderKeyInvalid, SenderTaken
from citycard.keys.protocol import draw_signer, public_pem

KEY = public_pem(draw_signer()).encode()


@pytest.mark.parametrize("name", ["", "-office", "Metro", "x" * 33, "metro office", "metro\n", "站"])
def test_an_id_that_no_cover_can_name_is_refused(town, name):
    with pytest.raises(SenderIdInvalid, match="expected 1 to 32 small letters"):
        open_sender(town, name, "metro", KEY)
    assert senders(town) == []


def test_what_stands_around_a_key_is_no_part_of_it(town):
    around = "给地铁的密钥\n".encode() + KEY + b"x" * 500
    assert open_sender(town, "office", "metro", around) == open_sender(town, "office", "metro", KEY)
    assert senders(town)[0].public_key.encode() == KEY
    with pytest.raises(SenderTaken):
        open_sender(town, "office", "metro", public_pem(draw_signer()).encode())


def test_what_is_no_ed25519_key_is_refused(town):
    for odd in (b"", b"\xff", KEY.replace(b"MCow", b"MCox")):
        with pytest.raises(SenderKeyInvalid):
            open_sender(town, "office", "metro", odd)
