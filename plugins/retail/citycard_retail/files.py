"""CSV files that operators hand in, all or nothing: applications of merchants, the supermarket's products."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from citycard.errors import AmountInvalid, CitycardError, Phrase
from citycard.ids import derived_id
from citycard.money import parse_yuan
from citycard_retail.errors import FileLineInvalid
from citycard_retail.market import Market
from citycard_retail.merchants import MerchantWish
from citycard_retail.shop import Product

__all__ = ["APPLICATION_COLUMNS", "PRODUCT_COLUMNS", "read_applications", "read_products"]

APPLICATION_COLUMNS = (
    "partner", "name", "category", "tier", "district", "account_name", "account_no", "bank_bic", "contact",
    "terminals",
)  # fmt: skip
"""The columns of a file of applications; ``tier``, ``district`` and ``account_name`` may be empty."""

PRODUCT_COLUMNS = ("sku", "title", "title_zh", "price", "stock", "on_sale")
"""The columns of a file of products; ``price`` is yuan, ``on_sale`` yes or no."""

_MOST_BYTES = 16 * 1024 * 1024
_MOST_FEN = 10_000_000
_MOST_STOCK = 1_000_000
_SKU = 20
_TITLE = 100


def read_applications(market: Market, path: Path) -> list[MerchantWish]:
    """Read applications; raise FileLineInvalid with line and field.

    The id of each follows from the file's name and what the line says: the same file asks for nothing twice.
    """
    wishes: list[MerchantWish] = []
    for line, row in _rows(path, APPLICATION_COLUMNS):
        told: dict[str, Any] = dict(row)
        told["terminals"] = _number(path, line, "terminals", row["terminals"], 200)
        identity = derived_id("retail application", path.name, *row.values())
        for field in ("name", "contact"):
            most = 100 if field == "name" else 200
            if not (field == "contact" or row[field].strip()) or len(row[field]) > most:
                raise _wrong(path, line, field, row[field], Phrase("1 to {most} characters", most=most))
        try:
            wish = MerchantWish(id=identity, **told)
            market.settings.tier(wish.category, wish.tier)
            wish.partner_record()
        except CitycardError as wrong:
            field = str(wrong.data.get("field", "tier"))
            raise _wrong(path, line, field, row.get(field, ""), str(wrong)) from None
        wishes.append(wish)
    return wishes


def read_products(path: Path) -> list[Product]:
    """Read products; raise FileLineInvalid with line and field."""
    found: list[Product] = []
    for line, row in _rows(path, PRODUCT_COLUMNS):
        for field, most in (("sku", _SKU), ("title", _TITLE)):
            if not 0 < len(row[field].strip()) <= most:
                raise _wrong(path, line, field, row[field], Phrase("1 to {most} characters", most=most))
        if len(row["title_zh"]) > _TITLE:
            raise _wrong(
                path, line, "title_zh", row["title_zh"], Phrase("at most {title} characters", title=_TITLE)
            )
        if row["on_sale"] not in {"yes", "no"}:
            raise _wrong(path, line, "on_sale", row["on_sale"], "yes or no")
        found.append(
            Product(
                sku=row["sku"].strip(),
                title=row["title"].strip(),
                title_zh=row["title_zh"].strip(),
                price_fen=_price(path, line, row["price"]),
                stock=_number(path, line, "stock", row["stock"], _MOST_STOCK),
                on_sale=row["on_sale"] == "yes",
            )
        )
    return found


def _price(path: Path, line: int, text: str) -> int:
    try:
        price_fen = parse_yuan(text)
    except AmountInvalid:
        price_fen = 0
    if not 0 < price_fen <= _MOST_FEN:
        raise _wrong(path, line, "price", text, "yuan with at most two decimals, above zero")
    return price_fen


def _number(path: Path, line: int, field: str, text: str, most: int) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > len(str(most)) or int(text) > most:
        raise _wrong(path, line, field, text, Phrase("a whole number up to {most}", most=most))
    return int(text)


def _rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Give each row with its line, by column; a file without rows gives none."""
    data = path.read_bytes()
    if len(data) > _MOST_BYTES:
        raise _wrong(
            path,
            1,
            "file",
            f"{len(data)} bytes",
            Phrase("at most {most_bytes} bytes", most_bytes=_MOST_BYTES),
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _wrong(path, 1, "file", "", "CSV in UTF-8") from None
    reader = csv.reader(io.StringIO(text), strict=True)
    head = _next(path, reader, lambda: next(reader, None))
    if head != list(columns):
        raise _wrong(path, 1, "header", ",".join(head or []), ",".join(columns))
    while (row := _next(path, reader, lambda: next(reader, None))) is not None:
        if not row:
            continue
        if len(row) != len(columns):
            raise _wrong(
                path,
                reader.line_num,
                "row",
                f"{len(row)} fields",
                Phrase("{count} fields", count=len(columns)),
            )
        yield reader.line_num, dict(zip(columns, row, strict=True))


def _next(path: Path, reader: Any, step: Callable[[], list[str] | None]) -> list[str] | None:
    try:
        return step()
    except csv.Error as wrong:
        raise _wrong(path, reader.line_num, "row", "", Phrase("CSV ({wrong})", wrong=wrong)) from None


def _wrong(path: Path, line: int, field: str, value: str, expected: str) -> FileLineInvalid:
    return FileLineInvalid(file=path.name, line=line, field=field, value=value[:40], expected=expected)
