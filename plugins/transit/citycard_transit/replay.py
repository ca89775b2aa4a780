"""A morning from the first tap to the bank: open, play, hand in, clear, settle. It may be broken off anywhere.

A play writes what it came to in one step, before any of it goes into the city: batches, cards, draft. From then
on it is only handed in, and every step of that may be repeated. Before that step nothing has happened.
"""

from __future__ import annotations

import json
import resource
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from citycard.clearing.intake import receive
from citycard.clearing.run import clear
from citycard.store import reading
from citycard.wallet.loadbook import loads_of
from citycard_transit.cardbox import TerminalState, read_box, write_box, write_whole
from citycard_transit.errors import TransitOff
from citycard_transit.opening import known_products, open_all
from citycard_transit.play import Outcome, Stage, play
from citycard_transit.products import infer
from citycard_transit.services import Fares
from citycard_transit.summary import Played, Summary
from citycard_transit.taps import BadRow, Tap, Taps

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["replay"]

Progress = Callable[[Sequence[Tap]], Iterable[Tap]]
