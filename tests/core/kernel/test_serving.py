"""A server opens plugins before their endpoints and closes them after their last request."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from citycard import PUBLIC, Route


async def answer(request):
    return request


@pytest.fixture
def keeper(plugin):
    """Make a plugin that writes down when it was opened and closed."""

    def make(name="zoo", *, diary, broken=""):
        @asynccontextmanager
        async def citycard_lifespan(context):
            if broken == "opening":
                raise OSError("no water")
            diary.append(f"{context.plugin} opens")
            yield
            diary.append(f"{context.plugin} closes")
            if broken == "closing":
                raise OSError("no lock")

        routes = [Route(path="/visits", endpoint=answer, permission=PUBLIC, summary="Visits")]
        return plugin(name, citycard_lifespan, routes=routes)

    return make


def test_endpoints_are_live_between_opening_and_closing(keeper, city):
    diary = []
    plugins = city(keeper(diary=diary))

    async def serve():
        assert list(plugins.live_routes()) == ["zoo"]
        async with plugins.serving():
            diary.append("serving")
            assert list(plugins.live_routes()) == ["zoo"]
            assert plugins.starting() == []

    asyncio.run(serve())

    assert diary == ["zoo opens", "serving", "zoo closes"]


def test_what_is_switched_elsewhere_opens_and_closes_here(keeper, city):
    diary = []
    zoo = keeper(diary=diary)
    here, elsewhere = city(zoo, enable=[]), city(zoo, enable=[])

    async def serve():
        async with here.serving():
            await asyncio.to_thread(elsewhere.enable, "zoo", by="a test")
            assert here.live_routes() == {}
            assert (await here.follow()).started == ("zoo",)
            assert list(here.live_routes()) == ["zoo"]

            await asyncio.to_thread(elsewhere.disable, "zoo", by="a test")
            assert (await here.follow()).stopped == ("zoo",)
            assert here.live_routes() == {}
            for _ in range(100):
                if not here.draining_routes():
                    break
                await asyncio.sleep(0.01)
            assert diary == ["zoo opens", "zoo closes"]

    asyncio.run(serve())


def test_a_plugin_is_closed_only_after_its_last_request_and_nobody_waits_for_it(keeper, city):
    diary = []
    plugins = city(keeper("zoo", diary=diary), keeper("park", diary=diary), enable=["zoo"])

    async def serve():
        async with plugins.serving():
            with plugins.busy("zoo"):
                await asyncio.to_thread(plugins.disable, "zoo", by="a test")
                await asyncio.to_thread(plugins.enable, "park", by="a test")
                await plugins.follow()
                await asyncio.sleep(0.1)

                assert diary == ["zoo opens", "park opens"]
                assert list(plugins.live_routes()) == ["park"]
                assert list(plugins.draining_routes()) == ["zoo"]
                assert plugins.report("zoo").state == "stopping"
            await asyncio.sleep(0.1)
            assert diary == ["zoo opens", "park opens", "zoo closes"]
            assert plugins.draining_routes() == {}

    asyncio.run(serve())

    assert diary[-1] == "park closes"


def test_off_and_on_while_a_request_is_in_flight_gives_a_second_life(keeper, city):
    diary = []
    plugins = city(keeper(diary=diary))

    async def serve():
        async with plugins.serving():
            with plugins.busy("zoo"):
                await asyncio.to_thread(plugins.disable, "zoo", by="a test")
                await asyncio.to_thread(plugins.enable, "zoo", by="a test")
                assert plugins.starting() == ["zoo"]
                assert plugins.report("zoo").state == "migrated"
                await plugins.follow()
                assert plugins.starting() == []
                assert diary == ["zoo opens", "zoo opens"]

    asyncio.run(serve())

    assert diary == ["zoo opens", "zoo opens", "zoo closes", "zoo closes"]


def test_a_plugin_that_cannot_be_opened_is_failed_and_the_others_serve(keeper, city):
    diary = []
    plugins = city(keeper("bad", diary=diary, broken="opening"), keeper("zoo", diary=diary))

    async def serve():
        async with plugins.serving():
            await plugins.follow()
            assert list(plugins.live_routes()) == ["zoo"]
            report = plugins.report("bad")
            assert (report.state, report.failures) == ("failed", 1)
            assert "raised in citycard_lifespan: OSError: no water" in report.reason

    asyncio.run(serve())


def test_a_plugin_that_cannot_be_closed_well_is_recorded_only(keeper, city):
    diary = []
    plugins = city(keeper("bad", diary=diary, broken="closing"))

    async def serve():
        async with plugins.serving():
            pass

    asyncio.run(serve())

    assert diary == ["bad opens", "bad closes"]
    assert "OSError: no lock" in plugins.report("bad").reason


def test_many_workers_follow_one_switch(keeper, city):
    diary = []
    zoo = keeper(diary=diary)
    workers = [city(zoo, enable=[]) for _ in range(4)]
    workers[0].enable("zoo", by="a test")

    async def serve(worker):
        async with worker.serving():
            await worker.follow()
            return list(worker.live_routes())

    assert [asyncio.run(serve(worker)) for worker in workers] == [["zoo"]] * 4
