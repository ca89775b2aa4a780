"""Statements: all money of a card or of a partner in a period, every line explained, as text, CSV or PDF.

- ``records``: a statement, its sections and lines;
- ``card`` and ``partner``: what goes into them; ``explained`` says of one transfer who, where and why;
- ``words``: what lines are called, in English and Chinese;
- ``csvfile``, ``pdffile``, ``plain``: statements as files and as text.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from citycard.city.statements.card import card_statement
    from citycard.city.statements.csvfile import csv_lines
    from citycard.city.statements.partner import partner_statement
    from citycard.city.statements.pdffile import write_pdf
    from citycard.city.statements.plain import PlainStatement, plain_statement, text_lines
    from citycard.city.statements.records import Line, Period, Said, Section, Statement

__all__ = [
    "Line",
    "Period",
    "PlainStatement",
    "Said",
    "Section",
    "Statement",
    "card_statement",
    "csv_lines",
    "partner_statement",
    "plain_statement",
    "text_lines",
    "write_pdf",
]

_MODULES = {
    "card": ("card_statement",),
    "csvfile": ("csv_lines",),
    "partner": ("partner_statement",),
    "pdffile": ("write_pdf",),
    "plain": ("PlainStatement", "plain_statement", "text_lines"),
    "records": ("Line", "Period", "Said", "Section", "Statement"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    # Whoever wants a CSV must not wait for what draws a PDF.
    if name not in _HOME:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
