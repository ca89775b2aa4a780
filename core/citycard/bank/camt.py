"""Read ISO 20022 bank statements, camt.053.001.02 and .08, from a bank that may be wrong or hostile.

The file is read as a stream: an entry's elements are dropped as soon as they are understood. No document
type, no entity and nothing from elsewhere is ever read, and libxml2's own limits on depth and length stay on.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import date
from typing import IO, TYPE_CHECKING, Any

from citycard.bank.entry import Entry, read_entry
from citycard.bank.nodes import Node
from citycard.bank.statement import BankStatement, StatementLine
from citycard.errors import BankStatementInvalid, BankStatementTooLarge, Phrase

if TYPE_CHECKING:
    from lxml.etree import _Element

__all__ = ["LARGEST_BYTES", "NAMESPACES", "read_statements"]

#: The most bytes of one file; a day of 60,000 bookings has about 60 million.
LARGEST_BYTES = 64 * 1024 * 1024

_COMMON = "urn:iso:std:iso:20022:tech:xsd:camt.053.001."
#: The two versions that banks send, by namespace.
NAMESPACES = {f"{_COMMON}{version}": version for version in ("02", "08")}

_STATEMENTS_MOST = 400
_OPENING, _CLOSING = ("OPBD", "PRCD"), ("CLBD",)
_SEQUENCE = re.compile(r"[0-9]{1,18}")


def read_statements(data: bytes) -> list[BankStatement]:
    """Read every statement of a file; one or more.

    Raise BankStatementInvalid, which names the line and the element, when it cannot be read or does not add
    up, and BankStatementTooLarge.
    """
    if len(data) > LARGEST_BYTES:
        raise BankStatementTooLarge(limit=LARGEST_BYTES)
    found = list(_statements(io.BytesIO(data)))
    if not found:
        raise BankStatementInvalid(line=1, element="BkToCstmrStmt", reason="it has no statement (Stmt)")
    names = [(statement.account, statement.statement_id) for statement in found]
    if len(set(names)) < len(names):
        raise BankStatementInvalid(line=1, element="Stmt/Id", reason="two statements of the file have one id")
    return found


def _statements(file: IO[bytes]) -> Iterator[BankStatement]:
    from lxml import etree

    events = etree.iterparse(
        file,
        events=("start", "end"),
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    reading: _Reading | None = None
    count = 0
    try:
        for event, element in events:
            if event == "start" and reading is None:
                reading = _Reading(version=_version(element))
            elif event == "end" and reading is not None:
                made = reading.ended(element)
                if made is not None:
                    count += 1
                    if count > _STATEMENTS_MOST:
                        raise Node(element).wrong(
                            Phrase(
                                "at most {statements_most} statements stand in a file",
                                statements_most=_STATEMENTS_MOST,
                            )
                        )
                    yield made
    except etree.XMLSyntaxError as error:
        reason = Phrase("not well-formed XML: {problem}", problem=str(error.msg)[:200])
        raise BankStatementInvalid(line=error.lineno or 1, element="the file", reason=reason) from error


def _version(root: _Element) -> str:
    if root.getroottree().docinfo.doctype:
        raise Node(root).wrong("a document type (DOCTYPE) is not allowed")
    namespace, _, name = str(root.tag).removeprefix("{").rpartition("}")
    if name != "Document" or namespace not in NAMESPACES:
        known = " or ".join(f"camt.053.001.{version}" for version in NAMESPACES.values())
        raise Node(root).wrong(
            Phrase(
                "namespace {namespace!r}, expected a Document of {known}",
                namespace=namespace[:80],
                known=known,
            )
        )
    return NAMESPACES[namespace]


class _Reading:
    """One pass over a file: entries are kept as lines until their statement ends."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._path = ("Document", "BkToCstmrStmt", "Stmt")
        self._lines: list[StatementLine] = []
        self._pending = 0

    def ended(self, element: Any) -> BankStatement | None:
        if not isinstance(element.tag, str):
            raise Node(element).wrong("an entity is not allowed")
        name = element.tag.rpartition("}")[2]
        if name == "Ntry" and self._inside(element):
            self._entry(read_entry(Node(element), self._version))
            _drop(element)
        elif name == "Stmt" and self._place(element) == self._path:
            made = self._statement(Node(element))
            _drop(element)
            self._lines, self._pending = [], 0
            return made
        return None

    def _inside(self, element: Any) -> bool:
        parent = element.getparent()
        return parent is not None and self._place(parent) == self._path

    def _place(self, element: Any) -> tuple[str, ...]:
        above = [Node(each).name for each in element.iterancestors()]
        return (*reversed(above), Node(element).name)

    def _entry(self, entry: Entry) -> None:
        if not entry.booked:
            self._pending += 1
        for line in entry.lines(after=len(self._lines)):
            self._lines.append(line)

    def _statement(self, node: Node) -> BankStatement:
        opened_on, opening_fen = self._balance(node, _OPENING)
        closed_on, closing_fen = self._balance(node, _CLOSING)
        since = node.child("FrToDt/FrDtTm")
        if since is not None:
            opened_on = since.moment_day()
        if closed_on < opened_on:
            raise node.wrong(
                Phrase(
                    "it closes on {closed_on}, before it opens on {opened_on}",
                    closed_on=closed_on,
                    opened_on=opened_on,
                )
            )
        moved_fen = sum(line.signed_fen for line in self._lines)
        if opening_fen + moved_fen != closing_fen:
            raise node.wrong(
                Phrase(
                    "the balances do not add up: {opening_fen} fen opening and {moved_fen} fen of "
                    "{count} booked lines make {sum_fen}, not {closing_fen} closing",
                    opening_fen=opening_fen,
                    moved_fen=moved_fen,
                    count=len(self._lines),
                    sum_fen=opening_fen + moved_fen,
                    closing_fen=closing_fen,
                )
            )
        return BankStatement(
            statement_id=node.need("Id").text(35),
            account=node.need("Acct/Id").account(),
            version=self._version,
            sequence=_sequence(node),
            opened_on=opened_on,
            closed_on=closed_on,
            opening_fen=opening_fen,
            closing_fen=closing_fen,
            lines=tuple(self._lines),
            pending=self._pending,
        )

    def _balance(self, node: Node, codes: tuple[str, ...]) -> tuple[date, int]:
        found = [each for each in node.children("Bal") if each.text_at("Tp/CdOrPrtry/Cd", 4) in codes]
        if len(found) != 1:
            names = " or ".join(codes)
            raise node.wrong(
                Phrase(
                    "it has {count} balances (Bal) of type {known}, expected one",
                    count=len(found),
                    known=names,
                )
            )
        amount_fen = found[0].need("Amt").amount_fen(zero=True)
        sign = -1 if found[0].direction() == "DBIT" else 1
        return found[0].need("Dt").day(), sign * amount_fen


def _sequence(node: Node) -> int | None:
    for name in ("LglSeqNb", "ElctrncSeqNb"):
        child = node.child(name)
        if child is not None:
            text = child.text(18)
            if not _SEQUENCE.fullmatch(text):
                raise child.wrong(Phrase("{text!r} is not a number of at most 18 digits", text=text))
            return int(text)
    return None


def _drop(element: Any) -> None:
    """Let go of an element and of those before it: memory holds one entry's elements at a time."""
    element.clear()
    parent = element.getparent()
    name = element.tag
    while parent is not None and (before := element.getprevious()) is not None and before.tag == name:
        parent.remove(before)
