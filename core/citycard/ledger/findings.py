"""What verifying the ledger found, and what it looked at."""

from __future__ import annotations

import attrs

from citycard.ledger.seals import SealHead

__all__ = ["Finding", "Verification"]


@attrs.frozen(kw_only=True)
class Finding:
    """Something that is not as it was sealed, or does not follow from the transfers.

    ``part`` is the kind of thing: file, seal, account, transfer, refusal, answer, balance, hold, limit,
    ledger, or audit. ``seal`` and ``posted_seq`` say where, ``id`` which (a transfer's or hold's id, an
    account's address, a limit's key), ``field`` what of it, each as far as it can be known.
    """

    part: str
    found: str
    field: str = ""
    id: str = ""
    seal: int | None = None
    posted_seq: int | None = None


@attrs.frozen(kw_only=True)
class Verification:
    """The outcome of a verification: what was read, what of it no seal covers yet, and what was found.

    ``head`` is the newest seal; note it somewhere else, and the next verification can hold the ledger to it.
    """

    seals: int
    accounts: int
    transfers: int
    refusals: int
    head: SealHead | None
    findings: tuple[Finding, ...]
    unsealed_accounts: int = 0
    unsealed_transfers: int = 0
    unsealed_refusals: int = 0

    @property
    def holds(self) -> bool:
        """Say whether everything is as it must be."""
        return not self.findings
