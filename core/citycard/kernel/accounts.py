"""The ledger accounts that plugins post to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from citycard.kernel.check import matching, words
from citycard.ledger.chart import Guard, Side, side_of

if TYPE_CHECKING:
    from citycard.ledger.records import AccountSpec

__all__ = ["LedgerAccount"]

_CODES = range(1000, 10_000)


@attrs.frozen(kw_only=True)
class LedgerAccount:
    """Declare an account of your own: ``address`` starts with your name and a slash.

    ``code`` is one of the chart (docs/ledger.md), ``side`` follows from it unless given, and ``guard`` says
    what the account refuses.
    """

    address: str = attrs.field(validator=words)
    code: int = attrs.field(validator=matching(_CODES.__contains__, "a code of the chart, 1000 to 9999"))
    title: str = attrs.field(validator=words)
    side: Side = attrs.field(converter=Side)
    guard: Guard = attrs.field(default=Guard.NONE, converter=Guard)

    @side.default
    def _side_of_code(self) -> Side:
        return side_of(self.code)

    def spec(self, owner: str) -> AccountSpec:
        """Give what the ledger opens for the plugin ``owner``."""
        from citycard.ledger.records import AccountSpec

        return AccountSpec(
            address=self.address, code=self.code, side=self.side, guard=self.guard, owner=owner
        )
