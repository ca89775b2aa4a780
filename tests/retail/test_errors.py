"""Everything that errors of retail say to a reader is there in Chinese."""

from __future__ import annotations

import citycard_retail
from citycard.testing.errorwords import ErrorWordsContract


class TestErrorWords(ErrorWordsContract):
    package = citycard_retail
