"""Options that many commands share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from citycard.errors import FileThere

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.clock import Clock

__all__ = [
    "NewFile",
    "actor_option",
    "city_option",
    "csv_options",
    "id_option",
    "json_option",
    "limit_option",
    "opened",
]

Function = Callable[..., Any]


class NewFile(click.Path):
    """A file that a command makes: it is not there yet, and its folder is."""

    def __init__(self, *, again: bool = False) -> None:
        """``again``: the file may be there, and the command says itself what it does then."""
        super().__init__(path_type=Path, dir_okay=False)
        self._again = again

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = Path(str(super().convert(value, param, ctx)))
        if not path.parent.is_dir():
            self.fail(f"folder {str(path.parent)!r} does not exist.", param, ctx)
        if not self._again and path.exists():
            raise FileThere(path=path)
        return path


def actor_option(function: Function) -> Function:
    """Add ``--by NAME``: who does it, as the history will say; the user of this machine when left out."""
    return click.option(
        "--by",
        "actor",
        default=_user,
        callback=_named,
        help="Who does it, for the history (default: the user's name).",
    )(function)


def _named(_context: click.Context, _option: click.Parameter, value: str) -> str:
    if not value.strip():
        raise click.BadParameter("who does it? the history needs a name")
    return value


def _user() -> str:
    from getpass import getuser

    return getuser()


def city_option(function: Function) -> Function:
    """Add ``--city DIR``: the city's folder, from CITYCARD_CITY or the current folder when left out."""
    return click.option(
        "--city",
        "folder",
        type=click.Path(path_type=Path),
        envvar="CITYCARD_CITY",
        default=Path(),
        help="The city's folder, which holds city.toml (default: CITYCARD_CITY, or the current folder).",
    )(function)


def json_option(function: Function) -> Function:
    """Add ``--json``: print one documented JSON document instead of words."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(function)


def limit_option(function: Function) -> Function:
    """Add ``--limit``: how many of a list are shown or done."""
    kind = click.IntRange(1, 1_000_000)
    return click.option("--limit", type=kind, default=1000, show_default=True, help="At most so many.")(
        function
    )


def csv_options(function: Function) -> Function:
    """Add ``--csv``, to print CSV, and ``--out FILE``, where to instead; stands right above ``--json``."""

    @wraps(function)
    def chosen(*args: Any, as_csv: bool, out: Path | None, as_json: bool, **others: Any) -> Any:
        if out is not None and not as_csv:
            raise click.UsageError("--out says where CSV goes: say --csv as well")
        if as_csv and as_json:
            raise click.UsageError("--csv or --json: one answer at a time")
        return function(*args, as_csv=as_csv, out=out, as_json=as_json, **others)

    where = "With csv: into this new file [default: stdout]."
    decorated = click.option("--out", type=NewFile(), help=where)(chosen)
    return click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")(decorated)


def id_option(function: Function) -> Function:
    """Add ``--id UUID``: under the same id the same is done once, however often it is asked for."""
    return click.option(
        "--id",
        "identity",
        type=click.UUID,
        default=_new_id,
        help="An id that you made (UUID): asked for again under it, it is done once [default: a new one].",
    )(function)


def _new_id() -> UUID:
    from citycard.ids import new_id

    return new_id()


def opened(folder: Path, clock: Clock | None = None) -> City:
    """Open the city in a folder; the error of a folder without city.toml says how to make one."""
    from citycard.city import City

    return City.open(folder, clock=clock)
