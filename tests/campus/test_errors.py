"""Everything that errors of campus say to a reader is there in Chinese."""

from __future__ import annotations

import citycard_campus
from citycard.testing.errorwords import ErrorWordsContract


class TestErrorWords(ErrorWordsContract):
    package = citycard_campus
