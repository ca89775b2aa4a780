"""What the zoo brings to a city: what it keeps on a card, what a visit costs, where to ask."""

import datetime as dt

import attrs
from starlette.responses import JSONResponse

from citycard import Adjustment, FeeRule, PluginInfo, Route, SectorLayout, Service, Stage, codec, hookimpl


@codec.layout(size=8)
class Visits:
    """Eight bytes on every card: how often its holder came, and when last."""

    count: int = codec.unsigned(4)
    last: dt.date | None = codec.date()


@attrs.frozen(kw_only=True)
class Settings:
    """``[plugins.zoo]`` of city.toml."""

    ticket_fen: int = attrs.field(default=2000, validator=attrs.validators.ge(0))


@hookimpl
def citycard_plugin():
    return PluginInfo(name="zoo", title="City zoo", title_zh="动物园", core=">=0.1,<0.2")


@hookimpl
def citycard_settings():
    return Settings


@hookimpl
def citycard_sectors():
    yield SectorLayout(name="zoo", title="Zoo visits", record=Visits)


@hookimpl
def citycard_services():
    yield Service(name="zoo", number=700, title="Zoo visit")


@hookimpl
def citycard_fee_rules(settings):
    ticket = Adjustment(amount_fen=settings.ticket_fen, reason="day ticket")
    yield FeeRule(name="day-ticket", stage=Stage.BASE, services=("zoo",), apply=lambda *_: ticket)


@hookimpl
def citycard_routes(settings):
    async def price(_):
        return JSONResponse({"ticket_fen": settings.ticket_fen})

    yield Route(path="/price", endpoint=price, permission="public", summary="What a visit costs.")
