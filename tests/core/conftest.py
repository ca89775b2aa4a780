"""A plugin on disk that has card products: tests of the core run where no domain is installed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

BAZAAR = Path(__file__).parent / "data" / "bazaar"


@pytest.fixture
def bazaar(monkeypatch):
    """Install the bazaar, for this process and for those that a test starts."""
    monkeypatch.syspath_prepend(str(BAZAAR))
    paths = [str(BAZAAR), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
