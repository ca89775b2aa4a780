"""A bicycle yard that declares something in every family that the city makes real."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import attrs

from citycard import (
    CardProduct,
    CitycardError,
    Entitlement,
    EventType,
    Job,
    KeyPurpose,
    LedgerAccount,
    Participant,
    PluginInfo,
    SectorLayout,
    TerminalConfig,
    codec,
    hookimpl,
    layout,
)

heard = []
swept = []
#: What the job does when it runs, when it does more than sweep.
doing = []


@attrs.frozen(kw_only=True)
class Settings:
    ticket_fen: int = 100
    owner: str = "The yard"


@attrs.frozen(kw_only=True)
class BicycleParked:
    asn: str
    at: datetime
    day: date


@layout(size=4)
class Stays:
    count: int = codec.unsigned(4)


class YardFlooded(CitycardError):
    """What the job means to say."""

    sentence = "the yard is under water"


def sweep(context):
    swept.append(context.plugin)
    for what in doing:
        what(context)


@hookimpl
def citycard_plugin():
    return PluginInfo(name="yard", title="Bicycle yard", core=">=0.1,<1")


@hookimpl
def citycard_settings():
    return Settings


@hookimpl
def citycard_sectors():
    yield SectorLayout(name="yard", title="Stays", record=Stays, examples=((bytes(4), Stays(count=0)),))


@hookimpl
def citycard_key_purposes():
    yield KeyPurpose(name="yard-gate", kind=0x39, title="Opens the yard's gate")


@hookimpl
def citycard_card_products():
    yield CardProduct(name="yard-pass", title="Yard pass", kind=17, entitlements=("cyclist",))


@hookimpl
def citycard_entitlements(holder, at):
    yield Entitlement(name="early-bird", until=date(at.year, 12, 31))
    yield Entitlement(name="last-year", until=date(at.year - 1, 12, 31))


@hookimpl
def citycard_participants(settings):
    yield Participant(
        id="yard", name=settings.owner, account_no="6200990100000700001", bank_bic="CITYCNBJXXX"
    )


@hookimpl
def citycard_accounts():
    yield LedgerAccount(address="yard/deposits", code=2003, title="Deposits for locks", guard="dr<=cr")


@hookimpl
def citycard_event_types():
    yield EventType(name="yard.bicycle-parked", title="A bicycle was parked", body=BicycleParked)


@hookimpl
def citycard_on_event(event):
    heard.append(event)


@hookimpl
def citycard_jobs():
    yield Job(name="sweep", title="Sweep the yard", every=timedelta(hours=1), run=sweep)


@hookimpl
def citycard_terminal_config(settings):
    yield TerminalConfig(name="prices", values={"ticket_fen": settings.ticket_fen})
