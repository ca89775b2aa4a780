"""Seal the city's ledger with the vault's key, and verify it against the seals and what was noted of them.

Which seal is the newest is noted in the city's folder, outside the database: whoever takes seals away from
the end there is found out. Whoever can write in both places is not, so publish a seal's hash now and then.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import attrs
from sqlalchemy import select

from citycard.city.leases import job_runs
from citycard.errors import LedgerAltered
from citycard.files import write_whole
from citycard.ledger.findings import Verification
from citycard.ledger.sealing import seal_ledger
from citycard.ledger.seals import Seal, SealHead, last_seal
from citycard.ledger.tables import ledger
from citycard.ledger.verifying import verify_ledger
from citycard.store import reading

if TYPE_CHECKING:
    from citycard.city.city import City

__all__ = [
    "HEAD_NAME",
    "SEALING",
    "VERIFYING",
    "SealState",
    "noted_head",
    "require_unaltered",
    "seal_city",
    "seal_state",
    "verify_city",
]

HEAD_NAME = "seal.json"
SEALING, VERIFYING = "citycard.seal-ledger", "citycard.verify-ledger"


@attrs.frozen(kw_only=True)
class SealState:
    """How far the ledger is sealed, and whether it was found as it was sealed.

    ``seal``, ``hash`` and ``sealed_at`` are of the newest seal, ``waiting`` counts the transfers since.
    ``verified_at`` is when the ledger was last verified as a job, ``trouble`` what sealing or verifying had
    to say against it; both are empty when there is nothing.
    """

    seal: int
    hash: str
    sealed_at: datetime | None
    transfers: int
    waiting: int
    verified_at: datetime | None
    trouble: str


def seal_city(city: City) -> list[Seal]:
    """Seal what the ledger has now and return the seals made; none when nothing waits.

    May be interrupted, and called by any number of processes.
    """
    made = seal_ledger(city.engine, city.vault.seal_signer(), city.clock)
    with reading(city.engine) as conn:
        newest = last_seal(conn)
    noted = noted_head(city)
    # Seals that were taken away stay noted: a lower number never replaces a higher one.
    if newest.seq and (noted is None or newest.seq > noted.seq):
        content = json.dumps({"seal": newest.seq, "hash": newest.hash32.hex()})
        write_whole(city.folder / HEAD_NAME, f"{content}\n".encode())
    return made


def noted_head(city: City) -> SealHead | None:
    """Return the newest seal that was noted in the city's folder; None when none was, or it is unreadable."""
    try:
        noted = json.loads((city.folder / HEAD_NAME).read_bytes())
        return SealHead(seq=int(noted["seal"]), hash32=bytes.fromhex(noted["hash"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def verify_city(
    city: City,
    heads: Sequence[SealHead] = (),
    *,
    progress: Callable[[str, int], None] = lambda _what, _count: None,
) -> Verification:
    """Verify the ledger; ``heads`` are seals noted elsewhere, beside the one in the city's folder."""
    noted = noted_head(city)
    known = [*heads, *([] if noted is None else [noted])]
    return verify_ledger(city.engine, city.vault.seal_keys(), heads=known, progress=progress)


def seal_state(city: City) -> SealState:
    """Say how far the ledger is sealed and what the jobs that seal and verify it last said."""
    with reading(city.engine) as conn:
        newest = last_seal(conn)
        number: int = conn.scalar(select(ledger.c.posted_seq)) or 0
    runs = job_runs(city)
    said = [runs[job].outcome for job in (VERIFYING, SEALING) if job in runs]
    verified = runs.get(VERIFYING)
    return SealState(
        seal=newest.seq,
        hash=newest.hash32.hex() if newest.seq else "",
        sealed_at=newest.sealed_at if newest.seq else None,
        transfers=newest.last_posted_seq,
        waiting=number - newest.last_posted_seq,
        verified_at=None if verified is None else verified.finished_at,
        trouble="; ".join(one for one in said if one not in {"", "done"}),
    )


def require_unaltered(city: City) -> None:
    """Verify the ledger, and raise LedgerAltered with the first thing that is wrong."""
    findings = verify_city(city).findings
    if findings:
        raise LedgerAltered(found=findings[0].found, count=len(findings))
