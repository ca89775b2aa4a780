"""Key versions side by side: one current, older ones accepted until retired; test keys never honoured."""

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

__all__ = ["HONOURED", "KeyStatus", "KeyVersion", "KeyVersions"]


_VERSION_MOST = 0xFF


class KeyStatus(Enum):
    """Where a key version stands: imported and not used yet, used for new cards, honoured, or refused.

    A test key is refused like a retired one, and what it signed is known for what it is.
    """

    WAITING = "waiting"
    CURRENT = "current"
    ACCEPTED = "accepted"
    RETIRED = "retired"
    TEST = "test"


#: Versions whose keys are still good.
HONOURED = frozenset({KeyStatus.CURRENT, KeyStatus.ACCEPTED})


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

    def copy(self) -> KeyVersions:
        """Return the same book, to be gone back to."""
        return KeyVersions(self.purposes.values(), self._rows.values())

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
        return [row for row in self._of(purpose) if row.status in HONOURED]

    def find(self, purpose: str, version: int) -> KeyVersion:
        """Return one usable version; raises ``KeyVersionUnknown`` for a waiting, retired or unknown one."""
        row = self._rows.get((purpose, version))
        if row is None or row.status not in HONOURED:
            usable = ", ".join(str(other.version) for other in self.usable(purpose))
            raise KeyVersionUnknown(purpose=purpose, version=version, usable=usable or "none")
        return row

    def find_any(self, purpose: str, version: int) -> KeyVersion:
        """Return one version in whatever status; raises ``KeyVersionUnknown`` for an unknown one."""
        return self._rows.get((purpose, version)) or self.find(purpose, version)

    def waiting(self, purpose: str, algorithm: Algorithm) -> KeyVersion:
        """Return the row that a key from elsewhere would get: the one that waits, or the next number.

        A family shares its numbers, so the keys of several purposes wait under the same one.
        """
        return KeyVersion(
            purpose=purpose,
            version=self._next(purpose),
            status=KeyStatus.WAITING,
            algorithm=algorithm,
        )

    def add(self, row: KeyVersion) -> None:
        """Add a row that ``waiting`` made."""
        self._rows[row.purpose, row.version] = row

    def roll(self, purpose: str, algorithm: Algorithm | None = None) -> list[KeyVersion]:
        """Make a new current version of a purpose and of its family; the old ones stay accepted.

        Rows that wait become current with their own algorithm.
        """
        number = self._next(purpose)
        for name in self._family(purpose):
            old = self.current(name)
            imported = self._rows.get((name, number))
            chosen = imported.algorithm if imported else old.algorithm if algorithm is None else algorithm
            self._put(name, old.version, KeyStatus.ACCEPTED, old.algorithm)
            self._put(name, number, KeyStatus.CURRENT, chosen)
        return [self.find(name, number) for name in self._family(purpose)]

    def retire(self, purpose: str, version: int, *, test: bool = False) -> list[KeyVersion]:
        """Stop honouring an accepted version, in the whole family; the current one cannot be retired.

        ``test`` says that it was a test key; that can be said of a retired one, too.
        """
        row = self._rows.get((purpose, version))
        if not (test and row and row.status is KeyStatus.RETIRED):
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
            self._put(row.purpose, version, KeyStatus.TEST if test else KeyStatus.RETIRED, row.algorithm)
        return [self._rows[row.purpose, version] for row in gone]

    def _family(self, purpose: str) -> list[str]:
        self._of(purpose)
        family = self.purposes[purpose].family
        return [one.name for one in self.purposes.values() if one.family == family]

    def _next(self, purpose: str) -> int:
        rows = [row for name in self._family(purpose) for row in self._of(name)]
        number = next((row.version for row in rows if row.status is KeyStatus.WAITING), None)
        number = number or 1 + max(row.version for row in rows)
        if number > _VERSION_MOST:
            raise KeyVersionsFull(purpose=purpose)
        return number

    def _put(self, purpose: str, version: int, status: KeyStatus, algorithm: Algorithm) -> None:
        self._rows[purpose, version] = KeyVersion(
            purpose=purpose, version=version, status=status, algorithm=algorithm
        )

    def _of(self, purpose: str) -> list[KeyVersion]:
        if purpose not in self.purposes:
            raise KeyPurposeUnknown(name=purpose, known=", ".join(sorted(self.purposes)))
        return [row for (name, _), row in self._rows.items() if name == purpose]
