"""Real readers, and software cards that any PC/SC program takes for real ones (docs/pcsc.md).

- ``reader``: a PC/SC reader for a terminal. ``context``, ``library``, ``worker``: the service behind it, with
  time-outs. ``exchange``: T=0 in one place. ``trace``: what went over the air. ``watch``: hot plug.
- ``slot``: a software card in a slot of the virtual reader. ``wire``: how the two speak. ``readerconf``: what
  pcscd must know.

Nothing here needs pyscard before a reader is used.
"""

from __future__ import annotations

from citycard.pcsc.context import list_readers
from citycard.pcsc.reader import PcscReader
from citycard.pcsc.slot import VpcdSlot
from citycard.pcsc.trace import TracedReader
from citycard.pcsc.watch import ReaderEvent, ReaderWatch

__all__ = ["PcscReader", "ReaderEvent", "ReaderWatch", "TracedReader", "VpcdSlot", "list_readers"]
