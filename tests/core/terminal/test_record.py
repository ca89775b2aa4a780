from __future__ import annotations

from pathlib import Path

import pytest

from citycard.card.codec import layout_of
from citycard.card.describe import describe
from citycard.errors import CodecError
from citycard.terminal.batch import BatchHeader, BatchTrailer
from citycard.terminal.record import MAC_OFFSET, TransactionRecord, read_record


def test_the_mac_covers_everything_before_it() -> None:
    fields = {field.name: field.offset for field in layout_of(TransactionRecord).fields}
    assert fields["mac"] == MAC_OFFSET
    assert fields["facts"] + 48 == MAC_OFFSET
    assert layout_of(TransactionRecord).size == 128


@pytest.mark.parametrize("data", [b"", bytes(128), bytes(127), b"\xff" * 128])
def test_bytes_that_are_no_record_are_refused(data: bytes) -> None:
    with pytest.raises(CodecError, match="TransactionRecord"):
        read_record(data)


@pytest.mark.parametrize("cls", [TransactionRecord, BatchHeader, BatchTrailer])
def test_the_page_shows_the_layouts_as_they_are(cls: type) -> None:
    page = Path(__file__).parents[3] / "docs" / "terminal.md"
    assert describe(cls) in page.read_text(encoding="utf-8")
