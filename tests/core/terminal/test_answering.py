from __future__ import annotations

import pytest

from citycard.terminal.answering import whole_answer


class Said:
    """Answer in a given order and keep what was asked."""

    def __init__(self, *answers: str) -> None:
        self._answers = iter(answers)
        self.asked: list[str] = []

    def __call__(self, apdu: bytes) -> bytes:
        self.asked.append(apdu.hex().upper())
        return bytes.fromhex(next(self._answers))


@pytest.mark.parametrize(
    ("answers", "asked", "whole"),
    [
        (["AABB9000"], ["00B0970002"], "AABB9000"),
        (["6C02", "AABB9000"], ["00B0970040", "00B0970002"], "AABB9000"),
        (["6102", "AABB9000"], ["8070000001AA", "00C0000002"], "AABB9000"),
        (["6104", "AA6103", "BBCCDD9000"], ["8070000001AA", "00C0000004", "00C0000003"], "AABBCCDD9000"),
        (["6104", "6C02", "AABB9000"], ["8070000001AA", "00C0000004", "00C0000002"], "AABB9000"),
        (["9302"], ["8072000004AABBCCDD"], "9302"),
    ],
)
def test_an_answer_in_pieces_is_put_together(answers, asked, whole):
    card = Said(*answers)
    assert whole_answer(card, bytes.fromhex(asked[0])).hex().upper() == whole
    assert card.asked == asked


def test_a_command_with_data_is_never_sent_twice():
    # A purchase that was counted must not be counted again because of an answer's length.
    card = Said("6C08")
    assert whole_answer(card, bytes.fromhex("8070000001AA09")).hex().upper() == "6C08"


def test_a_card_that_never_comes_to_an_end_is_left():
    card = Said(*["6101"] * 40)
    assert whole_answer(card, bytes.fromhex("8070000001AA")).hex().upper() == "6101"
    assert len(card.asked) <= 20
