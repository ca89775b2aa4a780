"""From the JSON that an event waited as to the record that its plugin declared."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from citycard.errors import EventUnknown
from citycard.kernel.guard import raised, told

if TYPE_CHECKING:
    from cattrs import Converter

__all__ = ["read_body"]


def read_body(name: str, content: Mapping[str, Any], kind: type) -> Any:
    """Make the body of an event; raise EventUnknown when it does not fit.

    Moments, days and ids are text, bytes are base 85. Fields that ``kind`` does not have are left out: a
    newer version of the plugin may have written them.
    """
    try:
        return _converter().structure(content, kind)
    except raised as error:  # validators of a plugin's class raise what they like
        parts = getattr(error, "exceptions", (error,))
        raise EventUnknown(name=name, reason=f"its body is not valid: {told(parts[0])}") from error


@cache
def _converter() -> Converter:
    from cattrs.preconf.json import make_converter

    converter = make_converter()
    converter.register_structure_hook(UUID, lambda value, _: UUID(value))
    return converter
