"""Everything that errors of health say to a reader is there in Chinese."""

from __future__ import annotations

import citycard_health
from citycard.testing.errorwords import ErrorWordsContract


class TestErrorWords(ErrorWordsContract):
    package = citycard_health
