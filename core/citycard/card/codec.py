"""Layouts: an attrs class that says byte for byte how a record lies on a card.

    @layout(size=12)
    class Ticket:
        number: str = bcd(4)
        day: date | None = date()
        price_fen: int = amount()

``encode(Ticket(...))`` gives 12 bytes, ``decode(Ticket, data)`` gives the record back. Each class is compiled
once to a ``struct`` and to the few steps that struct cannot do.
"""

from __future__ import annotations

import struct
import weakref
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Literal, TypeVar, dataclass_transform

import attrs

from citycard.card import fields as kinds
from citycard.card.fields import Kind
from citycard.errors import BytesInvalid, FieldInvalid, LayoutInvalid, LengthInvalid

__all__ = [
    "Layout",
    "Placed",
    "amount",
    "bcd",
    "choice",
    "date",
    "decode",
    "encode",
    "evolve",
    "examples",
    "flag",
    "hexed",
    "layout",
    "layout_of",
    "layouts",
    "moment",
    "raw",
    "reserved",
    "signed",
    "text",
    "unsigned",
]

R = TypeVar("R")
_KIND = "citycard.kind"
_NOTE = "citycard.note"
_KNOWN: weakref.WeakSet[type] = weakref.WeakSet()


@attrs.frozen(kw_only=True)
class Placed:
    """One field of a layout and where it lies: ``offset`` and ``kind.size`` in bytes."""

    name: str
    offset: int
    kind: Kind
    note: str


@attrs.define(kw_only=True)
class Layout:
    """A compiled layout: the fields in order, and the two functions that go between record and bytes."""

    name: str
    size: int
    fields: tuple[Placed, ...]
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]
    examples: tuple[tuple[bytes, Any], ...] = ()


# ── what a class body says ───────────────────────────────────────────────────────────────────────


class _Check:
    """The validator of a field: its kind takes the value, or FieldInvalid says why not."""

    def __init__(self, kind: Kind) -> None:
        self.kind, self.fits = kind, kind.fits

    def __call__(self, record: Any, attribute: Any, value: Any) -> None:
        if not self.fits(value):
            raise FieldInvalid(
                layout=type(record).__name__,
                field=attribute.name,
                value="(kept back)" if self.kind.personal else repr(value),
                expected=self.kind.expected,
            )


def _field(kind: Kind, default: Any, note: str) -> Any:
    return attrs.field(default=default, validator=_Check(kind), metadata={_KIND: kind, _NOTE: note})


def unsigned(size: int, *, default: Any = attrs.NOTHING, note: str = "") -> Any:
    """Declare an unsigned big-endian integer of ``size`` bytes."""
    return _field(kinds.unsigned_kind(size), default, note)


def signed(size: int, *, default: Any = attrs.NOTHING, note: str = "") -> Any:
    """Declare a two's complement big-endian integer of ``size`` bytes."""
    return _field(kinds.signed_kind(size), default, note)


def amount(size: int = 4, *, default: Any = attrs.NOTHING, note: str = "") -> Any:
    """Declare money in fen, unsigned big-endian, four bytes unless told."""
    return _field(kinds.amount_kind(size), default, note)


def bcd(size: int, *, default: Any = attrs.NOTHING, note: str = "") -> Any:
    """Declare a string of exactly ``2 * size`` decimal digits, two to a byte."""
    return _field(kinds.bcd_kind(size), default, note)


def hexed(size: int, *, default: Any = attrs.NOTHING, note: str = "") -> Any:
    """Declare a string of ``2 * size`` capital hexadecimal digits, two to a byte."""
    return _field(kinds.hexed_kind(size), default, note)


def raw(size: int, *, default: Any = attrs.NOTHING, note: str = "") -> Any:
    """Declare ``size`` bytes kept as they are."""
    return _field(kinds.raw_kind(size), default, note)


def reserved(size: int, *, fill: int = 0, note: str = "", init: Literal[False] = False) -> Any:
    """Declare ``size`` bytes without a meaning yet: ``fill`` when written new, kept as read otherwise.

    ``init`` only tells type checkers that nobody needs to pass it.
    """
    assert not init
    return _field(kinds.raw_kind(size, "reserved"), bytes([fill]) * size, note)


def flag(*, default: Any = attrs.NOTHING, note: str = "") -> Any:
    """Declare a bool in one byte: 01 or 00."""
    return _field(kinds.flag_kind(), default, note)


def choice(members: Any, size: int = 1, *, default: Any = attrs.NOTHING, note: str = "") -> Any:
    """Declare a member of the IntEnum ``members``, stored as an unsigned integer."""
    return _field(kinds.choice_kind(members, size), default, note)


def date(*, blank: bool = True, default: Any = attrs.NOTHING, note: str = "") -> Any:
    """Declare a day in four BCD bytes; None is all zeros, unless ``blank`` is off."""
    return _field(kinds.date_kind(blank=blank), default, note)


def moment(*, blank: bool = True, default: Any = attrs.NOTHING, note: str = "") -> Any:
    """Declare a local time in seven BCD bytes; None is all zeros, unless ``blank`` is off."""
    return _field(kinds.moment_kind(blank=blank), default, note)


def text(
    size: int,
    *,
    encoding: str = "gb18030",
    personal: bool = False,
    default: Any = attrs.NOTHING,
    note: str = "",
) -> Any:
    """Declare text padded with zero bytes; ``personal`` keeps the value out of error messages."""
    return _field(kinds.text_kind(size, encoding, personal=personal), default, note)


@dataclass_transform(
    kw_only_default=True,
    frozen_default=True,
    field_specifiers=(
        unsigned,
        signed,
        amount,
        bcd,
        hexed,
        raw,
        reserved,
        flag,
        choice,
        date,
        moment,
        text,
    ),
)
def layout(*, size: int) -> Callable[[type[R]], type[R]]:
    """Make a frozen, keyword-only attrs class of a class body of fields that together take ``size`` bytes.

    Raises LayoutInvalid when the sizes do not add up or an attribute is no field.
    """

    def decorate(cls: type[R]) -> type[R]:
        # Without slots the decoder can fill the instance dictionary in one step instead of field by field.
        made = attrs.frozen(kw_only=True, slots=False)(cls)
        made.__layout__ = _compile(made, size)  # type: ignore[attr-defined]
        _KNOWN.add(made)
        return made

    return decorate


# ── compiling ────────────────────────────────────────────────────────────────────────────────────


def _compile(cls: Any, size: int) -> Layout:
    placed, offset = [], 0
    for attribute in attrs.fields(cls):
        kind = attribute.metadata.get(_KIND)
        if kind is None:
            raise LayoutInvalid(layout=cls.__name__, problem=f"{attribute.name} is not made by a field maker")
        placed.append(Placed(name=attribute.name, offset=offset, kind=kind, note=attribute.metadata[_NOTE]))
        offset += kind.size
    if offset != size or not placed:
        raise LayoutInvalid(
            layout=cls.__name__, problem=f"its fields take {offset} bytes, declared are {size}"
        )
    form = struct.Struct(">" + "".join(field.kind.code for field in placed))
    return Layout(
        name=cls.__name__,
        size=size,
        fields=tuple(placed),
        encode=_encoder(placed, form),
        decode=_decoder(cls, placed, form),
    )


def _encoder(placed: list[Placed], form: struct.Struct) -> Callable[[Any], bytes]:
    pack = form.pack
    steps = [(at, field.kind.pack) for at, field in enumerate(placed) if field.kind.pack is not None]
    if len(placed) == 1:
        only, first = placed[0].name, placed[0].kind.pack
        return lambda record: pack(getattr(record, only) if first is None else first(getattr(record, only)))
    values_of = attrgetter(*(field.name for field in placed))

    def encode_record(record: Any) -> bytes:
        values = list(values_of(record))
        for at, step in steps:
            values[at] = step(values[at])
        return pack(*values)

    return encode_record


def _decoder(cls: Any, placed: list[Placed], form: struct.Struct) -> Callable[[bytes], Any]:
    unpack, size, new = form.unpack, form.size, object.__new__
    names = [field.name for field in placed]
    steps = [(at, field.kind.unpack) for at, field in enumerate(placed) if field.kind.unpack is not None]
    # What the kinds unpack fits by construction: validators only run again when the author added rules.
    own_rules = hasattr(cls, "__attrs_post_init__") or any(
        not isinstance(attribute.validator, _Check) for attribute in attrs.fields(cls)
    )

    def decode_record(data: bytes) -> Any:
        if len(data) != size:
            raise LengthInvalid(layout=cls.__name__, found=len(data), expected=size)
        values = list(unpack(data))
        at = 0
        try:
            for at, step in steps:
                values[at] = step(values[at])
        except ValueError:
            raise _unreadable(cls, placed[at], data) from None
        if own_rules:
            return cls(**dict(zip(names, values, strict=True)))
        record = new(cls)
        record.__dict__.update(zip(names, values, strict=True))
        return record

    return decode_record


def _unreadable(cls: Any, field: Placed, data: bytes) -> BytesInvalid:
    found = data[field.offset : field.offset + field.kind.size].hex().upper()
    return BytesInvalid(
        layout=cls.__name__,
        field=field.name,
        offset=field.offset,
        found="bytes kept back" if field.kind.personal else found,
        expected=field.kind.expected,
    )


# ── using layouts ────────────────────────────────────────────────────────────────────────────────


def layout_of(cls: type) -> Layout:
    """Return the compiled layout of a class made by ``@layout``; LayoutInvalid for any other class."""
    found = cls.__dict__.get("__layout__")
    if not isinstance(found, Layout):
        raise LayoutInvalid(layout=getattr(cls, "__name__", repr(cls)), problem="it is not made by @layout")
    return found


def encode(record: Any) -> bytes:
    """Write a record as the bytes of its layout."""
    compiled: Layout = type(record).__layout__
    return compiled.encode(record)


def decode(cls: type[R], data: bytes) -> R:
    """Read bytes as a record of ``cls``; BytesInvalid or LengthInvalid when they are not one."""
    record: R = cls.__layout__.decode(data)  # type: ignore[attr-defined]
    return record


def evolve(record: R, **changes: Any) -> R:
    """Make a copy of a record with some fields changed, checked like a new one."""
    changed: R = attrs.evolve(record, **changes)  # type: ignore[misc]
    return changed


def examples(cls: type[R], *pairs: tuple[str, R]) -> None:
    """Put example bytes (hexadecimal, blanks ignored) and their records beside a layout for the tests."""
    compiled = layout_of(cls)
    compiled.examples += tuple((bytes.fromhex(written), record) for written, record in pairs)


def layouts() -> tuple[type, ...]:
    """Return every layout class that is loaded, by module and name."""
    return tuple(sorted(_KNOWN, key=lambda cls: (cls.__module__, cls.__name__)))
