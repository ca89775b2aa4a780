"""Everything that errors of utilities say to a reader is there in Chinese."""

from __future__ import annotations

import citycard_utilities
from citycard.testing.errorwords import ErrorWordsContract


class TestErrorWords(ErrorWordsContract):
    package = citycard_utilities
