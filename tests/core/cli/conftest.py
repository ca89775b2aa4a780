"""The town that the tests of clearing play, for the commands over it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

_SPEC = importlib.util.spec_from_file_location(
    "clearing_town", Path(__file__).parents[1] / "clearing" / "conftest.py"
)
_TOWN = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_TOWN)
town, towns_of = _TOWN.town, _TOWN.towns_of
