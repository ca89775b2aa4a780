"""Layouts as people read them: a table of bytes, for docs and for those who look at a card."""

from __future__ import annotations

from citycard.card.codec import layout_of

__all__ = ["describe"]


def describe(cls: type) -> str:
    """Return a Markdown table of a layout: offset, length, field, what it holds, and its note."""
    lines = ["| offset | bytes | field | holds | note |", "|---:|---:|---|---|---|"]
    for field in layout_of(cls).fields:
        kind = field.kind
        lines.append(
            f"| {field.offset} | {kind.size} | `{field.name}` | {kind.name}: {kind.expected} | {field.note} |"
        )
    return "\n".join(lines)
