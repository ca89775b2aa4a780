"""Key versions side by side: one current, older ones accepted until retired."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

import attrs

from citycard.errors import (
    KeyPurposeClash,
    KeyPurposeUnknown,
    KeyVersionInUse,
    KeyVersionsFull,
    KeyVersionUnknown,
)
from citycard.keys.cipher import Algorithm
from citycard.keys.hierarchy import KeyPurpose

__all__ = ["KeyStatus", "KeyVersion", "KeyVersions"]


_VERSION_MOST = 0xFF


class KeyStatus(Enum):
    """Where a key version stands: used for new cards, still honoured, or refused."""

    CURRENT = "current"
    ACCEPTED = "accepted"
    RETIRED = "retired"


@attrs.frozen(kw_only=True)
class KeyVersion:
    """One version of one purpose, as a list may show it: it holds no key."""

    purpose: str
    version: int
    status: KeyStatus
    algorithm: Algorithm = Algorithm.TDES


class KeyVersions:
    """The purposes of a city and their versions: pure book-keeping, without a key in it."""

    def __init__(self, purposes: Iterable[KeyPurpose] = (), versions: Iterable[KeyVersion] = ()) -> None:
        self.purposes = {purpose.name: purpose for purpose in purposes}
        self._rows = {(row.purpose, row.version): row for row in versions}

    def rows(self) -> list[KeyVersion]:
        """Return every version, by purpose in the order declared, then by number."""
        order = {name: place for place, name in enumerate(self.purposes)}
        return sorted(self._rows.values(), key=lambda row: (order[row.purpose], row.version))

    def ensure(self, purposes: Iterable[KeyPurpose]) -> bool:
        """Add purposes not yet known, each with version 1 current; say whether anything was new.

        Raises ``KeyPurposeClash`` when a name belongs to another owner, or stands for another kind of key.
        """
        fresh: dict[str, KeyPurpose] = {}
        for purpose in purposes:
            known = self.purposes.get(purpose.name) or fresh.setdefault(purpose.name, purpose)
            if (known.owner, known.kind, known.family) != (purpose.owner, purpose.kind, purpose.family):
                raise KeyPurposeClash(name=purpose.name, owner=purpose.owner, other=known.owner)
        self.purposes |= fresh
        for purpose in fresh.values():
            self._put(purpose.name, 1, KeyStatus.CURRENT, purpose.algorithm)
        return bool(fresh)

    def current(self, purpose: str) -> KeyVersion:
        """Return the version that new cards get."""
        for row in self._of(purpose):
            if row.status is KeyStatus.CURRENT:
                return row
        raise KeyVersionUnknown(purpose=purpose, version="current", usable="none")

    def usable(self, purpose: str) -> list[KeyVersion]:
        """Return the versions that are honoured: the current and the accepted."""
        return [row for row in self._of(purpose) if row.status is not KeyStatus.RETIRED]

    def find(self, purpose: str, version: int) -> KeyVersion:
        """Return one usable version; raises ``KeyVersionUnknown`` for a retired or unknown one."""
        row = self._rows.get((purpose, version))
        if row is None or row.status is KeyStatus.RETIRED:
            usable = ", ".join(str(other.version) for other in self.usable(purpose))
            raise KeyVersionUnknown(purpose=purpose, version=version, usable=usable or "none")
        return row

    def roll(self, purpose: str, algorithm: Algorithm | None = None) -> list[KeyVersion]:
        """Make a new current version of a purpose and of its family; the old ones stay accepted."""
        self._of(purpose)
        family = [one.name for one in self.purposes.values() if one.family == self.purposes[purpose].family]
        number = 1 + max(row.version for name in family for row in self._of(name))
        if number > _VERSION_MOST:
            raise KeyVersionsFull(purpose=purpose)
        for name in family:
            old = self.current(name)
            self._put(name, old.version, KeyStatus.ACCEPTED, old.algorithm)
            self._put(name, number, KeyStatus.CURRENT, old.algorithm if algorithm is None else algorithm)
        return [self.find(name, number) for name in family]

    def retire(self, purpose: str, version: int) -> list[KeyVersion]:
        """Stop honouring an accepted version, in the whole family; the current one cannot be retired."""
        row = self.find(purpose, version)
        if row.status is KeyStatus.CURRENT:
            raise KeyVersionInUse(purpose=purpose, version=version)
        family = self.purposes[purpose].family
        gone = [
            row
            for row in self._rows.values()
            if row.version == version and self.purposes[row.purpose].family == family
        ]
        for row in gone:
            self._put(row.purpose, version, KeyStatus.RETIRED, row.algorithm)
        return [self._rows[row.purpose, version] for row in gone]

    def _put(self, purpose: str, version: int, status: KeyStatus, algorithm: Algorithm) -> None:
        self._rows[purpose, version] = KeyVersion(
            purpose=purpose, version=version, status=status, algorithm=algorithm
        )

    def _of(self, purpose: str) -> list[KeyVersion]:
        if purpose not in self.purposes:
            raise KeyPurposeUnknown(name=purpose, known=", ".join(sorted(self.purposes)))
        return [row for (name, _), row in self._rows.items() if name == purpose]
