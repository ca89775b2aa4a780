"""Charts as SVG, drawn on the server: no script, no outside code, readable by a screen reader.

Widths are percentages and heights are pixels, so a chart fills its column on a phone and on a wall while its
letters keep their size. Colours come from classes in the style sheet, so dark mode recolours them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from unicodedata import east_asian_width

import attrs
from markupsafe import Markup

__all__ = ["Bar", "Column", "Segment", "bars", "columns", "element", "strip"]

_TOP = 18  # room above the highest column for its label
_BOTTOM = 24  # room below the columns for their names
_ROW = 46  # one horizontal bar with its name above it
_ROOM_PX, _GAP_PX = 290, 16  # a name and a sum side by side on a phone, and what keeps them apart
_WIDE_PX, _NARROW_PX = 14, 8  # letters of 14 px


@attrs.frozen(kw_only=True)
class Segment:
    """A coloured piece of a bar: a name, a non-negative size, the words for that size, and a style class."""

    name: str
    size: int = attrs.field(validator=attrs.validators.ge(0))
    words: str = ""
    style: str = "series-1"


@attrs.frozen(kw_only=True)
class Column:
    """One column: its full name, its short name below the axis (may be empty), its pieces."""

    name: str
    tick: str = ""
    segments: tuple[Segment, ...] = ()

    @property
    def size(self) -> int:
        """Add up the pieces."""
        return sum(segment.size for segment in self.segments)


@attrs.frozen(kw_only=True)
class Bar:
    """One horizontal bar: its name, a non-negative size, the words for that size, an address to follow."""

    name: str
    size: int = attrs.field(validator=attrs.validators.ge(0))
    words: str = ""
    link: str = ""
    style: str = "series-1"


def element(tag: str, *children: str | Markup, **attributes: object) -> Markup:
    """Make one element with escaped attributes and children; ``class_`` is class, ``a_b`` is ``a-b``."""
    written = Markup("").join(
        Markup(' {}="{}"').format(name.rstrip("_").replace("_", "-"), value)
        for name, value in attributes.items()
    )
    return Markup("<{0}{1}>{2}</{0}>").format(tag, written, Markup("").join(children))


def columns(title: str, items: Sequence[Column], *, height_px: int = 220, peak: str = "") -> Markup:
    """Draw stacked columns over an axis; ``peak`` is the word set above the highest one.

    An empty chart, or one of zeroes, is drawn as its axis only.
    """
    floor = height_px - _BOTTOM
    highest = max((item.size for item in items), default=0)
    step = _round_step(highest)
    ceiling = max(step * -(-highest // step), 1)
    scale = (floor - _TOP) / ceiling
    levels = [(level, floor - level * scale) for level in range(step, ceiling + 1, step)]
    parts = [element("line", x1="0", x2="100%", y1=floor, y2=floor, class_="axis")]
    parts += [
        element("line", x1="0", x2="100%", y1=f"{y:.2f}", y2=f"{y:.2f}", class_="grid") for _, y in levels
    ]
    slot = 100 / max(len(items), 1)
    peak_place = next((place for place, item in enumerate(items) if item.size == highest), None)
    for place, item in enumerate(items):
        parts.append(_column(item, place * slot, slot, floor, scale))
        if item.tick:
            middle = f"{place * slot + slot / 2:.3f}%"
            minor = "tick" if _keeps(items, place) else "tick minor"
            parts.append(
                element("text", item.tick, x=middle, y=height_px - 6, class_=minor, text_anchor="middle")
            )
        if peak and highest and place == peak_place:
            parts.append(_label(peak, place * slot + slot / 2, floor - highest * scale - 6))
    # Above the columns, so that none hides the number of a level.
    parts += [element("text", f"{level:,}", x="0", y=f"{y - 4:.2f}", class_="tick") for level, y in levels]
    return _drawing(title, parts, height_px)


def bars(title: str, items: Sequence[Bar]) -> Markup:
    """Draw one horizontal bar per item, its name and words above it, as long as its share of the longest.

    Whoever listens instead of looking hears every name with its words.
    """
    longest = max((item.size for item in items), default=0) or 1
    parts = []
    for place, item in enumerate(items):
        y = place * _ROW
        name = _name(item.name, y + 16, _ROOM_PX - _GAP_PX - _width_px(item.words))
        if item.link:
            name = element("a", name, href=item.link)
        parts += [
            name,
            element("text", item.words, x="100%", y=y + 16, class_="value", text_anchor="end"),
            element("rect", x="0", y=y + 25, width="100%", height=8, rx=4, class_="track"),
            element(
                "rect",
                element("title", f"{item.name}: {item.words}"),
                x="0",
                y=y + 25,
                width=f"{100 * item.size / longest:.3f}%",
                height=8,
                rx=4,
                class_=item.style,
            ),
        ]
    told = "; ".join(f"{item.name} {item.words}" for item in items)
    return _drawing(f"{title}: {told}" if told else title, parts, max(len(items) * _ROW, 1))


def strip(title: str, segments: Sequence[Segment], *, height_px: int = 28) -> Markup:
    """Draw one bar cut into pieces by their share of the whole; a piece that is not nothing stays visible."""
    whole = sum(segment.size for segment in segments)
    parts = [element("rect", x="0", y="0", width="100%", height=height_px, rx=6, class_="track")]
    drawn = [segment for segment in segments if segment.size]
    # A piece of one fen in millions would vanish; half a percent is the least that can be seen and touched.
    shares = [max(100 * segment.size / whole, 0.5) for segment in drawn]
    left = 0.0
    for segment, share in zip(drawn, shares, strict=True):
        width = 100 * share / sum(shares)
        parts.append(
            element(
                "rect",
                element("title", f"{segment.name}: {segment.words}"),
                x=f"{left:.3f}%",
                y="0",
                width=f"{width:.3f}%",
                height=height_px,
                class_=segment.style,
            )
        )
        left += width
    return _drawing(title, parts, height_px, class_="chart strip")


def _drawing(title: str, parts: Iterable[Markup], height_px: int, class_: str = "chart") -> Markup:
    return element(
        "svg",
        element("title", title),
        *parts,
        role="img",
        aria_label=title,
        class_=class_,
        width="100%",
        height=height_px,
        xmlns="http://www.w3.org/2000/svg",
    )


def _column(item: Column, left: float, slot: float, floor: float, scale: float) -> Markup:
    words = ", ".join(f"{segment.name} {segment.words or segment.size}" for segment in item.segments)
    parts = [element("title", f"{item.name}: {words}")]
    bottom = floor
    for segment in item.segments:
        tall = segment.size * scale
        bottom -= tall
        parts.append(
            element(
                "rect",
                x=f"{left + slot * 0.1:.3f}%",
                y=f"{bottom:.2f}",
                width=f"{slot * 0.8:.3f}%",
                height=f"{tall:.2f}",
                class_=segment.style,
            )
        )
    return element("g", *parts)


def _name(name: str, y: int, room_px: int) -> Markup:
    """Write a name twice when it is long; the style sheet shows the one that the screen has room for."""
    brief = _shortened(name, room_px)
    if brief == name:
        return element("text", name, x="0", y=y, class_="name")
    short = element("text", brief, x="0", y=y, class_="name brief")
    return Markup("").join([element("text", name, x="0", y=y, class_="name whole"), short])


def _shortened(name: str, room_px: int) -> str:
    if _width_px(name) <= room_px:
        return name
    room_px -= _WIDE_PX  # for the dots
    for place, letter in enumerate(name):
        room_px -= _width_px(letter)
        if room_px < 0:
            return f"{name[:place].rstrip()}…"
    return name


def _width_px(words: str) -> int:
    return sum(_WIDE_PX if east_asian_width(letter) in "WF" else _NARROW_PX for letter in words)


def _label(words: str, middle: float, y: float) -> Markup:
    # Near an edge the words would be cut off, so they lean inwards there.
    anchor = "start" if middle < 15 else "end" if middle > 85 else "middle"  # noqa: PLR2004 - shares of the width
    return element("text", words, x=f"{middle:.3f}%", y=f"{y:.2f}", class_="peak", text_anchor=anchor)


def _keeps(items: Sequence[Column], place: int) -> bool:
    """Every other tick is left out on a narrow screen."""
    return sum(1 for item in items[:place] if item.tick) % 2 == 0


def _round_step(highest: int) -> int:
    """Choose 1, 2 or 5 times a power of ten so that three or four lines reach the highest column."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if step * factor * 4 >= highest:
                return step * factor
        step *= 10
