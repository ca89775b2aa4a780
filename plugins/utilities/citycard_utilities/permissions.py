"""Who may do what with bills, and the entries of the menu."""

from __future__ import annotations

from citycard import MenuItem, Permission

__all__ = [
    "FIND",
    "MANDATES",
    "MENU",
    "OVERVIEW",
    "PAY",
    "PERMISSIONS",
    "RECEIPTS",
    "REVERSE",
    "SEND",
    "SETTLEMENTS",
]

FIND = "utilities.find-bills"
PAY = "utilities.pay-bills"
MANDATES = "utilities.keep-mandates"
RECEIPTS = "utilities.read-receipts"
REVERSE = "utilities.reverse-receipts"
SEND = "utilities.send-files"
SETTLEMENTS = "utilities.read-settlements"
OVERVIEW = "utilities.read-overview"

PERMISSIONS = (
    Permission(
        name=FIND,
        title="Find the bills of a household by its number.",
        roles=("citizen", "clerk", "partner"),
    ),
    Permission(name=PAY, title="Pay bills from an online account, and keep households.", roles=("citizen",)),
    Permission(name=MANDATES, title="Make and end direct-debit mandates.", roles=("citizen", "clerk")),
    Permission(name=RECEIPTS, title="See what was paid for bills.", roles=("citizen", "clerk", "partner")),
    Permission(name=REVERSE, title="Reverse receipts, and assign those without a bill.", roles=("clerk",)),
    Permission(name=SEND, title="Send a biller's files of bills.", roles=("partner",)),
    Permission(name=SETTLEMENTS, title="Read what was settled with a biller.", roles=("partner",)),
    Permission(name=OVERVIEW, title="See where bills, files and direct debits stand.", roles=("clerk",)),
)
MENU = (
    MenuItem(path="/mine", title="My bills", title_zh="我的账单", permission=PAY, own=True),
    MenuItem(path="/overview", title="Bills", title_zh="缴费总览", permission=OVERVIEW),
)
