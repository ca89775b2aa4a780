"""What transit's commands say to people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from citycard.money import yuan

if TYPE_CHECKING:
    from citycard_transit.explain import Explanation
    from citycard_transit.settings import TransitSettings
    from citycard_transit.summary import Cleared, Played, Summary
    from citycard_transit.taps import Taps

__all__ = ["lines_of", "told", "warned"]

_MOST = 20


def warned(taps: Taps, settings: TransitSettings) -> Iterator[str]:
    """Name the operators that nobody told, and the rows that will not be played, the first one by one."""
    if not settings.play.account_prefix:
        for name in sorted({tap.operator for tap in taps.taps}):
            if settings.operator(name) is None:
                yield f"{name} is no operator of this city: what it is owed waits until it has an account"
    bad = sorted((*taps.rejected, *taps.duplicates), key=lambda row: row.line)
    for row in bad[:_MOST]:
        yield f"{taps.source}, line {row.line}: {row.reason}"
    if len(bad) > _MOST:
        yield f"{taps.source}: {len(bad) - _MOST} more rows are not played; --json lists all of them"


def told(summary: Summary, *, kept: bool = True) -> Iterator[str]:
    """Tell what a replay came to; ``kept`` says whether its city is still there."""
    if summary.already_played:
        yield "These taps were played in this city before; this is what came of it then."
    yield from _played(summary.played)
    if summary.cleared is None:
        yield "The batches are held back and not cleared."
    else:
        yield from _cleared(summary.played, summary.cleared, kept=kept)
    if summary.already_played:
        news = summary.cleared is not None and summary.cleared.run_changed
        yield "Already played, nothing changed" + (" but by other batches that waited." if news else ".")
        return
    speed, peak_mib = summary.taps_per_second, summary.peak_mib
    yield f"It took {summary.seconds:.1f} s ({speed:.0f} taps a second, {peak_mib} MiB)."


def _played(played: Played) -> Iterator[str]:
    yield (
        f"{played.rows} rows: {played.played} taps played, {played.duplicates} duplicates, "
        f"{len(played.rejected)} rejected."
    )
    yield f"{played.cards} cards, {played.terminals} terminals; {played.opened} rides opened by an exit gate."
    yield (
        f"{played.priced} prices: {played.explained} explained by the rules, {len(played.unexplained)} not; "
        f"{played.inferred} were used to infer products and transfers, {played.predicted} were predicted."
    )
    if played.unexplained:
        lines = sorted(played.unexplained)
        more = f" and {len(lines) - _MOST} more" if len(lines) > _MOST else ""
        yield "Not explained, by line: " + ", ".join(map(str, lines[:_MOST])) + more
    if played.by_operator:
        yield "Fares charged at each operator's gates (what each is paid is on its clearing statement):"
    for operator, charged_fen in sorted(played.by_operator.items(), key=lambda pair: -pair[1]):
        yield f"  {operator}: {yuan(charged_fen)}"


def _cleared(played: Played, cleared: Cleared, *, kept: bool) -> Iterator[str]:
    states = ", ".join(f"{count} {state}" for state, count in cleared.clearing.items())
    yield f"Clearing run {cleared.run}: {states}."
    yield (
        f"Loaded {yuan(played.loads_fen)} = on the cards {yuan(played.purses_fen)} + paid to operators "
        f"{yuan(cleared.settled_fen)} + fees {yuan(cleared.fees_fen)}"
        + (f" + not yet paid {yuan(cleared.unpaid_fen)}." if cleared.unpaid_fen else ".")
    )
    if not kept:
        yield "Nothing was kept, the bank instruction neither: --city DIR keeps the city in DIR."
    elif cleared.bank_file:
        yield f"The bank instruction is in {cleared.bank_file}."


def lines_of(answer: Explanation) -> Iterator[str]:
    """Tell how a price came to be, a line for each rule."""
    if answer.record is not None:
        facts = answer.record
        yield f"Card {facts['asn']}, counter {facts['counter']}: {facts['kind']} at {facts['at']}"
    rights = ", ".join(answer.entitlements) or "none"
    yield f"{answer.service}, entitlements: {rights}" + (", a transfer" if answer.transfer else "")
    for line in answer.lines:
        yield (
            f"  {line.stage} {line.stage_zh}  {line.rule}: "
            f"{yuan(line.before_fen)} -> {yuan(line.after_fen)}  ({line.reason})"
            + (f"; overruled: {', '.join(line.overruled)}" if line.overruled else "")
        )
    yield f"Price {yuan(answer.price_fen)} (rules {answer.rules_version})" + (
        "" if answer.charged_fen is None else f", charged {yuan(answer.charged_fen)}"
    )
