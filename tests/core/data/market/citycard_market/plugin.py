"""What the core asks of the market."""

from __future__ import annotations

import datetime as dt

import attrs

from citycard import (
    Adjustment,
    CitizenLine,
    Entitlement,
    FeeRule,
    KeyPurpose,
    Permission,
    PluginInfo,
    PriceRequest,
    Refusal,
    Route,
    SectorLayout,
    Service,
    Stage,
    codec,
    hookimpl,
    layout,
    secret,
)
from citycard.web import actor_of, render, require

TOO_MUCH_FEN = 90_000


@attrs.frozen(kw_only=True)
class Settings:
    price_fen: int = 300
    opened: dt.date = dt.date(2026, 1, 1)
    token: str = secret(default="")


@layout(size=4)
class Visits:
    count: int = codec.unsigned(4)


@layout(size=4)
class Stall:
    pieces: int = codec.unsigned(4)


@hookimpl
def citycard_plugin():
    return PluginInfo(name="market", title="Market", core=">=0.1,<1")


@hookimpl
def citycard_settings():
    return Settings


@hookimpl
def citycard_sectors():
    yield SectorLayout(name="market-visits", title="Visits", record=Visits)


@hookimpl
def citycard_key_purposes():
    yield KeyPurpose(name="market-seal", kind=0x70, title="Seals", owner="market")


@hookimpl
def citycard_services(settings):
    def request(record, facts):
        return PriceRequest(service="stall", at=record.at, facts={"pieces": facts.pieces})

    def alike(records, facts):
        yield facts["pieces"]

    yield Service(name="stall", number=811, title="Stall", facts=Stall, request=request, alike=alike)


@hookimpl
def citycard_fee_rules(settings):
    def each(request, amount_fen):
        return Adjustment(amount_fen=settings.price_fen * request.facts["pieces"], reason="price of each")

    def half(request, amount_fen):
        if "helper" not in request.entitlements:
            return None
        return Adjustment(amount_fen=amount_fen // 2, reason="helpers pay half")

    version = str(settings.price_fen)
    yield FeeRule(name="each", stage=Stage.BASE, services=("stall",), apply=each, version=version)
    yield FeeRule(name="helpers", stage=Stage.CONCESSION, services=("stall",), apply=half)


@hookimpl
def citycard_entitlements(holder, at, context):
    assert context.city is not None
    if holder.asn.endswith("2"):
        yield Entitlement(name="helper")


@hookimpl
def citycard_check_debit(request, context):
    if request.amount_fen > TOO_MUCH_FEN:
        return Refusal(code="too-much", reason=f"{context.plugin} sells no more at once")
    return None


@hookimpl
def citycard_permissions():
    yield Permission(name="market.read-stalls", title="See stalls.", roles=("citizen", "clerk"))


@hookimpl
def citycard_routes(settings):
    async def stalls(request):
        require(actor_of(request), "market.read-stalls", request.path_params["asn"])
        return render(request, "market/stalls.html", heading="Your <stalls>", price_fen=settings.price_fen)

    yield Route(path="/stalls/{asn}", endpoint=stalls, permission="market.read-stalls", summary="Stalls.")


@hookimpl
def citycard_citizen_lines(context, asn):
    if asn.endswith("3"):
        raise LookupError(asn)
    noon = dt.datetime(2026, 3, 1, 12, 0)
    yield CitizenLine(at=noon, title="You bought a melon", title_zh="您买了一个瓜", amount_fen=-300)
    yield CitizenLine(at=noon + dt.timedelta(hours=1), title="You were here", path="/market/stalls/" + asn)
