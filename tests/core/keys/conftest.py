"""A vault with known keys, so that tests can compute by hand what it answers."""

import pytest

from citycard.keys import CORE_PURPOSES, KeyHierarchy, Vault
from citycard.keys.versions import KeyVersions

ROOT = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
CITY = bytes.fromhex("5840000000000001")


@pytest.fixture
def hierarchy():
    """Return the keys that ``vault`` holds, in the open."""
    return KeyHierarchy.from_root(ROOT, CITY)


@pytest.fixture
def vault(hierarchy):
    """Return a vault in memory."""
    versions = KeyVersions()
    versions.ensure(CORE_PURPOSES)
    return Vault(hierarchy.city_key(), versions)
