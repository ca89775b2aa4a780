from __future__ import annotations

import pytest

from citycard.card.codec import layout_of
from citycard.errors import CodecError
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
