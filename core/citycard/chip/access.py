"""Access rights: the byte ``XY`` of a file or key against the security status (FMCOS manual, clause 5).

With X not 0 the status of the current directory must lie between Y and X; ``F0`` is always, ``EF`` never.
With X = 0 the status of the master file must be at least Y.
"""

from __future__ import annotations

from citycard.chip.state import CardState, Ram
from citycard.chip.status import SECURITY_NOT_SATISFIED, RefusedError

__all__ = ["ALWAYS", "allows", "require"]

ALWAYS = 0xF0


def allows(ram: Ram, right: int) -> bool:
    """Tell whether the present security status satisfies the access byte ``right``."""
    if right == ALWAYS:
        return True
    high, low = right >> 4, right & 0x0F
    if high:
        return low <= ram.status <= high
    return ram.root_status >= low


def require(card: CardState, right: int) -> None:
    """Refuse with ``6982`` unless the present security status satisfies ``right``."""
    if right != ALWAYS and not allows(card.powered, right):
        raise RefusedError(SECURITY_NOT_SATISFIED)
