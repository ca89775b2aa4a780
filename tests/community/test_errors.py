"""Everything that errors of a community say to a reader is there in Chinese."""

from __future__ import annotations

import citycard_community
from citycard.testing.errorwords import ErrorWordsContract


class TestErrorWords(ErrorWordsContract):
    package = citycard_community
