"""Check each record for itself: can it be read, who signed it, does the card exist (stages 1 to 4)."""

from __future__ import annotations

from typing import Final

import numpy as np

from citycard.clearing.bucket import Bucket, Known
from citycard.clearing.codes import Code
from citycard.clearing.columns import Array, digits, whole
from citycard.clearing.context import ClearingTerms, TacVault
from citycard.clearing.verdicts import NUMBERS, Verdicts
from citycard.errors import AlgorithmMissing, MechanismMissing, TokenFailed, TokenKeyMissing, TokenMissing
from citycard.keys.cipher import Algorithm
from citycard.keys.lanes import block_words
from citycard.keys.versions import KeyStatus
from citycard.terminal.record import MAC_OFFSET, RecordFlag

__all__ = [
    "KEY_UNUSABLE",
    "all_tac_keys_usable",
    "check_cards",
    "check_tacs",
    "check_terminals",
    "deferred_tac_versions",
    "mac_versions",
    "macs_hold",
    "out_of_time",
    "usable_tac_versions",
    "verify",
]

_TTIS: Final = (6, 9)
# Cards say 01, single DES, and use 3DES.
_ALGORITHMS: Final = (1, *(int(one) for one in Algorithm))
#: What a vault raises because of one key, while others can be used.
KEY_UNUSABLE: Final = (AlgorithmMissing, MechanismMissing, TokenKeyMissing)
# Odd numbers by which what is alike in several fields becomes alike in one.
_MIXED: Final = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)


def usable_tac_versions(vault: TacVault) -> frozenset[int]:
    """List the TAC key versions that the vault still honours."""
    return _honoured(vault, "tac")


def mac_versions(vault: TacVault) -> frozenset[int]:
    """List the key versions of terminals' MACs that the vault still honours."""
    return _honoured(vault, "batch")


def _honoured(vault: TacVault, purpose: str) -> frozenset[int]:
    return frozenset(
        row.version
        for row in vault.versions()
        if row.purpose == purpose and row.status in {KeyStatus.CURRENT, KeyStatus.ACCEPTED}
    )


def deferred_tac_versions(vault: TacVault) -> frozenset[int]:
    """List the honoured TAC key versions whose key the vault cannot use now, such as one that a token lost.

    Raise what the vault raises when it can use none, or does not answer at all.
    """
    usable, deferred = usable_tac_versions(vault), set[int]()
    for version in sorted(usable):
        try:
            vault.check_value("tac", version)
        except KEY_UNUSABLE:
            deferred.add(version)
            if len(deferred) == len(usable):
                raise
    return frozenset(deferred)


def all_tac_keys_usable(vault: TacVault) -> bool:
    """Say whether the vault can use the key of every honoured TAC key version now.

    Raise what the vault raises when it does not answer at all.
    """
    try:
        return not deferred_tac_versions(vault)
    except KEY_UNUSABLE:
        return False


def _test_versions(vault: TacVault) -> list[int]:
    return [row.version for row in vault.versions() if row.purpose == "tac" and row.status is KeyStatus.TEST]


def verify(bucket: Bucket, verdicts: Verdicts, known: Known, terms: ClearingTerms, vault: TacVault) -> Array:
    """Decide what one record alone can tell; say which records are genuine.

    A record is genuine when the terminal's MAC and the card's TAC hold and the card was issued: then the card
    really moved on by it, whatever else is wrong. Of a card of another city only its issuer can say so: what
    the card says is left to it.
    """
    foreign = known.foreign(bucket)
    _check_fields(bucket, verdicts, known, terms, foreign)
    _find_repeated(bucket, verdicts)
    _check_terminal_macs(bucket, verdicts, vault)
    _check_tacs(bucket, verdicts, known, vault, foreign)
    _find_reused_proofs(bucket, verdicts)
    _find_earlier(bucket, verdicts, known, foreign)
    genuine = verdicts.unrefused & known.issued[bucket.card] & ~foreign
    verdicts.decide(np.flatnonzero(verdicts.unrefused & ~genuine & ~foreign), Code.B03)
    check_cards(bucket, verdicts, known, genuine)
    check_terminals(bucket, verdicts, known, genuine | (verdicts.unrefused & foreign))
    # A card that nobody issued never comes to confirm anything.
    unissued = ~known.issued[bucket.card] & ~foreign
    verdicts.set((verdicts.codes == NUMBERS[Code.G01]) & unissued, Code.B03)
    return genuine


def _check_fields(
    bucket: Bucket, verdicts: Verdicts, known: Known, terms: ClearingTerms, foreign: Array
) -> None:
    records = bucket.records
    issuers = [int(issuer, 16) for issuer in terms.issuers]
    ours = np.isin(block_words(digits(records, "issuer")), np.array(issuers, np.uint64))
    strange = (bucket.terminal != bucket.signer) | ~np.isin(bucket.terminal, list(known.terminals))
    adds_up = bucket.before_fen - bucket.amount_fen == bucket.after_fen
    checks = (
        (Code.R01, ~bucket.readable),
        (Code.R02, ~(ours | foreign)),
        # The terminals of another city are known to it alone: it checked them, and signed for that.
        (Code.R03, strange & ~bucket.from_city),
        (Code.R05, ~adds_up | (bucket.amount_fen > terms.amount_limit_fen)),
        (Code.R06, ~np.isin(records["tti"], _TTIS)),
        (Code.R07, ~np.isin(records["algorithm"], _ALGORITHMS)),
        (Code.R04, out_of_time(bucket, terms)),
    )
    for code, wrong in checks:
        verdicts.set(verdicts.open & wrong, code)


def out_of_time(bucket: Bucket, terms: ClearingTerms) -> Array:
    """Say which records are dated in the future or too long before their business date (R04)."""
    days = (bucket.day - bucket.at.astype("datetime64[D]")).astype(np.int64)
    found: Array = (days < -1) | (days > terms.oldest_days)
    return found


def _find_repeated(bucket: Bucket, verdicts: Verdicts) -> None:
    # A copy that was refused, such as one in another terminal's batch, must not take the true one's place.
    counters = bucket.card * (1 << 16) + bucket.counter
    late, held = verdicts.codes == NUMBERS[Code.R04], bucket.held_run > 0
    seen: dict[bytes, int] = {}
    # What an earlier run holds was there first.
    for place in sorted(_alike(counters, verdicts.unrefused), key=lambda one: (not held[one], late[one])):
        first = seen.setdefault(bucket.records[place].tobytes(), place)
        if first != place:
            verdicts.codes[place] = NUMBERS[Code.D04 if held[first] else Code.D01]


def _find_reused_proofs(bucket: Bucket, verdicts: Verdicts) -> None:
    """Suspend a second debit under one serial of a terminal: a TAC covers the serial, not the counter."""
    counter, serial = bucket.records["counter"], bucket.records["terminal_serial"]
    mixed = np.zeros(len(bucket), np.uint64)
    for values, odd in zip((bucket.card, bucket.terminal, serial), _MIXED, strict=True):
        mixed ^= values.astype(np.uint64) * np.uint64(odd)
    seen: set[tuple[int, int, int]] = set()
    for place in sorted(_alike(mixed, verdicts.unrefused), key=counter.__getitem__):
        key = (int(bucket.card[place]), int(bucket.terminal[place]), int(serial[place]))
        if key in seen:
            verdicts.codes[place] = NUMBERS[Code.D03]
        seen.add(key)


def _alike(values: Array, where: Array) -> list[int]:
    """Give the places, in order, at which a value stands that stands at another of them as well."""
    places = np.flatnonzero(where)
    order = np.argsort(values[places], kind="stable")
    ordered = values[places][order]
    same = ordered[1:] == ordered[:-1]
    twice = np.zeros(len(places), bool)
    twice[order[1:][same]] = True
    twice[order[:-1][same]] = True
    found: list[int] = places[twice].tolist()
    return found


def macs_hold(records: Array, vault: TacVault) -> Array:
    """Say which records the terminals that they name made; none where the vault cannot say now."""
    try:
        return _macs_hold(records, vault)
    except (*KEY_UNUSABLE, TokenMissing, TokenFailed):
        return np.zeros(len(records), bool)


def _macs_hold(records: Array, vault: TacVault) -> Array:
    signed, macs = whole(records)[:, :MAC_OFFSET], digits(records, "mac")
    return vault.check_terminal_macs(digits(records, "terminal"), signed, macs)


def _check_terminal_macs(bucket: Bucket, verdicts: Verdicts, vault: TacVault) -> None:
    # What held before holds; anything else is asked once more, as keys come and go.
    places = np.flatnonzero(verdicts.unrefused & ~bucket.from_city & ~bucket.mac_holds)
    verdicts.set(places[~_macs_hold(bucket.records.take(places), vault)], Code.R08)


def _check_tacs(bucket: Bucket, verdicts: Verdicts, known: Known, vault: TacVault, foreign: Array) -> None:
    records, usable = bucket.records, sorted(usable_tac_versions(vault))
    verdicts.set(
        verdicts.unrefused & ~foreign & np.isin(records["key_version"], _test_versions(vault)), Code.T04
    )
    # What another city hands in is answered once, so that it cannot wait: it has its proof, or is rejected.
    unproven = (records["flags"] & RecordFlag.UNPROVEN != 0) & ~bucket.from_city
    verdicts.set(verdicts.unrefused & unproven, Code.G01)
    verdicts.set(verdicts.unrefused & ~foreign & ~np.isin(records["key_version"], usable), Code.T02)
    waits = np.isin(records["key_version"], sorted(known.deferred)) & ~bucket.from_city
    verdicts.set(verdicts.unrefused & ~foreign & waits, Code.T03)
    wrong = np.flatnonzero(verdicts.unrefused & ~foreign)
    wrong = wrong[~check_tacs(records.take(wrong), records["key_version"][wrong], vault)]
    # A card that was taken away while it got new keys has the new TAC key before its version says so.
    for version in usable:
        others = wrong[records["key_version"][wrong] != version]
        if version in known.deferred:
            others = others[bucket.from_city[others]]
        proven = others[check_tacs(records.take(others), np.full(len(others), version, np.uint8), vault)]
        wrong = np.setdiff1d(wrong, proven)
    verdicts.set(wrong, Code.T01)
    if known.deferred:
        # The key that cannot be used may be the one by which it holds.
        verdicts.set(wrong[~bucket.from_city[wrong]], Code.T03)


def check_tacs(records: Array, versions: Array, vault: TacVault) -> Array:
    """Say of each record whether its card made its TAC with the key of a version."""
    return vault.check_purchase_tacs(
        digits(records, "asn")[:, -8:],
        versions,
        records["amount_fen"],
        records["tti"],
        digits(records, "terminal"),
        records["terminal_serial"],
        digits(records, "at"),
        digits(records, "tac"),
    )


def _find_earlier(bucket: Bucket, verdicts: Verdicts, known: Known, foreign: Array) -> None:
    """Find what an earlier run had, of cards that nobody here follows by their counters."""
    for place in np.flatnonzero(verdicts.unrefused & foreign).tolist():
        earlier = known.earlier.get(bucket.asns[bucket.card[place]], {})
        record = bucket.records[place]
        if record.tobytes() in earlier.get(int(record["counter"]), ()):
            verdicts.codes[place] = NUMBERS[Code.D04]


def check_cards(bucket: Bucket, verdicts: Verdicts, known: Known, genuine: Array) -> None:
    """Check whether cards were in order at the tap (stage 4), of records that are genuine."""
    verdicts.decide(np.flatnonzero(genuine & known.test_cards[bucket.card]), Code.T04)
    closed = known.closed_at[bucket.card]
    verdicts.decide(np.flatnonzero(genuine & (bucket.at > closed)), Code.B03)
    expired = bucket.at.astype("datetime64[D]") > known.expires_on[bucket.card]
    verdicts.decide(np.flatnonzero(genuine & expired), Code.B04)
    listed = np.array([asn in known.listings for asn in bucket.asns], bool)
    for place in np.flatnonzero(genuine & listed[bucket.card]).tolist():
        standing = known.terminals[int(bucket.signer[place])]
        held, at = standing.list_held(int(bucket.records["blacklist"][place])), bucket.at[place].item()
        for listing in known.listings[bucket.asns[bucket.card[place]]]:
            code = listing.judge(held, at)
            if code is not None:
                verdicts.decide([place], code)


def check_terminals(bucket: Bucket, verdicts: Verdicts, known: Known, genuine: Array) -> None:
    """Check whether terminals and their SAMs were in order at the tap (stage 4)."""
    for number, standing in known.terminals.items():
        if standing.revoked:
            verdicts.decide(np.flatnonzero(genuine & (bucket.terminal == number)), Code.B05)
        elif standing.sam_revoked_at is not None:
            late = bucket.at > np.datetime64(standing.sam_revoked_at)
            verdicts.decide(np.flatnonzero(genuine & late & (bucket.terminal == number)), Code.B06)
