from uuid import UUID

import pytest

from citycard.errors import SealBroken
from citycard.registry.sealing import AesGcmSealer, open_text, seal_text

ONE, TWO = UUID(int=1), UUID(int=2)
KEY = bytes(range(32))


def test_what_is_sealed_can_be_opened_and_never_looks_the_same():
    sealer = AesGcmSealer(KEY)
    first, second = (seal_text(sealer, ONE, "name", "王伟") for _ in range(2))
    assert first != second
    assert "王伟".encode() not in first
    assert open_text(sealer, ONE, "name", first) == open_text(sealer, ONE, "name", second) == "王伟"


@pytest.mark.parametrize(("holder", "field"), [(TWO, "name"), (ONE, "id_number")])
def test_it_cannot_be_passed_off_as_another_field_or_person(holder, field):
    sealer = AesGcmSealer(KEY)
    with pytest.raises(SealBroken, match=f"the sealed {field} of '{holder}' cannot be opened"):
        open_text(sealer, holder, field, seal_text(sealer, ONE, "name", "Wang Wei"))


def test_another_key_or_a_changed_byte_opens_nothing():
    sealed = seal_text(AesGcmSealer(KEY), ONE, "name", "Wang Wei")
    with pytest.raises(SealBroken, match="wrong key"):
        open_text(AesGcmSealer(bytes(32)), ONE, "name", sealed)
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(SealBroken):
            open_text(AesGcmSealer(KEY), ONE, "name", bytes(changed))
    with pytest.raises(SealBroken):
        AesGcmSealer(KEY).open(b"")
