"""What is told about each plugin, also about those that are not installed any more."""

from __future__ import annotations

from typing import Any

from citycard.kernel.choices import PluginChoices
from citycard.kernel.entries import Entry
from citycard.kernel.families import STICKY
from citycard.kernel.guard import Failures
from citycard.kernel.memory import Memory
from citycard.kernel.settings import shown
from citycard.kernel.states import PluginReport, State

__all__ = ["missing", "report"]


def report(entry: Entry, memory: Memory, failures: Failures, *, running: bool) -> PluginReport:
    """Say all about one installed plugin; one that raised while running is failed, and still runs."""
    name, declared, info = entry.owner.plugin, entry.declared, entry.info
    count = failures.count(name)
    state, reason = entry.state, entry.reason
    if running and count:
        times = "once" if count == 1 else f"{count} times"
        state, reason = State.FAILED, f"raised {times} while running; last {failures.last(name)}"
    remembered = [claim for claim, owner in memory.claims.items() if owner.plugin == name]
    return PluginReport(
        name=name,
        title=info.title if info else "",
        title_zh=info.title_zh if info else "",
        description=info.description if info else "",
        distribution=entry.owner.distribution,
        version=entry.owner.version,
        state=state,
        reason=reason,
        claims=_claims([*(declared.claims if declared else ()), *remembered]),
        scopes=_scopes(memory, name),
        running=running,
        failures=count,
        requires=info.requires if info else (),
        settings=shown(declared.settings) if declared else None,
    )


def missing(name: str, memory: Memory, choices: PluginChoices) -> PluginReport:
    """Say all about a plugin that is named here and not installed."""
    owners = [owner for owner in memory.claims.values() if owner.plugin == name]
    claims = [claim for claim, owner in memory.claims.items() if owner.plugin == name]
    wanted = memory.anywhere(name) or name in choices.enable
    reason = "not installed" + (", and it is wanted: install its distribution" if wanted else "")
    return PluginReport(
        name=name,
        title="",
        title_zh="",
        description="",
        distribution=owners[0].distribution if owners else "",
        version=owners[0].version if owners else "",
        state=State.MISSING,
        reason=f"{reason}; what it claimed stays reserved" if claims else reason,
        claims=_claims(claims),
        scopes=_scopes(memory, name),
        running=False,
        failures=0,
        requires=(),
        settings=None,
    )


def _claims(claims: list[tuple[str, str]]) -> tuple[dict[str, Any], ...]:
    return tuple(
        {"kind": kind, "key": key, "sticky": kind in STICKY} for kind, key in sorted(dict.fromkeys(claims))
    )


def _scopes(memory: Memory, name: str) -> tuple[dict[str, Any], ...]:
    return tuple(
        {
            "scope": wish.scope.kind,
            "id": wish.scope.id,
            "wanted": wish.wanted,
            "changed_at": wish.changed_at,
            "changed_by": wish.changed_by,
        }
        for wish in memory.of(name)
    )
