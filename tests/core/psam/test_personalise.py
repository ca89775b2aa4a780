from __future__ import annotations

import attrs
import pytest
from tests.core.psam.conftest import IDENTITY, KEYS, MASTER, SEALED, send

from citycard.errors import CardRemoved, PersonalisationFailed
from citycard.psam import TRANSIT_PSAM, Psam, SamKey, load_keys, personalise_sam
from citycard.terminal import InProcessReader

INIT = "80700000 1C 01020304 0007 000000FA 06 20260302081530 {} 00 5170070104791381"


def ready(sam: Psam) -> Psam:
    sam.power_on()
    send(sam, "00A40000028011")
    return sam


def test_the_files_of_an_identity_are_written_as_the_field_reads_them():
    assert IDENTITY.card_file().hex() == "0000000030008900034001010000"
    assert IDENTITY.application_file().hex() == "01" + "01015840ffffffff" * 2 + "2026010120361231"


def test_a_sam_of_another_terminal_is_not_made_over(sam):
    other = attrs.evolve(IDENTITY, terminal="300089000341")
    with pytest.raises(PersonalisationFailed, match="EXTERNAL AUTHENTICATE with status 63C2"):
        personalise_sam(InProcessReader(sam), other, SEALED, MASTER)


def test_an_interrupted_script_is_finished_by_running_it_again():
    most = _count()
    for writes in range(0, most, 5):
        sam = Psam.blank()
        sam.eeprom.cut_after(writes, torn=writes % 2 == 1)
        with pytest.raises(CardRemoved):
            personalise_sam(InProcessReader(sam), IDENTITY, SEALED, MASTER)
        sam.eeprom.cut_after(None)
        personalise_sam(InProcessReader(sam), IDENTITY, SEALED, MASTER)
        assert send(ready(sam), INIT.format("01"))[:8] == "00000001"


def _count() -> int:
    sam = Psam.blank()
    before = sam.eeprom.writes
    personalise_sam(InProcessReader(sam), IDENTITY, SEALED, MASTER)
    return sam.eeprom.writes - before


def test_new_key_versions_go_into_a_sam_in_use_and_the_old_ones_stay(sam):
    send(sam, INIT.format("01"))
    new = [SamKey(usage=0x22, version=2, key=bytes(16)).sealed(MASTER)]
    for _ in range(2):
        load_keys(InProcessReader(sam), new, MASTER)
    assert send(ready(sam), INIT.format("02"))[:8] == "00000002"
    assert send(sam, INIT.format("01"))[:8] == "00000003"


def test_a_sam_takes_no_keys_under_the_transport_key_any_more(sam):
    with pytest.raises(PersonalisationFailed, match="WRITE KEY with status 6988"):
        load_keys(InProcessReader(sam), SEALED[:1], TRANSIT_PSAM.transport_key)


def test_a_t0_sam_is_made_by_the_same_script():
    sam = Psam.blank(attrs.evolve(TRANSIT_PSAM, t0=True))
    personalise_sam(InProcessReader(sam), IDENTITY, SEALED, MASTER)
    sam.power_on()
    assert send(sam, "00A40000028011") == "6116"


def test_keys_show_in_no_text():
    assert repr(KEYS[0]) == "SamKey(usage=34, version=1, algorithm=0)"
