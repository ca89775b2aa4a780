"""Everything that errors of city hall say to a reader is there in Chinese."""

from __future__ import annotations

import citycard_egov
from citycard.testing.errorwords import ErrorWordsContract


class TestErrorWords(ErrorWordsContract):
    package = citycard_egov
