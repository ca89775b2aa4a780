"""The SoftHSM of tests is found, or its package is named."""

import subprocess

import pytest

from citycard.errors import SoftHsmMissing
from citycard.testing.softhsm import find_module


def test_a_missing_softhsm_is_told_with_its_package(tmp_path):
    with pytest.raises(SoftHsmMissing, match="install the Debian package softhsm2"):
        find_module((str(tmp_path / "libsofthsm2.so"),))


def test_a_made_token_is_listed(softhsm):
    softhsm.token("listed", "135790")
    shown = subprocess.run(["softhsm2-util", "--show-slots"], check=True, capture_output=True, text=True)
    assert "listed" in shown.stdout
