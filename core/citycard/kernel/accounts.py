"""What plugins declare about money: the ledger accounts they post to, and who is paid for their services."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from citycard.kernel.check import matching, words
from citycard.wallet.chart import Guard, Side, side_of

if TYPE_CHECKING:
    from citycard.registry.records import Partner
    from citycard.wallet.records import AccountSpec

__all__ = ["LedgerAccount", "Participant"]

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
        from citycard.wallet.records import AccountSpec

        return AccountSpec(
            address=self.address, code=self.code, side=self.side, guard=self.guard, owner=owner
        )


@attrs.frozen(kw_only=True)
class Participant:
    """Declare somebody who is paid at the end of the day: the partner to be opened with this id.

    Without ``account_no`` and ``bank_bic`` nothing can be paid out yet; an operator adds them.
    """

    id: str = attrs.field(validator=words)
    name: str = attrs.field(validator=words)
    kind: str = "operator"
    account_name: str = ""
    account_no: str = ""
    bank_bic: str = ""
    district: str = ""

    def partner(self) -> Partner:
        """Give what the registry adds."""
        from citycard.registry.records import Partner

        return Partner(**attrs.asdict(self))
