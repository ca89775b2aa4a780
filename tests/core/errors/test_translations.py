"""Everything that errors of the core say to a reader is there in Chinese."""

from __future__ import annotations

import citycard
from citycard.testing.errorwords import ErrorWordsContract


class TestErrorWords(ErrorWordsContract):
    package = citycard
    # What readers, chips, vaults and the machine say is shown to whoever runs a command.
    apart = (
        "bench",
        "card",
        "chip",
        "cli",
        "kernel",
        "keys",
        "ledger",
        "mifare",
        "pcsc",
        "psam",
        "simulate",
        "store",
        "terminal",
        "testing",
    )
