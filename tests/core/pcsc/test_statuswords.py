from __future__ import annotations

import pytest

from citycard.pcsc.statuswords import explain


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("9000", "done"),
        ("63C2", "wrong, 2 tries left"),
        ("6C1E", "wrong Le: 30 is right"),
        ("6108", "8 bytes wait: GET RESPONSE"),
        ("9401", "not enough money on the purse"),
        ("9999", "a status word of this card alone"),
    ],
)
def test_a_status_word_is_said_in_words(status, words):
    assert explain(bytes.fromhex(status)) == words
