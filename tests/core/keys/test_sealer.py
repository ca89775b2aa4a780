"""What is sealed opens again, and nothing else does."""

import pytest

from citycard.errors import SealBroken
from citycard.keys.hierarchy import purpose_factor
from citycard.keys.sealer import AesGcmSealer, seal_factor


def test_sealed_data_opens_and_changed_data_does_not():
    sealer = AesGcmSealer(bytes(32))
    sealed = sealer.seal(b"Wang Wei")
    assert sealer.open(sealed) == b"Wang Wei"
    for broken in (b"", sealed[:-1], sealed[:-1] + bytes([sealed[-1] ^ 1])):
        with pytest.raises(SealBroken):
            sealer.open(broken)


def test_the_factor_of_a_name_is_no_factor_of_a_purpose():
    made = seal_factor("load")
    assert len(made) == 32
    assert made[0] == made[16] == 0
    assert purpose_factor("load", 1)[0] == 1
    assert seal_factor("registry") != made
