"""What plugins show outside stands under their own name, and each thing needs a declared permission."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta

import pytest

from citycard import PUBLIC, CitycardError, Command, Job, MenuItem, Permission, Route, TerminalConfig
from citycard.errors import DeclarationInvalid, PluginFailed
from citycard.kernel.outside import entering, name_of

READ = Permission(name="zoo.read-visits", title="See the visits.")


async def answer(request):
    return request


def route(path="/visits", **other):
    return Route(**{"path": path, "endpoint": answer, "permission": PUBLIC, "summary": "Visits", **other})


def test_endpoints_permissions_and_menu_come_with_their_owner(plugin, city):
    def citycard_permissions(settings):
        yield READ

    def citycard_routes(settings):
        yield route(permission="zoo.read-visits", methods=["GET", "POST"])

    def citycard_menu(settings):
        yield MenuItem(path="/visits", title="Visits", permission="zoo.read-visits", partners=["zoo"])

    plugins = city(plugin("zoo", citycard_permissions, citycard_routes, citycard_menu))

    assert [(each.owner.plugin, each.record.path, each.record.methods) for each in plugins.routes()] == [
        ("zoo", "/visits", ("GET", "POST"))
    ]
    assert [each.record for each in plugins.permissions()] == [READ]
    assert [(each.record.title, each.record.partners) for each in plugins.menu()] == [("Visits", ("zoo",))]
    claims = {(claim["kind"], claim["key"]) for claim in plugins.report("zoo").claims}
    assert {
        ("permission", "zoo.read-visits"),
        ("route", "GET /zoo/visits"),
        ("route", "POST /zoo/visits"),
        ("menu", "zoo/visits"),
    } == claims


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (
            {"routes": [route(permission="zoo.read-lions")]},
            "/visits needs permission 'zoo.read-lions', which",
        ),
        ({"permissions": [Permission(name="park.read-visits", title="x")]}, "must begin with 'zoo.'"),
        ({"routes": [route(), route()]}, "declares route 'GET /zoo/visits' twice"),
        (
            {"commands": [Command(path=("park", "feed"), target="a:b", summary="x")]},
            "must begin with 'zoo' or",
        ),
        (
            {"commands": [Command(path=("city", "feed"), target="a:b", summary="x")]},
            "must begin with 'zoo' or",
        ),
        ({"jobs": [Job(name="feed", title="x", every=timedelta(1), run=answer)] * 2}, "job 'zoo.feed' twice"),
    ],
)
def test_what_is_not_ones_own_or_leads_nowhere_is_refused(record, reason, plugin, city, states):
    plugins = city(plugin("zoo", **record))

    assert states(plugins)["zoo"][0] == "refused"
    assert reason in states(plugins)["zoo"][1]


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: route(path="visits"), "Route.path"),
        (lambda: route(path="/../cards"), "Route.path"),
        (lambda: route(path="//evil"), "Route.path"),
        (lambda: route(permission=""), "Route.permission"),
        (lambda: route(permission="everything"), "Route.permission"),
        (lambda: route(methods="FETCH"), "Route.methods"),
        (lambda: route(endpoint="answer"), "Route.endpoint"),
        (lambda: route(summary=""), "Route.summary"),
        (lambda: Permission(name="zoo", title="x"), "Permission.name"),
        (lambda: MenuItem(path="/x", title="", permission=PUBLIC), "MenuItem.title"),
        (lambda: Job(name="feed", title="x", every=timedelta(0), run=answer), "Job.every"),
        (lambda: Job(name="Feed it", title="x", every=timedelta(1), run=answer), "Job.name"),
        (lambda: Command(path=("zoo",), target="a:b", summary="x"), "Command.path"),
        (lambda: Command(path="zoo", target="a:b", summary="x"), "Command.path"),
        (lambda: Command(path=("zoo", "feed"), target="a.b", summary="x"), "Command.target"),
        (lambda: TerminalConfig(name="fares", values={"at": object()}), "TerminalConfig.values"),
        (lambda: TerminalConfig(name="fares", values=[1]), "TerminalConfig.values"),
    ],
)
def test_a_record_is_checked_when_it_is_made(make, field):
    with pytest.raises(DeclarationInvalid, match=f"{field} is "):
        make()


@pytest.mark.parametrize("path", ["", "/", "/visits", "/visits/{id}", "/visits/{id:int}/photo.jpg"])
def test_paths_below_the_plugins_own_are_taken(path):
    assert path == route(path=path).path


def test_a_lone_method_is_one_method():
    assert route(methods="POST").methods == ("POST",)


def test_an_endpoint_that_raises_names_its_plugin_and_what_it_means_passes(plugin, city):
    from starlette.exceptions import HTTPException

    class ZooClosedError(CitycardError):
        sentence = "the zoo is closed"

    async def broken(request):
        raise request

    plugins = city(plugin("zoo", routes=[route(endpoint=broken)]))
    endpoint = plugins.routes()[0].record.endpoint

    with pytest.raises(PluginFailed, match=r"failed in routes /visits \(endpoint\): ValueError: oops"):
        asyncio.run(endpoint(ValueError("oops")))
    with pytest.raises(ZooClosedError):
        asyncio.run(endpoint(ZooClosedError()))
    with pytest.raises(HTTPException):
        asyncio.run(endpoint(HTTPException(404)))
    assert plugins.report("zoo").failures == 1


def test_a_job_runs_with_its_plugins_context_and_a_broken_run_is_counted(plugin, city):
    ran = []

    def citycard_jobs(settings):
        yield Job(
            name="feed",
            title="Feed",
            every=timedelta(hours=1),
            run=lambda context: ran.append(context.plugin),
        )
        yield Job(name="break", title="Break", every=timedelta(hours=1), run=lambda _: 1 // 0)

    plugins = city(plugin("zoo", citycard_jobs))

    plugins.run_job("zoo.feed")
    with pytest.raises(PluginFailed, match=r"jobs break \(run\): ZeroDivisionError"):
        plugins.run_job("zoo.break")

    assert ran == ["zoo"]
    assert [each.record.name for each in plugins.jobs()] == ["feed", "break"]
    assert plugins.report("zoo").failures == 1


def test_commands_stand_under_the_plugin_or_a_group_that_is_open(plugin, city):
    def citycard_commands(settings):
        yield Command(path=("zoo", "feed"), target="citycard_zoo.commands:feed", summary="Feed an animal")
        yield Command(path=("replay", "zoo"), target="citycard_zoo.commands:play", summary="Play a day")

    plugins = city(plugin("zoo", citycard_commands))

    assert [each.record.path for each in plugins.commands()] == [("zoo", "feed"), ("replay", "zoo")]


def test_the_terminals_configuration_is_the_same_every_time_and_only_of_the_scope(plugin, city):
    def citycard_terminal_config(settings):
        yield TerminalConfig(name="prices", values={"ticket_fen": 2000})
        yield TerminalConfig(name="gates", values={"north": 1})

    plugins = city(plugin("zoo", citycard_terminal_config), plugin("park"))

    assert plugins.terminal_config() == {"zoo": {"gates": {"north": 1}, "prices": {"ticket_fen": 2000}}}
    assert list(plugins.terminal_config()["zoo"]) == ["gates", "prices"]
    plugins.disable("zoo", by="a test", partner="metro")
    assert plugins.terminal_config(partner="metro") == {}


def test_what_changes_while_the_city_runs_is_read_for_each_configuration(plugin, city):
    lost = []

    def citycard_terminal_config(settings):
        yield TerminalConfig(name="doors", values={"open": 6}, current=lambda _: {"lost": list(lost)})

    plugins = city(plugin("zoo", citycard_terminal_config))

    assert plugins.terminal_config() == {"zoo": {"doors": {"open": 6, "lost": []}}}
    lost.append(7)
    assert plugins.terminal_config() == {"zoo": {"doors": {"open": 6, "lost": [7]}}}


def test_while_a_plugin_cannot_say_what_changes_terminals_are_told_what_they_were_told_last(plugin, city):
    lost = ["1"]

    def now(_):
        return {"lost": [int(lost[0])]}

    def citycard_terminal_config(settings):
        yield TerminalConfig(name="doors", values={"open": 6}, current=now)

    plugins = city(plugin("zoo", citycard_terminal_config))
    lost[0] = "nobody"
    with pytest.raises(PluginFailed):
        plugins.terminal_config()
    lost[0] = "2"
    told = plugins.terminal_config()
    assert told == {"zoo": {"doors": {"open": 6, "lost": [2]}}}
    lost[0] = "nobody"
    assert plugins.terminal_config() == told
    assert plugins.report("zoo").failures == 2


def test_an_endpoint_and_its_bodies_may_be_named_and_are_imported_when_they_are_used(plugin, city, tmp_path):
    def citycard_routes(settings):
        for name in ("seen", "waited"):
            yield route(
                f"/{name}", endpoint=f"zoo_late:{name}", request="zoo_late:Asked", response="zoo_late:Told"
            )

    plugins = city(plugin("zoo", citycard_routes))
    seen, waited = [each.record for each in plugins.routes()]
    assert "zoo_late" not in sys.modules

    tmp_path.joinpath("zoo_late.py").write_text(
        "class Asked: ...\nclass Told: ...\ndef seen(request): return ['seen', request]\n"
        "async def waited(request): return ['waited', request]\n"
    )
    sys.path.insert(0, str(tmp_path))
    try:
        assert asyncio.run(seen.endpoint("a")) == ["seen", "a"]
        assert asyncio.run(waited.endpoint("b")) == ["waited", "b"]
        assert [kind.__name__ for kind in seen.bodies] == ["Asked", "Told"]
        assert (seen.endpoint.__name__, name_of(waited.endpoint)) == ("seen", "zoo_late:waited")
    finally:
        sys.path.remove(str(tmp_path))
        del sys.modules["zoo_late"]


def test_a_named_endpoint_is_given_what_is_bound_to_it(plugin, city, tmp_path):
    def citycard_routes(settings):
        yield route(endpoint=entering("zoo_bound:seen", "lions"))

    plugins = city(plugin("zoo", citycard_routes))
    tmp_path.joinpath("zoo_bound.py").write_text("async def seen(bound, request): return [bound, request]\n")
    sys.path.insert(0, str(tmp_path))
    try:
        assert asyncio.run(plugins.routes()[0].record.endpoint("a")) == ["lions", "a"]
    finally:
        sys.path.remove(str(tmp_path))
        del sys.modules["zoo_bound"]


def test_an_endpoint_that_is_named_and_not_there_fails_for_its_own_request(plugin, city):
    def citycard_routes(settings):
        yield route(endpoint="zoo_nowhere:seen")

    plugins = city(plugin("zoo", citycard_routes))
    with pytest.raises(PluginFailed, match=r"zoo_nowhere"):
        asyncio.run(plugins.routes()[0].record.endpoint("a"))


@pytest.mark.parametrize("field", ["endpoint", "request", "response"])
def test_what_is_no_name_is_refused(field):
    with pytest.raises(DeclarationInvalid, match=field):
        route(**{field: "zoo.web.seen"})
