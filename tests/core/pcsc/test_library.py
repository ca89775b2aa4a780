from __future__ import annotations

import sys

import pytest

from citycard.errors import CardRemoved, ReaderBusy, ReaderFailed, ReaderLibraryMissing
from citycard.pcsc.library import failure, scard, unsigned


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (0x80100069, CardRemoved),
        (0x8010000C, CardRemoved),
        (0x8010000B, ReaderBusy),
        (0x80100017, ReaderFailed),
        (0x8010001D, ReaderFailed),
        (0x80100016, CardRemoved),
    ],
)
def test_each_code_is_a_plain_word(code, kind):
    assert type(failure(code, "Reader", "power up")) is kind


def test_codes_are_read_as_the_documentation_prints_them():
    assert unsigned(-2146435043) == 0x8010001D


def test_without_pyscard_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "smartcard", None)
    with pytest.raises(ReaderLibraryMissing, match=r"pip install 'citycard\[pcsc\]'"):
        scard()
