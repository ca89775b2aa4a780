"""Where the pages' records are read: ledger, registry, cleared records, plugins.

- ``day``: the city's day, as sums
- ``partners``: partners with their sums, and their statements
- ``bank``: payments, statements, exceptions, the reconciliation
- ``disputes``: records that are exceptions, and disputes
- ``cards``: search, one card with its journeys, one record explained; looks are recorded
- ``plugins``: plugins with states and reasons, and what cards can be used for
- ``health``: whether the parts work

They wait for the store, so endpoints call them in a thread.
"""

from __future__ import annotations

from citycard.web.sources.bank import read_bank, read_case, read_cases, read_lines, read_payments
from citycard.web.sources.cards import ASN_DIGITS, find_cards, open_card, open_record, open_statement
from citycard.web.sources.day import DayBook, read_day
from citycard.web.sources.disputes import (
    ALL_STATES,
    DISPUTES_A_PAGE,
    open_for,
    read_dispute,
    read_disputes,
    read_exception,
    read_exceptions,
)
from citycard.web.sources.health import read_health
from citycard.web.sources.partners import read_partners, read_statement
from citycard.web.sources.plugins import read_domains, read_plugins

__all__ = [
    "ALL_STATES",
    "ASN_DIGITS",
    "DISPUTES_A_PAGE",
    "DayBook",
    "find_cards",
    "open_card",
    "open_for",
    "open_record",
    "open_statement",
    "read_bank",
    "read_case",
    "read_cases",
    "read_day",
    "read_dispute",
    "read_disputes",
    "read_domains",
    "read_exception",
    "read_exceptions",
    "read_health",
    "read_lines",
    "read_partners",
    "read_payments",
    "read_plugins",
    "read_statement",
]
