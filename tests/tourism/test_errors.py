"""Everything that errors of a venue say to a reader is there in Chinese."""

from __future__ import annotations

import citycard_tourism
from citycard.testing.errorwords import ErrorWordsContract


class TestErrorWords(ErrorWordsContract):
    package = citycard_tourism
