"""The terminals of a simulated city: whose each is, and which ones are in trouble."""

from __future__ import annotations

import attrs
import numpy as np

from citycard.errors import SimulationPlanInvalid
from citycard.simulate.columns import Bytes, Flags, Ints
from citycard.simulate.kinds import TerminalFault
from citycard.simulate.plan import SimulationPlan
from citycard.simulate.tariff import Tariff

__all__ = ["DAY", "NOON", "Ground", "Trouble"]

DAY = 86_400

NOON = 43_200
"""When, on the day of its trouble, a missing batch ends and a SAM is revoked: seconds after midnight."""

_FEWEST = 4


@attrs.frozen(kw_only=True)
class Trouble:
    """The trouble of one terminal: ``number`` is that of the fault in the truth, ``day`` counts from 0."""

    number: int
    kind: TerminalFault
    terminal: int
    day: int


@attrs.frozen(kw_only=True, eq=False)
class Ground:
    """Where taps are made. Terminals count from 0; those of pool p are ``sizes[p]`` from ``starts[p]``.

    Of these the first ``calm[p]`` are in no trouble: cards with a fault of their own tap only there, so that
    no two faults meet. ``kind``, ``day`` and ``fault`` say the trouble of each terminal; kind 0 is none.
    """

    starts: Ints
    sizes: Ints
    calm: Ints
    troubles: tuple[Trouble, ...]
    kind: Bytes
    day: Ints
    fault: Ints

    @classmethod
    def of(cls, plan: SimulationPlan, tariff: Tariff) -> Ground:
        """Deal the terminals to partners by how often they are tapped; raise SimulationPlanInvalid.

        A terminal that a habit names is a pool of its own, and in no trouble.
        """
        named = np.array([terminal != "" for terminal in tariff.terminals])
        fewest = np.where(named, 1, _FEWEST)
        if plan.terminals < fewest.sum():
            ones = f", and 1 for each of the {named.sum()} that habits name" if named.any() else ""
            partners = f"{_FEWEST} for each of the {(~named).sum()} partners with habits{ones}"
            raise SimulationPlanInvalid(
                field="terminals", value=plan.terminals, expected=f"{fewest.sum()} or more: {partners}"
            )
        weights = np.where(named, 0.0, tariff.pool_weights())
        shares = np.cumsum(weights) / (weights.sum() or 1)
        edges = np.rint(shares * (plan.terminals - fewest.sum())).astype(int)
        sizes = np.diff(edges, prepend=0).astype(np.int64) + fewest
        starts = np.cumsum(sizes) - sizes
        troubles = _troubles(plan, starts, sizes)
        kind = np.zeros(plan.terminals, dtype=np.uint8)
        day, fault = (np.zeros(plan.terminals, dtype=np.int64) for _ in range(2))
        calm = sizes.copy()
        for one in troubles:
            kind[one.terminal], day[one.terminal] = one.kind.number, one.day
            fault[one.terminal] = one.number
            calm[np.searchsorted(starts, one.terminal, side="right") - 1] -= 1
        return cls(starts=starts, sizes=sizes, calm=calm, troubles=troubles, kind=kind, day=day, fault=fault)

    def lost(self, terminals: Ints, days: Ints, seconds: Ints) -> Flags:
        """Say which taps never arrive, because their file does not."""
        kind = self.kind[terminals]
        today = days == self.day[terminals]
        whole = [one.number for one in TerminalFault if one.lost and one not in _IN_PART]
        found: Flags = (
            (np.isin(kind, whole) & today)
            | (kind == TerminalFault.UNREGISTERED.number)
            | ((kind == TerminalFault.FILE_MISSING.number) & today & self.before_noon(days, seconds))
        )
        return found

    def held(self, terminals: Ints, days: Ints, seconds: Ints, last_day: int) -> tuple[Flags, Flags]:
        """Say which taps were made at a revoked terminal, and which ones under a revoked SAM."""
        kind = self.kind[terminals]
        revoked = (kind == TerminalFault.REVOKED.number) & (days == last_day)
        after = seconds > self.day[terminals] * DAY + NOON
        return revoked, (kind == TerminalFault.SAM_REVOKED.number) & after

    @staticmethod
    def before_noon(days: Ints, seconds: Ints) -> Flags:
        """Say which taps were made before the noon of their business day."""
        return seconds < days * DAY + NOON


_IN_PART = frozenset({TerminalFault.FILE_MISSING, TerminalFault.UNREGISTERED})


def _troubles(plan: SimulationPlan, starts: Ints, sizes: Ints) -> tuple[Trouble, ...]:
    if not plan.faults:
        return ()
    kinds = list(TerminalFault)
    wanted = max(len(kinds), round(plan.terminals * plan.days * plan.faults))
    # From the end of every partner's terminals, in turn, and never more than half of them.
    spare = [
        int(start + size - 1 - turn)
        for turn in range(int(sizes.max()) // 2)
        for start, size in zip(starts, sizes, strict=True)
        if turn < size // 2
    ]
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([plan.seed, 0])))
    days = rng.integers(plan.days, size=wanted)
    troubles = []
    for place, terminal in enumerate(spare[:wanted]):
        kind = kinds[place % len(kinds)]
        day = plan.days - 1 if kind is TerminalFault.REVOKED else int(days[place])
        troubles.append(Trouble(number=place + 1, kind=kind, terminal=terminal, day=day))
    return tuple(troubles)
