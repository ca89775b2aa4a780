"""Every hook a plugin can implement, in the order of a plugin's life. docs/plugins.md has an example of each.

An annotation says what *one* implementation gives, which may leave out arguments it does not use.
Declaring hooks are plain functions, asked once each time the plugin is enabled. One that raises makes the
plugin failed, one that gives anything but the record named makes it refused; both have a reason, neither
runs, and the rest of the city runs on. That is what "Failure: not enabled" means below.
"""

# ruff: noqa: ARG001 - a specification names the arguments and uses none

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from citycard.card.product import CardProduct
    from citycard.card.sector import SectorLayout
    from citycard.clearing.pricing import FeeRule
    from citycard.kernel.accounts import LedgerAccount
    from citycard.kernel.data import Event, EventType, PersonalData, Schema
    from citycard.kernel.habits import Lived
    from citycard.kernel.identity import HealthCheck, PluginContext, PluginInfo
    from citycard.kernel.outside import Command, Job, MenuItem, Permission, Route, TerminalConfig
    from citycard.kernel.services import (
        CitizenLine,
        DebitRequest,
        Entitlement,
        Holder,
        Participant,
        Refusal,
        Service,
    )
    from citycard.keys import KeyPurpose

__all__ = ["hookimpl", "hookspec"]

hookspec = pluggy.HookspecMarker("citycard")
hookimpl = pluggy.HookimplMarker("citycard")


# ── identity and life ────────────────────────────────────────────────────────────────────────────


@hookspec
def citycard_plugin() -> PluginInfo | None:
    """Say who you are: name, title, the range of core versions you work with, and the plugins you need.

    Every plugin implements this one; it is asked before anything else.
    Failure: a mismatch, or anything raised, refuses the plugin with the reason.
    """
    return None


@hookspec
def citycard_settings() -> type | None:
    """Name the attrs class of your settings; the core fills it from ``[plugins.<your name>]`` in city.toml.

    Failure: an unknown key, a wrong type or a missing value refuses the plugin, with the path of the key.
    """
    return None


@hookspec
def citycard_lifespan(context: PluginContext) -> AbstractAsyncContextManager[None] | None:
    """Open what you need while a server runs with you enabled, and close it when it does not.

    Entered after your tables are up to date, left after the last request to you was answered.
    Failure: raising on entry leaves you failed and not running; raising on exit is recorded only.
    """
    return None


@hookspec
def citycard_health(context: PluginContext) -> Iterable[HealthCheck]:
    """Give the checks an operator can run, each with an optional repair.

    Failure: a check that raises counts as unwell, with what it raised as the sentence.
    """
    return ()


# ── the card ─────────────────────────────────────────────────────────────────────────────────────


@hookspec
def citycard_sectors(settings: Any) -> Iterable[SectorLayout]:
    """Declare the parts of the card you write: fields, who may read and write, and example bytes.

    The name is yours for as long as one card that carries the sector is in use, even while you are disabled.
    Failure: not enabled.
    """
    return ()


@hookspec
def citycard_key_purposes(settings: Any) -> Iterable[KeyPurpose]:
    """Declare the keys you need, by purpose; the core derives them, and you never see a root key.

    Failure: not enabled.
    """
    return ()


@hookspec
def citycard_card_products(settings: Any) -> Iterable[CardProduct]:
    """Declare kinds of card that can be issued: which sectors are on it, validity, deposit, entitlements.

    Failure: not enabled.
    """
    return ()


# ── money ────────────────────────────────────────────────────────────────────────────────────────


@hookspec
def citycard_services(settings: Any) -> Iterable[Service]:
    """Declare what a card can pay for or be used for; name and number have one owner, for ever.

    Failure: not enabled; when ``request`` or ``shares`` raises, that one record is suspended, naming you.
    """
    return ()


@hookspec
def citycard_fee_rules(settings: Any) -> Iterable[FeeRule]:
    """Declare prices, discounts and caps on your services; a rule names its stage, stages run in order.

    A rule is a pure function of its request and must give the same answer again.
    Failure: not enabled; when ``apply`` raises, that one record is suspended, naming you.
    """
    return ()


@hookspec
def citycard_entitlements(holder: Holder, at: datetime, context: PluginContext) -> Iterable[Entitlement]:
    """Vouch for facts about this holder at this moment (student, resident, over 65), with an end date.

    Asked at run time. Failure: you vouch for nothing; it is counted and logged.
    """
    return ()


@hookspec
def citycard_check_debit(request: DebitRequest, context: PluginContext) -> Refusal | None:
    """Say no to an online debit, or nothing. Every enabled plugin is asked; one no is enough.

    Asked at run time. Failure: if you raise, or answer anything else, the answer is no.
    """
    return None


@hookspec
def citycard_accounts(settings: Any) -> Iterable[LedgerAccount]:
    """Declare the ledger accounts you post to; their addresses start with your name and a slash.

    Failure: not enabled.
    """
    return ()


@hookspec
def citycard_participants(settings: Any) -> Iterable[Participant]:
    """Declare who is paid at the end of the day for your services.

    Failure: not enabled.
    """
    return ()


# ── data ─────────────────────────────────────────────────────────────────────────────────────────


@hookspec
def citycard_schema(settings: Any) -> Schema | None:
    """Declare your tables, all with your prefix, and the folder of your migrations.

    Failure: not enabled; while the tables are not up to date the plugin is migration-due and does not run.
    """
    return None


@hookspec
def citycard_personal_data(settings: Any) -> Iterable[PersonalData]:
    """Declare each kind of personal data you keep: how to hand it over and how to erase it.

    Failure: not enabled; when ``export`` or ``erase`` raises, the request for that person fails, naming you.
    """
    return ()


@hookspec
def citycard_event_types(settings: Any) -> Iterable[EventType]:
    """Declare events you publish, with the attrs class of their body.

    Failure: not enabled.
    """
    return ()


@hookspec
def citycard_on_event(event: Event, context: PluginContext) -> None:
    """Hear an event after it was committed. You cannot change it.

    Called at run time. Failure: it is counted and logged; nobody else notices.
    """


@hookspec
def citycard_citizen_lines(context: PluginContext, asn: str) -> Iterable[CitizenLine]:
    """Say what happened to the holder of a card in your domain, newest first: what the card's page shows.

    Asked at run time. Failure: you say nothing; it is counted and logged.
    """
    return ()


@hookspec
def citycard_live_day(
    context: PluginContext, day: date, accounts: Sequence[str], seed: int
) -> Iterable[Lived]:
    """Let citizens of a simulated city use you online for a day: order, pay, apply, besides their taps.

    ``accounts`` are cards that have online accounts with money; the first of them uses everything you have.
    The city's clock stands at the noon of ``day``. Asked at run time, by the simulator alone.
    Failure: you did nothing; it is counted and logged, and the simulation says so.
    """
    return ()


# ── the outside ──────────────────────────────────────────────────────────────────────────────────


@hookspec
def citycard_routes(settings: Any) -> Iterable[Route]:
    """Declare your endpoints; the core mounts them under ``/<your name>``, each with the permission it needs.

    Failure: not enabled; an endpoint that raises answers 500 for that request only.
    """
    return ()


@hookspec
def citycard_permissions(settings: Any) -> Iterable[Permission]:
    """Declare permissions you introduce, as ``<your name>.<verb>-<noun>``, with one sentence.

    Failure: not enabled.
    """
    return ()


@hookspec
def citycard_menu(settings: Any) -> Iterable[MenuItem]:
    """Declare entries of the menu, each shown to who has its permission and, of partners, whom it concerns.

    Failure: not enabled.
    """
    return ()


@hookspec
def citycard_jobs(settings: Any) -> Iterable[Job]:
    """Declare work on a schedule. A job may run twice; make that harmless.

    Failure: not enabled; a run that raises is counted and logged, and the next turn comes.
    """
    return ()


@hookspec
def citycard_commands(settings: Any) -> Iterable[Command]:
    """Declare subcommands under ``citycard <your name> …``.

    Failure: not enabled; a command that raises ends with one line and exit code 70.
    """
    return ()


@hookspec
def citycard_terminal_config(settings: Any) -> Iterable[TerminalConfig]:
    """Declare what terminals must know to work offline; it becomes part of a numbered, signed configuration.

    Failure: not enabled.
    """
    return ()
