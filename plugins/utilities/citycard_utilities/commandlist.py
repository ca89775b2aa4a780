"""Which commands there are; each is imported only when it is called."""

from __future__ import annotations

from citycard import Command

__all__ = ["COMMANDS"]

_TARGET = "citycard_utilities.commands"

COMMANDS = tuple(
    Command(path=("utilities", name), target=f"{_TARGET}:{attribute}", summary=summary)
    for name, attribute, summary in (
        ("import", "import_file", "Take a biller's file of bills."),
        ("bills", "bills", "Show the bills of a household."),
        ("pay", "pay", "Pay a bill from an online account."),
        ("collect", "collect_now", "Collect by direct debit what is near its due date."),
        ("match", "match", "Match cleared payments with their bills, and give back what was too much."),
        ("reverse", "reverse_receipt", "Give the money of a receipt back."),
        ("assign", "assign_receipt", "Let money without a bill pay one."),
        ("export", "export", "Write the file of what a run settled with a biller."),
        ("check", "check", "Check a biller's file: counts, sums, check sum."),
        ("overview", "show_overview", "Show where bills, files and direct debits stand."),
    )
)
