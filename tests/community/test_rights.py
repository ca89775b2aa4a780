"""Rights on a card: signed for one card, laid into slots, and nothing of them can be changed."""

import datetime as dt

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.card.codec import decode, encode, evolve
from citycard_community.errors import SlotsFull
from citycard_community.rights import card_rights, good_rights, rights_on, sign
from citycard_community.sectors import RIGHT_SIZE, SLOTS, CardRights, Right, RightKind

ASN, OTHER = "01019901000000000001", "01019901000000000002"
TODAY = dt.date(2026, 3, 2)
KEYS = {1: bytes(range(16)), 2: bytes(range(1, 17))}


def key(version):
    return KEYS.get(version)


def right(serial=1, **more):
    made = {"kind": RightKind.OWNER, "community": 7, "zones": 3, "starts_on": TODAY, "ends_on": TODAY}
    return Right(serial=serial, **(made | more))


def test_a_signed_right_is_good_for_its_card_alone():
    signed = sign(right(), ASN, key, 2)
    record = card_rights([signed], ASN, TODAY)
    assert good_rights(record, ASN, key) == [signed]
    assert good_rights(record, OTHER, key) == []
    assert good_rights(record, ASN, key, {1}) == []
    assert good_rights(record, ASN, lambda version: KEYS[1] if version == 1 else None) == []


@given(st.integers(0, RIGHT_SIZE * 8 - 1))
def test_no_bit_of_a_right_can_be_changed(bit):
    data = bytearray(encode(sign(right(), ASN, key, 1)))
    data[bit // 8] ^= 1 << bit % 8
    assert good_rights(CardRights(second=bytes(data)), ASN, key) == []


@given(st.binary(min_size=RIGHT_SIZE * SLOTS, max_size=RIGHT_SIZE * SLOTS))
def test_whatever_is_on_a_card_is_read_and_is_no_right(data):
    record = decode(CardRights, data)
    assert len(rights_on(record)) <= SLOTS
    assert good_rights(record, ASN, key) == []


def test_rights_lie_in_the_order_of_their_serials_and_ended_ones_leave():
    yesterday = TODAY - dt.timedelta(days=1)
    laid = [right(5), right(2), right(9, starts_on=yesterday, ends_on=yesterday)]
    assert [one.serial for one in rights_on(card_rights(laid, ASN, TODAY))] == [2, 5]


def test_a_fifth_right_does_not_fit():
    with pytest.raises(SlotsFull, match="carries 4 rights"):
        card_rights([right(number) for number in range(1, 6)], ASN, TODAY)
    assert len(rights_on(card_rights([right(n) for n in (1, 2, 3, 4, 4)], ASN, TODAY))) == SLOTS


def test_a_version_that_is_rolled_over_is_still_good(estate):
    from citycard_community.rights import KEY, key_of, signing_version

    vault, asn8 = estate.city.vault, bytes.fromhex(ASN)[-8:]
    old = sign(right(), ASN, key_of(vault, asn8), signing_version(vault))
    vault.roll(KEY.name)
    new = sign(right(2), ASN, key_of(vault, asn8), signing_version(vault))
    record = card_rights([old, new], ASN, TODAY)
    assert [one.key_version for one in good_rights(record, ASN, key_of(vault, asn8))] == [1, 2]
    vault.retire(KEY.name, 1)
    assert good_rights(record, ASN, key_of(vault, asn8)) == [new]


def test_an_empty_record_is_zeros():
    assert encode(CardRights()) == bytes(RIGHT_SIZE * SLOTS)
    assert attrs.asdict(evolve(CardRights(), first=encode(right())))["second"] == bytes(RIGHT_SIZE)
