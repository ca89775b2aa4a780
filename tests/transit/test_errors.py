"""Everything that errors of transit say to a reader is there in Chinese."""

from __future__ import annotations

import citycard_transit
from citycard.testing.errorwords import ErrorWordsContract


class TestErrorWords(ErrorWordsContract):
    package = citycard_transit
