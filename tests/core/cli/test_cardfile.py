"""Every kind of software card comes back from its file as what it was."""

from __future__ import annotations

import attrs
import pytest

from citycard.chip import PROFILES, Chip
from citycard.cli.cardfile import CardFile, chip_file, read_card_file, write_card_file
from citycard.errors import CardFileInvalid, CardKindUnknown
from citycard.keys import Algorithm
from citycard.mifare.card import SectorCard
from citycard.mifare.pseudo import PseudoReader
from citycard.psam import Psam


def kept(card, tmp_path):
    write_card_file(tmp_path / "card", card)
    return read_card_file(tmp_path / "card")


def test_a_chip_comes_back_with_its_make_and_algorithms(tmp_path):
    profile = attrs.evolve(PROFILES["fmcos"], algorithms=(Algorithm.AES,))
    file = chip_file(Chip.blank(profile, transport=True), "fmcos")
    again = kept(file, tmp_path)

    assert again == file
    assert again.card().profile == profile


@pytest.mark.parametrize(
    ("card", "kind"),
    [(Psam.blank(), Psam), (SectorCard.blank(bytes(4)), PseudoReader), (Chip.blank(), Chip)],
)
def test_a_bare_image_says_itself_what_it_is(card, kind, tmp_path):
    (tmp_path / "bare").write_bytes(card.image())
    woken = read_card_file(tmp_path / "bare").card()

    assert type(woken) is kind
    assert woken.image() == card.image()
    assert woken.power_on() == woken.atr


def test_a_sam_and_a_sector_card_are_kept_too(tmp_path):
    for file in (
        CardFile(kind="psam", profile="psam-transit", image=Psam.blank().image()),
        CardFile(kind="sector", image=SectorCard.blank(bytes(4)).image()),
    ):
        assert kept(file, tmp_path) == file


@pytest.mark.parametrize("cut", [3, 5, 20])
def test_a_damaged_file_is_told(tmp_path, cut):
    write_card_file(tmp_path / "card", chip_file(Chip.blank(), "t-union"))
    (tmp_path / "card").write_bytes((tmp_path / "card").read_bytes()[:cut])
    with pytest.raises(CardFileInvalid, match="citycard chip new"):
        read_card_file(tmp_path / "card")


def test_a_make_that_is_not_known_is_told():
    with pytest.raises(CardKindUnknown, match="psam-transit"):
        CardFile(kind="psam", profile="psam-mars", image=b"").card()


def test_no_key_is_in_what_is_printed_of_a_card_file():
    assert "image" not in repr(chip_file(Chip.blank(transport=True), "t-union"))
