"""One element of a bank's message: its fields, and an error that names its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from functools import cache
from typing import Any

from citycard.bank.statement import Direction
from citycard.errors import BankStatementInvalid, Phrase

__all__ = ["Node"]

_AMOUNT = re.compile(r"([0-9]{1,13})(?:\.([0-9]{0,5}))?")
_SPACES = re.compile(r"\s+")


@cache
def _within(space: str, path: str) -> str:
    """Write a path in the namespace of the element that it starts from."""
    return "/".join(f"{space}}}{name}" if space else name for name in path.split("/"))


class Node:
    """An element, whose children are asked for by path (``Refs/EndToEndId``) in its own namespace."""

    def __init__(self, element: Any) -> None:
        self._element = element
        tag = str(element.tag)
        self._space, _, self.name = tag.rpartition("}")

    def wrong(self, reason: str) -> BankStatementInvalid:
        """Make the error about this element."""
        line = getattr(self._element, "sourceline", None) or 1
        return BankStatementInvalid(line=line, element=self.name[:40], reason=reason)

    def children(self, name: str) -> Iterator[Node]:
        """Give the children with a name, in order."""
        return (Node(child) for child in self._element.iterchildren(_within(self._space, name)))

    def child(self, path: str) -> Node | None:
        """Give the first element at a path, or None."""
        found = self._element.find(_within(self._space, path))
        return Node(found) if found is not None else None

    def need(self, path: str) -> Node:
        """Give the first element at a path, which must be there."""
        found = self.child(path)
        if found is None:
            raise self.wrong(Phrase("{path} is missing", path=path))
        return found

    def text(self, longest: int) -> str:
        """Give the element's text without spaces around it: 1 to ``longest`` characters."""
        if any(not isinstance(child.tag, str) for child in self._element.iterchildren()):
            raise self.wrong("an entity is not allowed")
        text = _SPACES.sub(" ", self._element.text or "").strip()
        if not 1 <= len(text) <= longest:
            raise self.wrong(
                Phrase("it has {count} characters, expected 1 to {longest}", count=len(text), longest=longest)
            )
        return text

    def text_at(self, path: str, longest: int) -> str:
        """Give the text at a path; empty when there is no such element."""
        found = self.child(path)
        return found.text(longest) if found is not None else ""

    def amount_fen(self, *, zero: bool = False) -> int:
        """Give an amount of CNY in whole fen; exact, or an error."""
        currency = self._element.get("Ccy", "")
        if currency != "CNY":
            raise self.wrong(Phrase("currency {currency!r}, expected CNY", currency=currency[:3]))
        text = self.text(24)
        found = _AMOUNT.fullmatch(text)
        fraction = (found[2] or "").ljust(2, "0") if found else "00"
        if found is None or fraction[2:].strip("0"):
            raise self.wrong(Phrase("{text!r} is not an amount of whole fen", text=text))
        amount_fen = int(found[1]) * 100 + int(fraction[:2])
        if amount_fen == 0 and not zero:
            raise self.wrong("an amount of 0, expected more")
        return amount_fen

    def direction(self) -> Direction:
        """Say whether this is a credit or a debit (``CdtDbtInd``)."""
        node = self.need("CdtDbtInd")
        text = node.text(4)
        if text not in set(Direction):
            raise node.wrong(Phrase("{text!r}, expected CRDT or DBIT", text=text))
        return Direction(text)

    def day(self) -> date:
        """Give the day of a date or moment (``Dt`` or ``DtTm`` within)."""
        found = self.child("Dt")
        if found is None:
            return self.need("DtTm").moment_day()
        text = found.text(40)
        try:
            # A date may carry a time zone, which says nothing about the day.
            return date.fromisoformat(text[:10])
        except ValueError:
            raise found.wrong(Phrase("{text!r} is not a day such as 2026-11-27", text=text)) from None

    def moment_day(self) -> date:
        """Give the day of a moment, as its own time zone has it."""
        text = self.text(40)
        try:
            return datetime.fromisoformat(text).date()
        except ValueError:
            raise self.wrong(
                Phrase("{text!r} is not a moment such as 2026-11-27T00:00:00", text=text)
            ) from None

    def account(self) -> str:
        """Give the number of an account (``IBAN`` or ``Othr/Id`` within)."""
        found = self.child("IBAN") or self.need("Othr/Id")
        return found.text(34)
