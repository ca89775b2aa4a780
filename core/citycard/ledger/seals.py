"""Seals: what one says, the bytes that are hashed and signed, and how they follow one another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import attrs
from sqlalchemy import Connection, select

from citycard.errors import SealMissing
from citycard.ledger.tables import seal

__all__ = ["NO_SEAL", "Seal", "SealHead", "find_seal", "last_seal", "seals", "seals_before", "text_of"]

_FORMAT = "citycard-seal-1"
_MOMENT = "%Y-%m-%d %H:%M:%S.%f"
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@attrs.frozen(kw_only=True)
class SealHead:
    """A seal's number and hash: whoever keeps them somewhere else can tell when seals were taken away."""

    seq: int
    hash32: bytes


@attrs.frozen(kw_only=True)
class Seal:
    """One seal over a span of the ledger.

    It covers the transfers from ``first_posted_seq`` to ``last_posted_seq``, what was refused since the seal
    before until ``refused_until``, and the accounts that the ledger had by then.

    The roots are Merkle roots (``merkle``) over ``leaves``. ``sums`` are what was moved since the ledger
    began, by currency: debits and credits. ``prev_hash`` is the hash of the seal before, zeros for the first.
    """

    seq: int
    first_posted_seq: int
    last_posted_seq: int
    refused_until: datetime
    accounts: int
    transfers: int
    refusals: int
    accounts_root: bytes
    transfers_root: bytes
    refusals_root: bytes
    sums: dict[str, tuple[int, int]]
    prev_hash: bytes
    sealed_at: datetime
    key_id: str = ""
    signature: bytes = b""

    @property
    def content(self) -> str:
        """What is hashed and signed: JSON with sorted names and without spaces."""
        return _canonical(
            {
                "format": _FORMAT,
                "seq": self.seq,
                "first_posted_seq": self.first_posted_seq,
                "last_posted_seq": self.last_posted_seq,
                "refused_until": text_of(self.refused_until),
                "accounts": self.accounts,
                "transfers": self.transfers,
                "refusals": self.refusals,
                "accounts_root": self.accounts_root.hex(),
                "transfers_root": self.transfers_root.hex(),
                "refusals_root": self.refusals_root.hex(),
                "sums": _sums(self.sums),
                "prev_hash": self.prev_hash.hex(),
                "sealed_at": text_of(self.sealed_at),
                "key_id": self.key_id,
            }
        )

    @property
    def hash32(self) -> bytes:
        """The SHA-256 of the content, which the next seal repeats; zeros stand before the first."""
        return bytes(32) if not self.seq else hashlib.sha256(self.content.encode()).digest()

    @property
    def head(self) -> SealHead:
        """The number and the hash."""
        return SealHead(seq=self.seq, hash32=self.hash32)

    def row(self) -> dict[str, Any]:
        """Return the seal as a row of its table."""
        named = {field.name: getattr(self, field.name) for field in attrs.fields(Seal)}
        return named | {"sums": _canonical(_sums(self.sums))}

    @classmethod
    def of(cls, row: Any) -> Seal:
        """Read a row of the table; raise ValueError when its sums are not written as a seal writes them."""
        sums = {name: (int(one["debits"]), int(one["credits"])) for name, one in json.loads(row.sums).items()}
        if _canonical(_sums(sums)) != row.sums:
            msg = f"the sums of seal {row.seq} are {row.sums!r}"
            raise ValueError(msg)
        return cls(**dict(row._mapping) | {"sums": sums})  # noqa: SLF001 - a Row's own way


#: What stands before the first seal.
NO_SEAL = Seal(
    seq=0,
    first_posted_seq=1,
    last_posted_seq=0,
    refused_until=_BEGINNING,
    accounts=0,
    transfers=0,
    refusals=0,
    accounts_root=b"",
    transfers_root=b"",
    refusals_root=b"",
    sums={},
    prev_hash=b"",
    sealed_at=_BEGINNING,
)


def last_seal(conn: Connection) -> Seal:
    """Return the newest seal; ``NO_SEAL`` before the first."""
    row = conn.execute(select(seal).order_by(seal.c.seq.desc()).limit(1)).one_or_none()
    return NO_SEAL if row is None else Seal.of(row)


def find_seal(conn: Connection, seq: int) -> Seal:
    """Return a seal by its number; raise SealMissing."""
    row = conn.execute(select(seal).where(seal.c.seq == seq)).one_or_none()
    if row is None:
        raise SealMissing(seq=seq, last=last_seal(conn).seq)
    return Seal.of(row)


def seals(conn: Connection) -> Iterator[Seal]:
    """Give all seals, oldest first."""
    query = select(seal).order_by(seal.c.seq)
    return (Seal.of(row) for row in conn.execute(query.execution_options(yield_per=1000)))


def seals_before(conn: Connection, before: int | None = None, limit: int = 100) -> list[Seal]:
    """Give the newest seals below a number, newest first."""
    query = select(seal).order_by(seal.c.seq.desc()).limit(limit)
    return [
        Seal.of(row) for row in conn.execute(query if before is None else query.where(seal.c.seq < before))
    ]


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _sums(sums: dict[str, tuple[int, int]]) -> dict[str, dict[str, int]]:
    return {name: {"debits": debits, "credits": credits_} for name, (debits, credits_) in sums.items()}


def text_of(moment: datetime) -> str:
    """Write a moment as seals and leaves do: UTC, to the microsecond."""
    return moment.astimezone(UTC).strftime(_MOMENT)
