"""Judge a bucket: every record ends in exactly one state, and what that means for cards and partners."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import attrs
import numpy as np
import pyarrow as pa

from citycard.clearing.bucket import Bucket, Known, States
from citycard.clearing.codes import Code
from citycard.clearing.columns import Array
from citycard.clearing.context import ClearingTerms, Rates, TacVault
from citycard.clearing.following import follow_cards
from citycard.clearing.rating import Asked, of_the_day, rate_all
from citycard.clearing.sequence import Gap
from citycard.clearing.settled import judge_settled
from citycard.clearing.shadows import note_shadows
from citycard.clearing.verdicts import ACCEPTED, CODES, HELD, Verdicts
from citycard.clearing.verify import check_cards, check_terminals, out_of_time, verify

__all__ = ["Judged", "judge"]


@attrs.frozen(kw_only=True, eq=False)
class Judged:
    """What a bucket came to: its records with their verdicts, the cards' new states and gaps.

    ``final`` has the number of each record's one code; ``gaps`` only has cards whose gaps changed, ``unseen``
    the states of other cards.
    """

    bucket: Bucket
    verdicts: Verdicts
    final: Array
    states: States
    unseen: pa.Table | None
    gaps: Mapping[str, list[Gap]]
    digest: str

    @property
    def told(self) -> Array:
        """Say of which records this run tells where they ended: all but those that stay held as before."""
        found: Array = (self.bucket.held_run == 0) | ~HELD[self.final]
        return found


def judge(
    bucket: Bucket, known: Known, terms: ClearingTerms, vault: TacVault, rates: Rates, asked: Asked
) -> Judged:
    """Judge every record of a bucket, from its bytes to who gets how much.

    The answer depends on the arguments alone. Whatever the vault raises ends the run, which is then run
    again: a vault that is out of order never makes a record wrong. ``asked`` only saves asking twice.
    """
    verdicts = Verdicts.of(len(bucket))
    genuine = verify(bucket, verdicts, known, terms, vault)
    foreign = known.foreign(bucket)
    followed = follow_cards(bucket, verdicts, known, genuine, *of_the_day(bucket, rates))
    _confirm(bucket, verdicts, known, terms, followed.confirmed)
    rate_all(bucket, verdicts, known, terms, rates, asked, followed.today)
    verdicts.set(verdicts.open & foreign, Code.X01)
    judge_settled(bucket, verdicts, known.settled)
    note_shadows(bucket, verdicts, known, followed.states.short)
    final = verdicts.final()
    _spend(followed.states, bucket, final)
    return Judged(
        bucket=bucket,
        verdicts=verdicts,
        final=final,
        states=followed.states,
        unseen=known.unseen,
        gaps=followed.gaps,
        digest=_digest(bucket, verdicts, final),
    )


def _confirm(
    bucket: Bucket, verdicts: Verdicts, known: Known, terms: ClearingTerms, places: list[int]
) -> None:
    """Check debits that happened after all for what is only asked of those that did."""
    if not places:
        return
    happened = np.zeros(len(bucket), bool)
    happened[places] = True
    verdicts.codes[happened] = 0
    verdicts.decide(places, Code.G05)
    verdicts.decide(np.flatnonzero(happened & out_of_time(bucket, terms)), Code.R04)
    check_cards(bucket, verdicts, known, happened)
    check_terminals(bucket, verdicts, known, happened)


def _spend(states: States, bucket: Bucket, final: Array) -> None:
    """Add what was accepted to what each card had spent before."""
    places = np.flatnonzero(ACCEPTED[final])
    np.add.at(states.spent_fen, bucket.card[places], bucket.amount_fen[places])


def _digest(bucket: Bucket, verdicts: Verdicts, final: Array) -> str:
    digest = hashlib.sha256(bucket.records.tobytes())
    digest.update(np.array([code.name for code in CODES], "S3")[final].tobytes())
    for place, notes in verdicts.noted(final).items():
        digest.update(f"{place} {' '.join(note.name for note in notes)}\n".encode())
    digest.update(verdicts.price_fen.astype("<i8").tobytes())
    # In which order divisions were met says nothing.
    texts = [" ".join(f"{partner}={fen}" for partner, fen in parts) for parts in verdicts.divisions]
    order = sorted(range(len(texts)), key=texts.__getitem__)
    digest.update("\n".join(texts[place] for place in order).encode())
    rank = np.full(len(texts) + 1, -1)
    rank[order] = np.arange(len(texts))
    digest.update(rank[verdicts.division].astype("<i8").tobytes())
    return digest.hexdigest()
