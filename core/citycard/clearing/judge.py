"""Judge a bucket: every record ends in exactly one state, and what that means for cards and partners."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime

import attrs

from citycard.card.codec import decode
from citycard.clearing.bucket import Bucket, Known, Verdict
from citycard.clearing.codes import Code, State
from citycard.clearing.context import ClearingTerms, Rating, TacVault
from citycard.clearing.sequence import CardState, CardTrail, Gap, Sighting
from citycard.clearing.verify import verify
from citycard.money import split
from citycard.terminal.record import RecordKind, TransactionRecord

__all__ = ["Judged", "ask_rate", "judge", "price_code"]

_OVERRIDES = frozenset({Code.D04})


@attrs.frozen(kw_only=True)
class Judged:
    """What a bucket came to: its records with their verdicts, the cards' new states and gaps, the spends.

    ``spends`` gives the accepted fen per card with the time of its last tap; ``gaps`` only has cards whose
    gaps changed.
    """

    bucket: Bucket
    states: Mapping[str, CardState]
    gaps: Mapping[str, list[Gap]]
    spends: Mapping[str, tuple[int, datetime]]
    digest: str


def judge(
    bucket: Bucket,
    known: Known,
    terms: ClearingTerms,
    vault: TacVault,
    rate: Callable[[TransactionRecord], Rating],
) -> Judged:
    """Judge every record of a bucket, from its bytes to who gets how much.

    The answer depends on the arguments alone. Whatever the vault raises ends the run, which is then run
    again: a vault that is out of order never makes a record wrong.
    """
    genuine = verify(bucket, known, terms, vault)
    states, gaps = _follow_cards(bucket, known, genuine)
    for place, verdict in enumerate(bucket.verdicts):
        if verdict.code is None:
            _rate(bucket, place, verdict, known, terms, rate)
    return Judged(bucket=bucket, states=states, gaps=gaps, spends=_spends(bucket), digest=_digest(bucket))


def ask_rate(
    rate: Callable[[TransactionRecord], Rating], record: TransactionRecord
) -> tuple[Rating | None, str]:
    """Ask for the rating of a record; give None and what went wrong when there is none."""
    try:
        return rate(record), ""
    except Exception as error:  # noqa: BLE001 - a plugin's code is asked: it may suspend a record, not end the day
        return None, f"{type(error).__name__}: {error}"


def price_code(amount_fen: int, rating: Rating | None, terms: ClearingTerms) -> Code | None:
    """Say what an amount is beside its price: P01, P02, P03, or None when it is as it should be."""
    if rating is None:
        return Code.P02
    if rating.quote is None or rating.quote.amount_fen == amount_fen:
        return None
    return Code.P03 if abs(amount_fen - rating.quote.amount_fen) > terms.price_limit_fen else Code.P01


def _follow_cards(
    bucket: Bucket, known: Known, genuine: list[bool]
) -> tuple[dict[str, CardState], dict[str, list[Gap]]]:
    columns = bucket.columns
    places = [place for place, fine in enumerate(genuine) if fine]
    asns, counters, times = columns["asn"], columns["counter"], columns["at"]
    places.sort(key=lambda place: (asns[place], counters[place], times[place], place))
    states = dict(known.states)
    gaps: dict[str, list[Gap]] = {}
    trail, before = CardTrail(CardState(), (), (), {}), ""
    for place in places:
        asn = asns[place]
        if asn != before:
            trail = _trail(known, asn)
            before = asn
        code = trail.see(
            Sighting(
                counters[place],
                columns["balance_before_fen"][place],
                columns["amount_fen"][place],
                columns["balance_after_fen"][place],
                times[place],
                columns["raw"][place],
            )
        )
        states[asn] = trail.state
        if trail.gaps or asn in known.gaps:
            gaps[asn] = trail.gaps
        if code in _OVERRIDES:
            bucket.verdicts[place].code = code
        elif code is not None:
            bucket.verdicts[place].decide(code)
    return states, {asn: now for asn, now in gaps.items() if now != known.gaps.get(asn, [])}


def _trail(known: Known, asn: str) -> CardTrail:
    return CardTrail(
        known.states.get(asn, CardState()),
        known.gaps.get(asn, ()),
        known.loads.get(asn, ()),
        known.earlier.get(asn, {}),
    )


def _rate(
    bucket: Bucket,
    place: int,
    verdict: Verdict,
    known: Known,
    terms: ClearingTerms,
    rate: Callable[[TransactionRecord], Rating],
) -> None:
    amount_fen: int = bucket.columns["amount_fen"][place]
    if not amount_fen and bucket.columns["kind"][place] == RecordKind.ENTRY:
        return
    rating, _ = ask_rate(rate, decode(TransactionRecord, bucket.columns["raw"][place]))
    code = price_code(amount_fen, rating, terms)
    if code is not None:
        verdict.decide(code)
    if rating is None:
        return
    if rating.quote is not None:
        verdict.price_fen = rating.quote.amount_fen
    if amount_fen and code is not Code.P03:
        acquirer = known.terminals[bucket.columns["terminal"][place]].partner
        verdict.parts = _parts(amount_fen, rating, acquirer)


def _parts(amount_fen: int, rating: Rating, acquirer: str) -> tuple[tuple[str, int], ...]:
    shares = [share for share in rating.shares if share.weight]
    if len(shares) < 2:  # noqa: PLR2004 - nothing to divide
        return ((shares[0].partner if shares else acquirer, amount_fen),)
    shares.sort(key=lambda share: share.partner)
    parts = split(amount_fen, [share.weight for share in shares])
    return tuple((share.partner, part) for share, part in zip(shares, parts, strict=True) if part)


def _spends(bucket: Bucket) -> dict[str, tuple[int, datetime]]:
    sums: dict[str, int] = defaultdict(int)
    last: dict[str, datetime] = {}
    columns = bucket.columns
    rows = zip(bucket.verdicts, columns["asn"], columns["amount_fen"], columns["at"], strict=True)
    for verdict, asn, amount_fen, at in rows:
        if verdict.state is State.ACCEPTED and amount_fen:
            sums[asn] += amount_fen
            last[asn] = max(at, last.get(asn, at))
    return {asn: (sums[asn], last[asn]) for asn in sorted(sums)}


def _digest(bucket: Bucket) -> str:
    digest = hashlib.sha256()
    for raw, verdict in zip(bucket.columns["raw"], bucket.verdicts, strict=True):
        words = [verdict.final.name, *(note.name for note in verdict.notes), str(verdict.price_fen)]
        words += [f"{partner}={fen}" for partner, fen in verdict.parts]
        digest.update(raw)
        digest.update(" ".join(words).encode())
        digest.update(b"\n")
    return digest.hexdigest()
