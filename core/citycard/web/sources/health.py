"""Whether the parts of a city work: its store, its ledger, its plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from citycard.city.sealing import seal_state
from citycard.ledger.chart import AccountCode
from citycard.store import reading
from citycard.web.views import HealthView

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["STORE", "read_health"]

STORE = "store"
_UNWELL = {"refused", "failed", "migration-due", "missing"}


def read_health(city: City) -> tuple[HealthView, ...]:
    """Check each part and say in words what is wrong with it.

    A broken plugin is unwell by itself and makes nobody else unwell.
    """
    plugins = [
        HealthView(
            name=f"plugin {report.name}",
            well=report.state.value not in _UNWELL,
            words=(report.reason or f"the plugin is {report.state.value}")
            if report.state.value in _UNWELL
            else "",
        )
        for report in city.plugins.reports()
    ]
    checks = [
        HealthView(
            name=f"plugin {owned.owner.plugin}: {owned.record.name}",
            well=words is None,
            words=words or ("" if words is None else "the check failed and gave no reason"),
        )
        for owned, words in city.plugins.health()
    ]
    return (*_store(city), *plugins, *checks)


def _sealed(city: City) -> HealthView:
    """Say what the jobs that seal and verify the ledger found: looking at all of it takes too long here."""
    trouble = seal_state(city).trouble
    return HealthView(name="ledger seals", well=not trouble, words=trouble)


def _store(city: City) -> list[HealthView]:
    try:
        with reading(city.engine) as conn:
            trial = city.ledger.trial_balance(conn)
        sealed = _sealed(city)
    except SQLAlchemyError as error:
        return [
            HealthView(name=STORE, well=False, words=f"the store does not answer ({type(error).__name__})")
        ]
    window_fen = sum(
        line.credits_fen - line.debits_fen for line in trial.lines if line.code == AccountCode.WINDOW_NET
    )
    wrong = []
    if trial.debits_fen != trial.credits_fen:
        wrong.append(f"debits of {trial.debits_fen} fen and credits of {trial.credits_fen} fen differ")
    if window_fen:
        wrong.append(f"the clearing window holds {window_fen} fen and must hold none")
    ledger = HealthView(name="ledger", well=not wrong, words="; ".join(wrong))
    return [HealthView(name=STORE, well=True), ledger, sealed]
