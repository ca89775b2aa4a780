"""Check each record for itself: can it be read, who signed it, does the card exist (stages 1 to 4)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from citycard.clearing.bucket import Bucket, Known
from citycard.clearing.codes import Code
from citycard.clearing.columns import PLACES
from citycard.clearing.context import ClearingTerms, TacVault
from citycard.keys.cipher import Algorithm
from citycard.keys.versions import KeyStatus
from citycard.terminal.record import MAC_OFFSET, RecordFlag

__all__ = ["usable_tac_versions", "verify"]

_TTIS: Final = frozenset({6, 9})
# Cards say 01, single DES, and use 3DES.
_ALGORITHMS: Final = frozenset({1, *Algorithm})
_CHECKED: Final = (
    "readable",
    "issuer",
    "terminal",
    "batch_terminal",
    "balance_before_fen",
    "amount_fen",
    "balance_after_fen",
    "tti",
    "algorithm",
    "at",
    "business_date",
)
_DAY: Final = timedelta(days=1)


def usable_tac_versions(vault: TacVault) -> frozenset[int]:
    """List the TAC key versions that the vault still honours."""
    return frozenset(
        row.version
        for row in vault.versions()
        if row.purpose == "tac" and row.status in {KeyStatus.CURRENT, KeyStatus.ACCEPTED}
    )


def verify(bucket: Bucket, known: Known, terms: ClearingTerms, vault: TacVault) -> list[bool]:
    """Decide what one record alone can tell; say which records are genuine.

    A record is genuine when the terminal's MAC and the card's TAC hold and the card was issued: then the card
    really moved on by it, whatever else is wrong.
    """
    _check_fields(bucket, known, terms)
    _find_repeated(bucket)
    _check_terminal_macs(bucket, vault)
    _check_tacs(bucket, vault)
    _find_reused_proofs(bucket)
    genuine = [verdict.code is None or verdict.code is Code.R04 for verdict in bucket.verdicts]
    _check_standing(bucket, known, genuine)
    return genuine


def _check_fields(bucket: Bucket, known: Known, terms: ClearingTerms) -> None:
    oldest = timedelta(days=terms.oldest_days)
    rows = zip(bucket.verdicts, *(bucket.columns[name] for name in _CHECKED), strict=True)
    for verdict, readable, issuer, terminal, signer, before, amount, after, tti, algorithm, at, day in rows:
        if not readable:
            verdict.code = Code.R01
        elif issuer not in terms.issuers:
            verdict.code = Code.R02
        elif terminal != signer or terminal not in known.terminals:
            verdict.code = Code.R03
        elif before - amount != after or amount > terms.amount_limit_fen:
            verdict.code = Code.R05
        elif tti not in _TTIS:
            verdict.code = Code.R06
        elif algorithm not in _ALGORITHMS:
            verdict.code = Code.R07
        elif not -_DAY <= day - at.date() <= oldest:
            verdict.code = Code.R04


def _find_repeated(bucket: Bucket) -> None:
    # A copy that was refused, such as one in another terminal's batch, must not take the true one's place.
    verdicts, raws = bucket.verdicts, bucket.columns["raw"]
    seen: set[bytes] = set()
    for place in sorted(_unrefused(bucket), key=lambda place: verdicts[place].code is Code.R04):
        if raws[place] in seen:
            verdicts[place].code = Code.D01
        seen.add(raws[place])


def _find_reused_proofs(bucket: Bucket) -> None:
    """Suspend a second debit under one serial of a terminal: a TAC covers the serial, not the counter."""
    columns = bucket.columns
    seen: set[tuple[str, str, int]] = set()
    for place in sorted(_unrefused(bucket), key=columns["counter"].__getitem__):
        key = (columns["asn"][place], columns["terminal"][place], columns["terminal_serial"][place])
        if key in seen:
            bucket.verdicts[place].code = Code.D03
        seen.add(key)


def _unrefused(bucket: Bucket) -> Iterator[int]:
    for place, verdict in enumerate(bucket.verdicts):
        if verdict.code is None or verdict.code is Code.R04:
            yield place


def _check_terminal_macs(bucket: Bucket, vault: TacVault) -> None:
    raws, mac, terminal = bucket.columns["raw"], PLACES["mac"], PLACES["terminal"]
    check = vault.check_terminal_mac
    # A vault whose keys are in a token is asked once per bucket instead of once per terminal.
    vault.prepare_terminals(raws[place][terminal] for place in _unrefused(bucket))
    for place in _unrefused(bucket):
        raw = raws[place]
        if not check(raw[terminal], raw[:MAC_OFFSET], raw[mac]):
            bucket.verdicts[place].code = Code.R08


def _check_tacs(bucket: Bucket, vault: TacVault) -> None:
    columns, check, usable = bucket.columns, vault.check_purchase_tac, usable_tac_versions(vault)
    asn, terminal, at, tac = (PLACES[name] for name in ("asn", "terminal", "at", "tac"))
    asn8 = slice(asn.stop - 8, asn.stop)
    # A vault whose keys are in a token is asked once per bucket instead of once per record.
    vault.prepare_tacs(
        (columns["raw"][place][asn8], columns["key_version"][place]) for place in _unrefused(bucket)
    )
    signed: dict[int, tuple[int, int, bytes, int, bytes, bytes]] = {}
    for place in _unrefused(bucket):
        raw, version = columns["raw"][place], columns["key_version"][place]
        if columns["flags"][place] & RecordFlag.UNPROVEN:
            bucket.verdicts[place].code = Code.G01
            continue
        if version not in usable:
            bucket.verdicts[place].code = Code.T02
            continue
        values = (
            columns["amount_fen"][place],
            columns["tti"][place],
            raw[terminal],
            columns["terminal_serial"][place],
            raw[at],
            raw[tac],
        )
        if not check(raw[asn8], version, *values):
            signed[place] = values
    # A card that was taken away while it got new keys has the new TAC key before its version says so. The
    # token is asked for these at once, too: a file full of wrong TACs must not slow it down.
    vault.prepare_tacs(
        (columns["raw"][place][asn8], other)
        for place in signed
        for other in usable - {columns["key_version"][place]}
    )
    for place, values in signed.items():
        others = usable - {columns["key_version"][place]}
        if not any(check(columns["raw"][place][asn8], other, *values) for other in others):
            bucket.verdicts[place].code = Code.T01


def _check_standing(bucket: Bucket, known: Known, genuine: list[bool]) -> None:
    columns = bucket.columns
    for place, verdict in enumerate(bucket.verdicts):
        if not genuine[place]:
            continue
        asn, at = columns["asn"][place], columns["at"][place]
        if asn not in known.cards:
            genuine[place] = False
            verdict.decide(Code.B03)
            continue
        closed = known.cards[asn]
        if closed is not None and at > closed:
            verdict.decide(Code.B03)
        for listing in known.listings.get(asn, ()):
            code = listing.judge(columns["blacklist"][place], at)
            if code is not None:
                verdict.decide(code)
        standing = known.terminals[columns["terminal"][place]]
        if standing.revoked:
            verdict.decide(Code.B05)
        elif standing.sam_revoked_at is not None and at > standing.sam_revoked_at:
            verdict.decide(Code.B06)
