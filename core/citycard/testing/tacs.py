"""The TACs of very many purchases, as their cards would make them: a vault itself only checks TACs."""

from __future__ import annotations

import numpy as np

from citycard.keys import Vault
from citycard.keys.bulk import purchase_tacs
from citycard.keys.columns import Bytes, Numbers
from citycard.keys.suite import suite_of

__all__ = ["make_purchase_tacs"]


def make_purchase_tacs(
    vault: Vault,
    asn8: Bytes,
    key_version: Numbers,
    amount_fen: Numbers,
    tti: Numbers,
    terminal6: Bytes,
    serial: Numbers,
    datetime7: Bytes,
) -> Bytes:
    """Return the TACs of n purchases, shape (n, 4); the columns are those of ``check_purchase_tacs``.

    Raises ``KeyVersionUnknown`` for a version that the vault does not honour.
    """
    made = np.empty((len(asn8), 4), dtype=np.uint8)
    suites = {row.version: suite_of(row.algorithm) for row in vault.versions() if row.purpose == "tac"}
    for version in np.unique(key_version).tolist():
        here = np.flatnonzero(key_version == version)
        keys = vault.card_key_column("tac", asn8[here], version)
        made[here] = purchase_tacs(
            keys,
            amount_fen[here],
            tti[here],
            terminal6[here],
            serial[here],
            datetime7[here],
            suite=suites[version],
        )
        keys.fill(0)
    return made
