"""``citycard plugin``: what is installed, what runs, why not, and switching it.

Exit codes: 0 done, 1 ``check`` found something wrong or a plugin's code raised, 2 the call is wrong,
3 city.toml is wrong or has no such district or partner, 4 there is no such city, plugin or job, 5 refused.
The reason is one line on stderr.
"""

from __future__ import annotations

import getpass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click
from click.core import ParameterSource

from citycard.cli.lazy import ListedGroup
from citycard.cli.options import city_option, json_option, opened
from citycard.cli.output import emit, say, table
from citycard.errors import CitycardError, RegistryMissing

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.city.jobs import JobState
    from citycard.kernel import PluginReport, Plugins

__all__ = ["group"]

_LISTED = ("name", "distribution", "version", "state", "reason", "claims", "off_in")


@click.group(cls=ListedGroup)
def group() -> None:
    """List, inspect, enable and disable plugins."""


@group.command("list")
@city_option
@json_option
@click.pass_context
def list_plugins(context: click.Context, folder: Path, as_json: bool) -> None:
    """List every plugin that is installed, or that this city remembers.

    Outside a city, the installed plugins are read and checked against each other. With --json: an array of
    objects with name, distribution, version, state, reason, claims (objects with kind, key and sticky) and
    off_in (districts and partners).
    """
    reports = _reports(_installed(context, folder))
    if as_json:
        emit([{field: getattr(report, field) for field in _LISTED} for report in reports])
        return
    table(
        ("NAME", "STATE", "DISTRIBUTION", "VERSION", "REASON"),
        [(each.name, _where_on(each), each.distribution, each.version, each.reason) for each in reports],
    )
    if not reports:
        say("no plugin is installed: pip install citycard-transit brings bus and metro")


@group.command("show")
@click.argument("name")
@city_option
@json_option
@click.pass_context
def show(context: click.Context, name: str, folder: Path, as_json: bool) -> None:
    """Show one plugin: its state, claims, scopes and settings; secrets are never shown.

    With --json: an object with what list gives, and title, title_zh, description, requires, scopes (objects
    with scope, id, wanted, changed_at, changed_by), settings, running and failures.
    """
    plugins = _installed(context, folder)
    shown = {each.name: each for each in _reports(plugins)}
    _show(shown.get(name) or plugins.report(name), as_json)


@group.command("check")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@city_option
@json_option
@click.pass_context
def check(context: click.Context, names: tuple[str, ...], folder: Path, as_json: bool) -> None:
    """Read plugins and check all they say, without switching anything; all that may be imported unless named.

    Ends with exit code 1 when a plugin could not be enabled. With --json: an array of objects with name, ok,
    reason and claims.
    """
    plugins = _installed(context, folder)
    allow = plugins.choices.allow
    here = [each.name for each in plugins.reports() if allow is None or each.name in allow]
    results = [_checked(plugins, name) for name in names or here]
    if as_json:
        emit(results)
    else:
        rows = [(each["name"], "ok" if each["ok"] else "no", each["reason"]) for each in results]
        table(("NAME", "OK", "REASON"), rows)
    if not all(each["ok"] for each in results):
        context.exit(1)


@group.command("enable")
@click.argument("name")
@click.option("--district", metavar="D", help="Only in this district.")
@click.option("--partner", metavar="P", help="Only for this partner.")
@city_option
@json_option
def enable(name: str, district: str | None, partner: str | None, folder: Path, as_json: bool) -> None:
    """Switch a plugin on for the city, a district or a partner; its tables are brought up to date first.

    The partners and ledger accounts it declares are opened, those that are missing. Running servers follow
    within a second. With --json: the object that show gives.
    """
    city = _city(folder, district, partner)
    report = city.plugins.enable(name, by=_who(), district=district, partner=partner)
    city.open_declared()
    _tell_switch(report, "on", district, partner, as_json)


@group.command("disable")
@click.argument("name")
@click.option("--district", metavar="D", help="Only in this district.")
@click.option("--partner", metavar="P", help="Only for this partner.")
@city_option
@json_option
def disable(name: str, district: str | None, partner: str | None, folder: Path, as_json: bool) -> None:
    """Switch a plugin off; off for the city is off everywhere.

    Its tables stay, and so does what cards and ledgers carry of it. With --json: the object that show gives.
    """
    plugins = _city(folder, district, partner).plugins
    report = plugins.disable(name, by=_who(), district=district, partner=partner)
    _tell_switch(report, "off", district, partner, as_json)


@group.command("reset")
@click.argument("name")
@click.option("--district", metavar="D", help="Let this district follow the city's switch.")
@click.option("--partner", metavar="P", help="Let this partner follow its district's switch, or the city's.")
@city_option
@json_option
def reset(name: str, district: str | None, partner: str | None, folder: Path, as_json: bool) -> None:
    """Take back the switch of a district or a partner, so that it follows the wider one again.

    Where there is none, nothing changes. With --json: the object that show gives.
    """
    if not (district or partner):
        raise click.UsageError("give --district or --partner: enable and disable set the city's own switch")
    _one_at_a_time(district, partner)
    city = opened(folder)
    here = ("partner", partner) if partner else ("district", district)
    # A district or partner that is gone may have left its switch behind: that can be taken back too.
    if here not in {(each["scope"], each["id"]) for each in city.plugins.report(name).scopes}:
        _known(city, district, partner)
    report = city.plugins.reset(name, district=district, partner=partner)
    if as_json:
        _show(report, as_json)
        return
    wider = "the city's switch" if district else "the switch of district or city"
    click.echo(f"{name} follows {wider} again for {_where(district, partner)}; it is {_stands(report)}")


@group.command("jobs")
@city_option
@json_option
def list_jobs(folder: Path, as_json: bool) -> None:
    """List the jobs of the city and its plugins, and how each last went; a server runs them on time.

    With --json: an array of objects with job, title, every_s, started_at, finished_at (null while it runs),
    outcome and running.
    """
    from citycard.city.jobs import jobs

    city = opened(folder)
    now = city.clock.now()
    found = jobs(city)
    if as_json:
        emit([_job(each, now) for each in found])
        return
    rows = []
    for each in found:
        job = _job(each, now)
        begun = f"{job['started_at']:%Y-%m-%d %H:%M:%S} UTC" if job["started_at"] else "never"
        rows.append((each.job, each.every, begun, "it is running" if job["running"] else job["outcome"]))
    table(("JOB", "EVERY", "LAST BEGUN", "OUTCOME"), rows)


def _job(state: JobState, now: datetime) -> dict[str, Any]:
    last = state.last
    return {
        "job": state.job,
        "title": state.title,
        "every_s": int(state.every.total_seconds()),
        "started_at": last.started_at if last else None,
        "finished_at": last.finished_at if last else None,
        "outcome": last.outcome if last else "",
        "running": last is not None and last.runs(now),
    }


@group.command("run")
@click.argument("job", metavar="PLUGIN.JOB")
@city_option
def run(job: str, folder: Path) -> None:
    """Run a job now, whether its turn has come or not; refused while somebody else runs it."""
    from citycard.city.jobs import run_job

    run_job(opened(folder), job)
    say(f"ran {job}")


def _installed(context: click.Context, folder: Path) -> Plugins:
    """Open the plugins of a city; outside one, those that are installed, as if all were wanted."""
    named = context.get_parameter_source("folder") is not ParameterSource.DEFAULT
    if named or (folder / "city.toml").exists():
        return _city(folder).plugins
    from citycard.kernel import Plugins
    from citycard.kernel.choices import Choices
    from citycard.kernel.discovery import find

    return Plugins.open(Choices(enable=tuple(found.name for found in find())))


def _reports(plugins: Plugins) -> list[PluginReport]:
    """Report on all plugins; where there is no city, nothing can be more than declared."""
    from citycard.kernel import State

    reports = plugins.reports()
    if plugins.engine is not None:
        return reports
    reason = "no city here: --city DIR says whether it runs there"
    return [
        attrs.evolve(each, state=State.DECLARED, reason=reason, scopes=(), running=False)
        if each.running
        else each
        for each in reports
    ]


def _city(folder: Path, district: str | None = None, partner: str | None = None) -> City:
    """Open a city; RegistryMissing for a district or partner it does not have, UsageError for one of each."""
    _one_at_a_time(district, partner)
    city = opened(folder)
    _known(city, district, partner)
    return city


def _one_at_a_time(district: str | None, partner: str | None) -> None:
    if district and partner:
        raise click.UsageError("give --district or --partner, one at a time: each is a switch of its own")


def _known(city: City, district: str | None, partner: str | None) -> None:
    if district and district not in {each.id for each in city.config.districts}:
        raise RegistryMissing(record="district", key=district)
    if partner:
        from citycard.registry import find_partner
        from citycard.store import reading

        with reading(city.engine) as conn:
            find_partner(conn, partner)


def _checked(plugins: Plugins, name: str) -> dict[str, Any]:
    try:
        report = plugins.check(name)
    except CitycardError as error:
        return {"name": name, "ok": False, "reason": str(error), "claims": ()}
    return {"name": name, "ok": True, "reason": "", "claims": report.claims}


def _tell_switch(
    report: PluginReport, switch: str, district: str | None, partner: str | None, as_json: bool
) -> None:
    """Say in one line what was switched, and how the plugin stands in the whole city."""
    if as_json:
        _show(report, as_json)
        return
    click.echo(f"{report.name} is switched {switch} for {_where(district, partner)}; it is {_stands(report)}")


def _where(district: str | None, partner: str | None) -> str:
    if district or partner:
        return f"district {district}" if district else f"partner {partner}"
    return "the whole city"


def _where_on(report: PluginReport) -> str:
    return f"{report.state}, off in {', '.join(report.off_in)}" if report.off_in else str(report.state)


def _stands(report: PluginReport) -> str:
    return f"{report.state} ({report.reason})" if report.reason else str(report.state)


def _show(report: PluginReport, as_json: bool) -> None:
    if as_json:
        emit(attrs.asdict(report, recurse=False))
        return
    lines = [
        ("name", report.name),
        ("title", report.title),
        ("distribution", f"{report.distribution} {report.version}"),
        ("state", report.state),
        ("reason", report.reason),
        ("requires", ", ".join(report.requires)),
    ]
    lines += [("claims", f"{each['kind']} {each['key']}") for each in report.claims]
    for each in report.scopes:
        where = f"{each['scope']} {each['id']}".strip()
        switch = "on" if each["wanted"] else "off"
        lines.append((switch, f"{where}, by {each['changed_by']} at {each['changed_at']:%Y-%m-%d %H:%M} UTC"))
    if report.settings is not None:
        lines += [("setting", f"{key} = {value}") for key, value in report.settings.items()]
    for label, value in lines:
        if value:
            click.echo(f"{label:<13}{value}")


def _who() -> str:
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):
        return "command line"
