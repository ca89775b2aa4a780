"""Card profiles: files fit their layouts, and personalisation writes records that fit the files."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.card import (
    CARD_PROFILES,
    CardIdentity,
    CardProduct,
    CityUnionApplication,
    EnableFlag,
    SectorLayout,
    allocate,
    encode,
    layout,
    layout_of,
    raw,
)
from citycard.errors import FieldInvalid, SectorInvalid

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


@pytest.mark.parametrize("name", sorted(CARD_PROFILES))
@given(
    digits=st.integers(min_value=0, max_value=10**16 - 1),
    kind=st.integers(min_value=1, max_value=254),
    start=st.dates(min_value=dt.date(2000, 1, 1), max_value=dt.date(2060, 1, 1)),
    enabled=st.sampled_from(EnableFlag),
)
def test_a_terminal_reads_back_what_personalisation_wrote(name, digits, kind, start, enabled):
    profile = CARD_PROFILES[name]
    card = CardIdentity(
        issuer="01015840FFFFFFFF",
        asn=f"0000{digits:016d}",
        start=start,
        expiry=dt.date(2070, 1, 1),
        city="5840",
        kind=kind,
        enabled=enabled,
    )
    contents = profile.contents(card)
    written = {fid: encode(record) for fid, record in {**contents.root, **contents.application}.items()}
    files = {fid: written[fid] for fid in (*profile.identity_root, *profile.identity_files)}
    # PBOC cards say neither a kind nor whether other cities take them, Chongqing's not whether they are on.
    told = {
        "fmcos": {"kind": 0, "interoperable": False},
        "chongqing": {"enabled": EnableFlag.ENABLED},
    }.get(name, {})
    assert profile.identify(files) == attrs.evolve(card, **told)


def test_a_city_union_number_with_a_letter_is_not_read():
    profile = CARD_PROFILES["city-union"]
    record = CityUnionApplication(issuer="0101", city="5840", asn="31000000209150AB", start=None, expiry=None)
    with pytest.raises(FieldInvalid, match="16 decimal digits"):
        profile.identify({0x15: encode(record)})
