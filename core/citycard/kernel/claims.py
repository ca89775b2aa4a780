"""Who owns what: a thing has one owner, and what cards and ledgers carry keeps its owner for ever."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from citycard.errors import ClaimTaken
from citycard.kernel.families import STICKY
from citycard.kernel.owned import Owner

__all__ = ["CORE", "Claim", "core_claims", "same", "taken"]

#: A kind and a key, such as ("sector", "zoo").
Claim = tuple[str, str]

#: The owner of what the core itself claims.
CORE = Owner(plugin="citycard", distribution="citycard", version="itself")


def core_claims() -> dict[Claim, Owner]:
    """List what no plugin can claim, because the core has it: its key purposes and its ledger accounts."""
    from citycard.keys.hierarchy import CORE_PURPOSES
    from citycard.wallet.addresses import TRANSIT_SETTLEMENT

    keys = [("key-purpose", purpose.name) for purpose in CORE_PURPOSES]
    return dict.fromkeys([*keys, ("account", TRANSIT_SETTLEMENT)], CORE)


def taken(
    wanted: Mapping[str, tuple[Owner, Iterable[Claim]]], held: Mapping[Claim, Owner]
) -> dict[str, ClaimTaken]:
    """Find for every plugin the first claim it cannot have, against those who hold it and against each other.

    Of two plugins that claim the same thing at the same time neither gets it: otherwise the order in which
    plugins are found would decide. Whoever holds a thing already keeps it.
    """
    claimants: dict[Claim, list[Owner]] = defaultdict(list)
    for owner, claims in wanted.values():
        for claim in claims:
            claimants[claim].append(owner)
    refused: dict[str, ClaimTaken] = {}
    for name, (owner, claims) in sorted(wanted.items()):
        for claim in claims:
            holder = held.get(claim)
            if holder is not None and not same(holder, owner):
                refused[name] = _conflict(claim, holder, owner, held=True)
            elif holder is None and len(claimants[claim]) > 1:
                first, second = sorted(claimants[claim], key=str)[:2]
                rival = first if second == owner else second
                refused[name] = _conflict(claim, *sorted((owner, rival), key=str), held=False)
            if name in refused:
                break
    return refused


def same(one: Owner, other: Owner) -> bool:
    """Tell whether two owners are one plugin, perhaps in two versions."""
    return (one.plugin, one.distribution) == (other.plugin, other.distribution)


def _conflict(claim: Claim, holder: Owner, claimant: Owner, *, held: bool) -> ClaimTaken:
    kind, key = claim
    if holder is CORE:
        hint = "the core has it; give it another name"
    elif not held:
        hint = "neither gets it; disable or remove one of them"
    elif kind in STICKY:
        hint = f"it stays reserved for {holder.distribution}, as what carries it may still be in use"
    else:
        hint = f"{holder.distribution} has it; disable that first, or give it another name"
    return ClaimTaken(kind=kind, key=key, holder=str(holder), claimant=str(claimant), hint=hint)
