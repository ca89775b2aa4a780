"""The half of a vault that answers for columns of records: millions at once, as NumPy arrays."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from citycard.keys.diversify import KeyDeriver
from citycard.keys.suite import Suite
from citycard.keys.versions import KeyVersions

if TYPE_CHECKING:
    from citycard.keys.columns import Answers, Bytes, Numbers

__all__ = ["ColumnVault"]


class ColumnVault:
    """Answers for each row of its columns what a ``Vault`` answers for one record.

    Columns of bytes have type uint8 and shape (n, length in the name), numbers have shape (n,). A column of
    another shape, type or range raises ``ColumnInvalid``. Memory beside the columns does not grow with n. A
    card's key is derived once per million records, so sort them by card; a token is asked once per 4,096.
    """

    _book: KeyVersions

    @abstractmethod
    def _diversifier(self, purpose: str, version: int) -> tuple[KeyDeriver, Suite]:
        """Return a purpose's key and its suite; raises ``KeyVersionUnknown`` for a version not usable."""

    def _usable(self, purpose: str) -> dict[int, tuple[KeyDeriver, Suite]]:
        """Return the versions of a purpose that are honoured, the current one first."""
        versions = [self._book.current(purpose), *self._book.usable(purpose)]
        return {row.version: self._diversifier(purpose, row.version) for row in versions}

    def check_purchase_tacs(
        self,
        asn8: Bytes,
        key_version: Numbers,
        amount_fen: Numbers,
        tti: Numbers,
        terminal6: Bytes,
        serial: Numbers,
        datetime7: Bytes,
        tac4: Bytes,
    ) -> Answers:
        """Say of each record whether its card made its TAC; false for a retired or unknown key version."""
        from citycard.keys.checks import check_purchase_tacs
        from citycard.keys.purchases import Purchases

        purchases = Purchases(
            amount_fen=amount_fen, tti=tti, terminal6=terminal6, serial=serial, datetime7=datetime7
        )
        return check_purchase_tacs(self._usable("tac"), asn8, key_version, purchases, tac4)

    def check_terminal_macs(self, terminal6: Bytes, data: Bytes, mac: Bytes) -> Answers:
        """Say of each record whether its terminal made its 4-byte MAC, by any version that is honoured.

        ``data`` is what the MAC covers, shape (n, 122) for records. It is quickest where terminals have many
        records each.
        """
        from citycard.keys.checks import check_terminal_macs

        derivers = [deriver for deriver, _ in self._usable("batch").values()]
        return check_terminal_macs(derivers, terminal6, data, mac)

    def card_key_column(self, purpose: str, asn8: Bytes, version: int) -> Bytes:
        """Return the key of each row's card, shape (n, 16): what ``card_key`` returns of one."""
        from citycard.keys.checks import card_keys

        return card_keys(self._diversifier(purpose, version)[0], asn8)

    def make_terminal_macs(self, terminal6: Bytes, data: Bytes) -> Bytes:
        """Return the first 4 bytes of what ``terminal_mac`` returns for each row, shape (n, 4)."""
        from citycard.keys.checks import made_terminal_macs

        deriver, _ = next(iter(self._usable("batch").values()))
        return made_terminal_macs(deriver, terminal6, data)
