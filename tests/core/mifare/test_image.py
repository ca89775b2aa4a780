"""Saved sector cards, byte for byte."""

from __future__ import annotations

from citycard.mifare.geometry import CardType
from citycard.mifare.image import is_sector_image, read_image, write_image


def test_an_image_starts_with_type_and_checksum():
    image = write_image(CardType.CLASSIC_1K, 4, bytes(1024))
    assert image[:12].hex().upper() == "43435349" + "01" + "0001" + "04" + "EFB5AF2E"
    assert read_image(image) == (CardType.CLASSIC_1K, 4, bytes(1024))
    assert is_sector_image(image)
    assert not is_sector_image(b"CCIM")
