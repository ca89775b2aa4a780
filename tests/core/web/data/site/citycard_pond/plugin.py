"""A park whose gates take the card, with an endpoint for every way an endpoint can behave."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import attrs
from starlette.responses import JSONResponse, PlainTextResponse

from citycard import (
    PUBLIC,
    CardProduct,
    CitycardError,
    MenuItem,
    Permission,
    PluginInfo,
    Route,
    Service,
    hookimpl,
)
from citycard.web import actor_of, city_of, json_answer, require


@attrs.frozen(kw_only=True)
class Visits:
    """How many people are in the park."""

    gate: str
    inside: int


class GateShut(CitycardError):
    """A gate is shut."""

    status = 409
    sentence = "gate {gate} is shut: try the next one"


@hookimpl
def citycard_plugin():
    return PluginInfo(name="park", title="City park", title_zh="城市公园", core=">=0.1,<1")


@hookimpl
@asynccontextmanager
async def citycard_lifespan():
    await asyncio.sleep(0)
    yield


@hookimpl
def citycard_card_products():
    yield CardProduct(name="park-pass", title="Park pass", title_zh="公园卡", kind=1, sectors=())


@hookimpl
def citycard_services():
    yield Service(name="park-gate", number=900, title="Park entrance", title_zh="公园入园")


@hookimpl
def citycard_permissions():
    yield Permission(name="park.read-visits", title="See who is in the park.")
    yield Permission(name="park.feed-ducks", title="Feed the ducks.")


@hookimpl
def citycard_menu():
    yield MenuItem(path="/plain", title="Visits", title_zh="入园人数", permission="park.read-visits")
    ferry = ["harbour-ferry"]
    yield MenuItem(path="/address", title="The landing", title_zh="码头", permission=PUBLIC, partners=ferry)


async def visits(request):
    return json_answer(Visits(gate=request.path_params["gate"], inside=7))


async def overview(request):
    return PlainTextResponse(f"{city_of(request).config.city.name} for {actor_of(request).role.value}")


async def address(request):
    return PlainTextResponse(str(request.url_for("park:visits", gate="west").path))


async def broken(request):
    msg = "the secret of the duck pond"
    raise RuntimeError(msg)


async def shut(request):
    raise GateShut(gate="north")


async def wrong(request):
    return {"not": "a response"}


async def slow(request):
    await asyncio.sleep(0.3)
    return PlainTextResponse(str(request.url_for("park:visits", gate="west").path))


def plain(request):
    return PlainTextResponse("from a thread")


async def mine(request):
    require(actor_of(request), "park.read-visits", "somebody else")
    return PlainTextResponse("yes")


async def feed(request):
    body = await request.body()
    return JSONResponse({"fed": len(body)}, status_code=201)


@hookimpl
def citycard_routes():
    yield Route(path="", endpoint=overview, permission=PUBLIC, summary="The park at a glance.")
    yield Route(
        path="/visits/{gate}",
        endpoint=visits,
        permission="park.read-visits",
        summary="How many people came in at a gate.",
        response=Visits,
    )
    yield Route(path="/address", endpoint=address, permission=PUBLIC, summary="Where the visits are.")
    yield Route(path="/broken", endpoint=broken, permission=PUBLIC, summary="Always fails.")
    yield Route(path="/shut", endpoint=shut, permission=PUBLIC, summary="Says no on purpose.")
    yield Route(path="/wrong", endpoint=wrong, permission=PUBLIC, summary="Answers with something else.")
    yield Route(path="/slow", endpoint=slow, permission=PUBLIC, summary="Takes its time.")
    yield Route(path="/plain", endpoint=plain, permission=PUBLIC, summary="Is not a coroutine.")
    yield Route(path="/mine", endpoint=mine, permission="park.read-visits", summary="Asks once more.")
    yield Route(
        path="/ducks",
        endpoint=feed,
        methods=("POST",),
        permission="park.feed-ducks",
        summary="Feed the ducks.",
    )
