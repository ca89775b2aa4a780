"""Card profiles: files fit their layouts, and personalisation writes records that fit the files."""

from __future__ import annotations

import datetime as dt

import pytest

from citycard.card import (
    CARD_PROFILES,
    CardIdentity,
    CardProduct,
    SectorLayout,
    allocate,
    encode,
    layout,
    layout_of,
    raw,
)
from citycard.errors import SectorInvalid

IDENTITY = CardIdentity(
    issuer="8475310000000000",
    asn="03105170070104791381",
    start=dt.date(2024, 1, 1),
    expiry=dt.date(2034, 1, 1),
    city="3100",
)
every_profile = pytest.mark.parametrize("profile", CARD_PROFILES.values(), ids=CARD_PROFILES.keys())


@layout(size=4)
class Visit:
    body: bytes = raw(4)


@every_profile
def test_a_file_and_its_layout_have_one_size(profile):
    for file in (*profile.root_files, *profile.files):
        if file.record is not None:
            assert layout_of(file.record).size == (file.record_size or file.size)


@every_profile
def test_personalisation_fills_whole_files_of_the_card(profile):
    contents = profile.contents(IDENTITY)
    for files, records in ((profile.root_files, contents.root), (profile.files, contents.application)):
        sizes = {file.fid: file.size for file in files}
        assert {fid: len(encode(record)) for fid, record in records.items()} == {
            fid: sizes[fid] for fid in records
        }


@every_profile
def test_the_number_of_the_card_is_on_it(profile):
    contents = profile.contents(IDENTITY)
    written = b"".join(
        encode(record) for records in (contents.root, contents.application) for record in records.values()
    )
    assert bytes.fromhex(IDENTITY.asn[-16:]) in written


@every_profile
def test_sectors_have_room_and_a_header_of_the_cards_own_size(profile):
    file = profile.file(profile.sector_sfi)
    assert profile.sector_room <= file.size
    place = allocate(
        CardProduct(name="adult"), [SectorLayout(name="bus", record=Visit)], profile=profile
    ).place("bus")
    record = place.wrap(b"1234", profile.sector_id_size)
    assert len(record) == profile.sector_id_size + 1 + 4
    assert record[profile.sector_id_size] == 4
    assert place.unwrap(record, profile.sector_id_size) == b"1234"
    with pytest.raises(SectorInvalid, match="record 1 starts with"):
        place.unwrap(b"\x09" + record[1:], profile.sector_id_size)
