"""``citycard egov subsidy`` and ``notice``: payment plans of offices, and what they publish."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from citycard.cli.options import actor_option, city_option, json_option, opened
from citycard.cli.output import counting, emit, pairs, say, table
from citycard.money import yuan

if TYPE_CHECKING:
    from citycard_egov.plans import Plan, PlanLine

__all__ = ["notice", "subsidy"]

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def subsidy() -> None:
    """Payment plans: import, approve, refuse, pay, report."""


@subsidy.command("import")
@click.argument("plan")
@click.argument("programme")
@click.argument("file", type=_FILE)
@click.option("--title", required=True, help="What it is, as the payee reads it.")
@click.option("--department", required=True, help="Who hands it in.")
@actor_option
@city_option
@json_option
def import_(
    plan: str,
    programme: str,
    file: Path,
    title: str,
    department: str,
    actor: str,
    folder: Path,
    as_json: bool,
) -> int:
    """Keep a CSV FILE of payments as PLAN of PROGRAMME.

    Its columns are amount (yuan), and id_number or card. Leaves with 1 when a line is bad.
    With --json: an object with plan and bad (line, reason).
    """
    from citycard_egov.office import Office
    from citycard_egov.plans import make_plan
    from citycard_egov.texts import read_text

    office = Office.of(opened(folder))
    made = make_plan(
        office,
        plan,
        programme,
        read_text(file),
        title=title,
        department=department,
        file=file.name,
        actor=actor,
    )
    return _told(made, _bad(office, plan), as_json=as_json)


@subsidy.command()
@click.argument("plan")
@actor_option
@city_option
@json_option
def approve(plan: str, actor: str, folder: Path, as_json: bool) -> None:
    """Approve PLAN; two persons have to. With --json: the plan."""
    from citycard_egov.office import Office
    from citycard_egov.plans import approve as approve_one

    done = approve_one(Office.of(opened(folder)), plan, actor=actor)
    if as_json:
        emit(done)
    else:
        say(f"plan {plan} is {done.state}: {done.first_by}, {done.second_by or 'a second person is needed'}")


@subsidy.command()
@click.argument("plan")
@city_option
@json_option
def refuse(plan: str, folder: Path, as_json: bool) -> None:
    """Give up PLAN, of which nothing was paid. With --json: the plan."""
    from citycard_egov.office import Office
    from citycard_egov.plans import refuse_plan

    done = refuse_plan(Office.of(opened(folder)), plan)
    if as_json:
        emit(done)
    else:
        say(f"plan {plan} is {done.state}")


@subsidy.command()
@click.argument("plan")
@click.option("--retry", is_flag=True, help="Try bad lines whose payee is known once more.")
@actor_option
@city_option
@json_option
def pay(plan: str, retry: bool, actor: str, folder: Path, as_json: bool) -> int:
    """Pay PLAN, or go on with one that was broken off.

    Nobody is paid twice. Leaves with 1 when a line is bad. With --json: an object with plan and bad (line,
    reason).
    """
    from citycard_egov.office import Office
    from citycard_egov.plans import pay_plan, retry_bad

    office = Office.of(opened(folder))
    if retry:
        retry_bad(office, plan)
    with counting("paying") as told:
        done = pay_plan(office, plan, actor=actor, told=told)
    return _told(done, _bad(office, plan), as_json=as_json)


@subsidy.command()
@click.argument("plan")
@city_option
@json_option
def report(plan: str, folder: Path, as_json: bool) -> int:
    """Say where PLAN is, and list its bad lines.

    Leaves with 1 when a line is bad. With --json: an object with plan and bad (line, reason).
    """
    from citycard.store import reading
    from citycard_egov.office import Office
    from citycard_egov.plans import find_plan

    office = Office.of(opened(folder))
    with reading(office.engine) as conn:
        found = find_plan(conn, plan)
    return _told(found, _bad(office, plan), as_json=as_json)


def _bad(office: object, plan: str) -> list[PlanLine]:
    from citycard.store import reading
    from citycard_egov.plans import lines_of

    with reading(office.engine) as conn:  # type: ignore[attr-defined]
        return lines_of(conn, plan, state="bad")


def _told(plan: Plan, bad: list[PlanLine], *, as_json: bool) -> int:
    if as_json:
        emit({"plan": plan, "bad": bad})
    else:
        pairs(
            [
                ("plan", f"{plan.id}: {plan.title}"),
                ("state", plan.state),
                ("to pay", f"{plan.payments} payments, {yuan(plan.amount_fen)} yuan"),
                ("paid", f"{plan.paid} payments, {yuan(plan.paid_fen)} yuan"),
                ("accounts opened", plan.opened),
                ("bad lines", plan.bad),
            ]
        )
        if bad:
            table(("line", "not paid because"), [(one.line, one.reason) for one in bad])
    return 1 if bad else 0


@click.group()
def notice() -> None:
    """Public disclosure: publish, withdraw, show."""


@notice.command()
@click.argument("name")
@click.argument("file", type=_FILE)
@click.option("--department", required=True, help="Who publishes it.")
@click.option("--title", required=True, help="Its title.")
@click.option("--title-zh", default="", help="Its Chinese title.")
@click.option("--chinese", type=_FILE, default=None, help="A file with the Chinese text.")
@actor_option
@city_option
@json_option
def publish(
    name: str,
    file: Path,
    department: str,
    title: str,
    title_zh: str,
    chinese: Path | None,
    actor: str,
    folder: Path,
    as_json: bool,
) -> None:
    """Publish the text of FILE under NAME. With --json: the item, as notice show has it."""
    from citycard_egov.disclosure import publish_notice
    from citycard_egov.office import Office
    from citycard_egov.texts import read_text

    made = publish_notice(
        Office.of(opened(folder)),
        name,
        department=department,
        title=title,
        title_zh=title_zh,
        body=read_text(file),
        body_zh=read_text(chinese) if chinese else "",
        actor=actor,
    )
    if as_json:
        emit(made)
    else:
        say(f"{name} is public")


@notice.command()
@click.argument("name")
@city_option
@json_option
def withdraw(name: str, folder: Path, as_json: bool) -> None:
    """Show NAME no longer. With --json: an object with withdrawn, its name."""
    from citycard_egov.disclosure import withdraw_notice
    from citycard_egov.office import Office

    withdraw_notice(Office.of(opened(folder)), name)
    if as_json:
        emit({"withdrawn": name})
    else:
        say(f"{name} is not shown any more")


@notice.command()
@city_option
@json_option
def show(folder: Path, as_json: bool) -> None:
    """Show what the city makes public.

    With --json: an object with notices, subsidies, applications and small_count; a sum of too few persons is
    null.
    """
    from citycard_egov.disclosure import disclose
    from citycard_egov.office import Office

    found = disclose(Office.of(opened(folder)))
    if as_json:
        emit(found)
        return
    table(
        ("item", "department", "title", "since"),
        [(one.id, one.department, one.title, one.published_at) for one in found.notices],
    )
    few = f"fewer than {found.small_count}"
    table(
        ("what", "persons", "yuan"),
        [
            (
                one.title,
                few if one.persons is None else one.persons,
                "" if one.amount_fen is None else yuan(one.amount_fen),
            )
            for one in (*found.subsidies, *found.applications)
        ],
    )
