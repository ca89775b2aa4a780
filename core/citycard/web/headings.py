"""Words that pages take from records: marked here for translation, as no template says them.

An answer that is shown as a page is headed by its fields, and a look at a card is written down with its page.
What is here means the same in every domain; a plugin's catalogue has its own words.
"""

from __future__ import annotations

from citycard.web.languages import mark

__all__ = ["HEADINGS", "LOOKS"]

HEADINGS = (
    *(mark("id"), mark("name"), mark("title"), mark("kind"), mark("number"), mark("amount")),
    *(mark("total"), mark("price"), mark("at"), mark("day"), mark("month"), mark("year")),
    *(mark("since"), mark("until"), mark("starts on"), mark("ends on"), mark("starts at")),
    *(mark("ends at"), mark("last day"), mark("due on"), mark("changed at"), mark("closed at")),
    *(mark("made at"), mark("ended at"), mark("opened at"), mark("decided by"), mark("decided at")),
    *(mark("approved by"), mark("actor"), mark("reason"), mark("why"), mark("what")),
    *(mark("reference"), mark("asn"), mark("service"), mark("lines"), mark("line"), mark("days")),
    *(mark("left"), mark("late"), mark("terminals"), mark("account"), mark("account name")),
    *(mark("account no"), mark("bank bic"), mark("end to end"), mark("currency"), mark("note")),
    *(mark("opening"), mark("closing"), mark("net"), mark("owed"), mark("settled")),
    *(mark("difference"), mark("digest"), mark("reader"), mark("readings"), mark("channel")),
    *(mark("field"), mark("expected")),
)

LOOKS = (
    *(mark("card"), mark("record"), mark("account csv"), mark("account pdf"), mark("api")),
    *(mark("api record"), mark("api account")),
)
