"""The software MIFARE Classic: what it grants, refuses and keeps."""

from __future__ import annotations

from itertools import product

import pytest

from citycard.errors import PowerLoss, SectorCardInvalid, SectorImageInvalid
from citycard.mifare.access import DATA_RIGHTS, TRAILER_RIGHTS, AccessBits, KeyKind, Right
from citycard.mifare.card import TRANSPORT_KEY, RefusedError, SectorCard
from citycard.mifare.geometry import CardType
from citycard.mifare.value import LARGEST, SMALLEST, ValueBlock

A, B = b"AAAAAA", b"BBBBBB"
DATA = bytes(range(16))


def opened(card, block, key=KeyKind.A, secret=TRANSPORT_KEY):
    card.power_on()
    card.authenticate(block, key, secret)
    return card


def fixed(card, conditions, content=DATA):
    """Give sector 1 these access conditions, the keys A and B, and a content in block 4."""
    opened(card, 4).write(4, content)
    card.write(7, A + AccessBits(conditions).encode() + b"\x69" + B)
    return card


def allowed(action):
    try:
        action()
    except RefusedError:
        return False
    return True


def test_a_new_card_has_transport_keys_and_access_bits(blank):
    card = opened(blank, 7)
    assert card.read(7).hex().upper() == "000000000000FF078069FFFFFFFFFFFF"
    assert card.read(4) == bytes(16)


def test_block_0_shows_the_uid_its_check_byte_and_the_chip_and_is_never_written(blank):
    card = opened(blank, 0)
    assert card.read(0)[:8] == bytes.fromhex("0102030404080400")
    assert not allowed(lambda: card.write(0, DATA))
    assert opened(card, 0).read(0)[:4] == bytes.fromhex("01020304")


def test_a_uid_of_seven_bytes_is_a_uid():
    assert (
        SectorCard.blank(bytes.fromhex("04112233445566"), CardType.CLASSIC_4K).uid.hex() == "04112233445566"
    )
    with pytest.raises(SectorCardInvalid, match="uid"):
        SectorCard.blank(b"12345")


@pytest.mark.parametrize("condition", range(8))
@pytest.mark.parametrize("key", KeyKind)
def test_every_data_condition_grants_exactly_what_the_table_says(blank, condition, key):
    rights = DATA_RIGHTS[condition][key is KeyKind.B]
    value = ValueBlock(value=100, address=4).encode()
    card = fixed(blank, (condition, 0, 0, 0b011), value)

    def acts(action):
        return allowed(lambda: action(opened(card, 4, key, A if key is KeyKind.A else B)))

    assert acts(lambda card: card.read(4)) is (Right.READ in rights)
    assert acts(lambda card: card.write(4, value)) is (Right.WRITE in rights)
    assert acts(lambda card: card.increment(4, 1)) is (Right.INCREMENT in rights)
    assert acts(lambda card: card.decrement(4, 1)) is (Right.DECREMENT in rights)
    assert acts(lambda card: card.restore(4)) is (Right.DECREMENT in rights)


@pytest.mark.parametrize("condition", range(8))
@pytest.mark.parametrize("key", KeyKind)
def test_every_trailer_condition_changes_and_shows_exactly_what_the_table_says(blank, condition, key):
    card = fixed(blank, (0, 0, 0, condition))
    rights = (
        Right.NONE
        if card_has_open_b(condition) and key is KeyKind.B
        else TRAILER_RIGHTS[condition][key is KeyKind.B]
    )
    secret = A if key is KeyKind.A else B
    before = card.memory.block(7)
    new = b"NEWKEY" + AccessBits((0, 0, 0, 0b110)).encode() + b"\x42" + b"newkey"
    shown = {}
    if allowed(lambda: shown.update(data=opened(card, 7, key, secret).read(7))):
        assert Right.READ_BITS in rights
        assert shown["data"][:6] == bytes(6)
        assert shown["data"][6:10] == before[6:10]
        assert shown["data"][10:] == (B if Right.READ_B in rights else bytes(6))
    else:
        assert Right.READ_BITS not in rights
    written = allowed(lambda: opened(card, 7, key, secret).write(7, new))
    after = card.memory.block(7)
    assert after[:6] == (new if Right.WRITE_A in rights else before)[:6]
    assert after[6:10] == (new if Right.WRITE_BITS in rights else before)[6:10]
    assert after[10:] == (new if Right.WRITE_B in rights else before)[10:]
    assert written is bool(rights & (Right.WRITE_A | Right.WRITE_BITS | Right.WRITE_B))


def card_has_open_b(condition):
    return Right.READ_B in TRAILER_RIGHTS[condition][0]


def test_access_bits_that_contradict_themselves_close_the_sector_for_good(blank):
    card = opened(blank, 4)
    card.write(7, A + bytes.fromhex("FF078169") + B)
    for block, key in product(range(4, 8), ((KeyKind.A, A), (KeyKind.B, B))):
        assert not allowed(lambda block=block, key=key: opened(card, block, *key).read(block))


def test_a_wrong_key_and_every_refusal_end_the_authentication(blank):
    card = opened(blank, 4)
    assert not allowed(lambda: card.authenticate(4, KeyKind.A, A))
    assert not allowed(lambda: card.read(4))
    card = opened(card, 4)
    assert not allowed(lambda: card.read(8))
    assert not allowed(lambda: card.read(4))


def test_without_power_there_is_no_answer_and_power_off_forgets_everything(blank):
    with pytest.raises(PowerLoss):
        blank.authenticate(4, KeyKind.A, TRANSPORT_KEY)
    card = opened(blank, 4)
    card.power_off()
    card.power_on()
    assert not allowed(lambda: card.read(4))


def test_values_change_only_with_transfer(blank):
    card = opened(blank, 4)
    card.write(4, ValueBlock(value=100, address=9).encode())
    card.decrement(4, 30)
    assert ValueBlock.decode(card.read(4)).value == 100
    card.transfer(4)
    card.increment(4, 5)
    card.transfer(5)
    assert [ValueBlock.decode(card.read(block)).value for block in (4, 5)] == [70, 75]
    assert ValueBlock.decode(card.read(5)).address == 9


def test_there_is_nothing_to_transfer_after_a_new_field(blank):
    card = opened(blank, 4)
    card.write(4, ValueBlock(value=1).encode())
    card.restore(4)
    assert not allowed(lambda: opened(card, 4).transfer(4))


@pytest.mark.parametrize(("held", "change"), [(LARGEST, 1), (SMALLEST, -1), (0, LARGEST + 1)])
def test_a_value_never_overflows(blank, held, change):
    card = opened(blank, 4)
    card.write(4, ValueBlock(value=held).encode())
    change_it = card.increment if change > 0 else card.decrement
    assert not allowed(lambda: change_it(4, abs(change)))
    assert ValueBlock.decode(opened(card, 4).read(4)).value == held


def test_what_is_no_value_block_is_not_counted_with(blank):
    card = opened(blank, 4)
    card.write(4, DATA)
    assert not allowed(lambda: card.increment(4, 1))


def test_a_torn_write_leaves_half_a_block_and_a_clean_cut_leaves_the_old_one(blank):
    card = opened(blank, 4)
    card.write(4, b"o" * 16)
    card.memory.cut_after(0, torn=True)
    with pytest.raises(PowerLoss):
        card.write(4, b"n" * 16)
    assert opened(card, 4).read(4) == b"n" * 8 + bytes((ord("n") ^ 0xFF,)) + b"o" * 7
    card.memory.cut_after(0)
    with pytest.raises(PowerLoss):
        card.write(4, b"x" * 16)
    assert opened(card, 4).read(4)[:8] == b"n" * 8


@pytest.mark.parametrize("kind", CardType)
def test_an_image_brings_the_card_back_without_power(kind):
    card = opened(SectorCard.blank(bytes.fromhex("04112233445566"), kind), kind.blocks - 2)
    card.write(kind.blocks - 2, DATA)
    again = SectorCard.from_image(card.image())
    assert (again.kind, again.uid, again.image()) == (kind, card.uid, card.image())
    with pytest.raises(PowerLoss):
        again.read(4)


def test_damaged_images_are_refused(blank):
    image = blank.image()
    for wrong in (b"", b"CCIM" + image[4:], image[:-1], image[:-1] + b"\x01"):
        with pytest.raises(SectorImageInvalid):
            SectorCard.from_image(wrong)
