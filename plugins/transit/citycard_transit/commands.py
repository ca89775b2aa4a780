"""The commands of transit: replay a morning, real or made up, and explain a price."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from citycard.cli.options import city_option, json_option, opened

if TYPE_CHECKING:
    from citycard.city import City
    from citycard_transit.replay import Clockwork
    from citycard_transit.taps import Taps

__all__ = ["explain", "morning", "shenzhen"]

_HERE = Path(__file__).parent
_LEAST_FEN = 0


def _replaying(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that both replays have."""
    options = (
        click.option(
            "--city",
            "folder",
            type=click.Path(path_type=Path, file_okay=False),
            envvar="CITYCARD_CITY",
            help="Play in this city; it is made when there is none. Without it, a city is made and removed.",
        ),
        click.option(
            "--hold",
            type=click.Path(path_type=Path, file_okay=False),
            help="Write the batch files and their manifest to this folder and do not hand them in.",
        ),
        click.option("--progress/--no-progress", default=None, help="Show a bar (default: on a terminal)."),
        json_option,
    )
    for option in options:
        function = option(function)
    return function


@click.command("shenzhen")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_replaying
def shenzhen(
    file: Path, folder: Path | None, hold: Path | None, progress: bool | None, as_json: bool
) -> None:
    """Play a FILE of taps in the open-data format of Shenzhen, then clear and settle it.

    With --json: an object with what was played, cleared and settled (docs/replay.md).
    """
    from citycard_transit.replay import Clockwork
    from citycard_transit.shenzhen import read_taps

    clockwork = Clockwork()
    with clockwork.phase("read"):
        taps = read_taps(file)
    _replay(taps, "shenzhen", folder, hold, progress=progress, as_json=as_json, clockwork=clockwork)


@click.command("morning")
@click.option("--seed", type=int, default=1, show_default=True, help="Another number gives another morning.")
@click.option("--taps", type=int, default=None, help="How many taps at least (default: 24000).")
@_replaying
def morning(
    seed: int,
    taps: int | None,
    folder: Path | None,
    hold: Path | None,
    progress: bool | None,
    as_json: bool,
) -> None:
    """Play a generated morning in a made-up city, then clear and settle it.

    With --json: an object with what was played, cleared and settled (docs/replay.md).
    """
    from citycard_transit.morning import DEFAULT_TAPS, generate
    from citycard_transit.replay import Clockwork

    clockwork = Clockwork()
    with clockwork.phase("read"):
        made = generate(seed, DEFAULT_TAPS if taps is None else taps)
    _replay(made, "morning", folder, hold, progress=progress, as_json=as_json, clockwork=clockwork)


def _replay(
    taps: Taps,
    example: str,
    folder: Path | None,
    hold: Path | None,
    *,
    progress: bool | None,
    as_json: bool,
    clockwork: Clockwork,
) -> None:
    from citycard.cli.output import emit, say
    from citycard.cli.output import progress as bar
    from citycard_transit.replay import replay, settings_of
    from citycard_transit.words import told, warned

    with _telling_when_broken_off(folder), _city(folder, example) as city:
        for line in warned(taps, settings_of(city)):
            say(line)
        summary = replay(
            city,
            taps,
            clockwork=clockwork,
            progress=lambda queue: bar(queue, "playing taps", shown=progress),
            keep=folder is not None,
            hold=hold,
        )
    if hold is not None and summary.already_played:
        say(f"nothing was written to {hold}: these taps were played and handed in before")
    if as_json:
        emit(summary.as_json())
    else:
        for line in told(summary, kept=folder is not None):
            click.echo(line)


@contextmanager
def _telling_when_broken_off(folder: Path | None) -> Iterator[None]:
    from citycard.cli.output import say

    try:
        yield
    except KeyboardInterrupt:
        kept = (
            "nothing is lost: call it again" if folder is not None else "its city is removed: call it again"
        )
        say(f"the replay was broken off, {kept}")
        raise


@contextmanager
def _city(folder: Path | None, example: str) -> Iterator[City]:
    """Open the city in a folder, made from an example when there is none, or one that is removed again."""
    from citycard.city.config import CONFIG_NAME
    from citycard.cli.output import say

    template = _HERE / "examples" / f"{example}.toml"
    if folder is not None:
        if not (folder / CONFIG_NAME).exists():
            say(f"making a city in {folder} from the example {example}")
        with closing(_made_or_opened(folder, template)) as city:
            yield city
        return
    with tempfile.TemporaryDirectory(prefix="citycard-") as made:
        say("no --city: playing in a city of its own, which is removed afterwards")
        with closing(_made_or_opened(Path(made), template)) as city:
            yield city


def _made_or_opened(folder: Path, template: Path) -> City:
    from citycard.city import City
    from citycard.city.config import CONFIG_NAME
    from citycard.errors import CityExists

    config = folder / CONFIG_NAME
    try:
        # Where making it was broken off, what is there of it is gone on with.
        return City.create(folder, config if config.exists() else template)
    except CityExists:
        return opened(folder)


# ── explain ──────────────────────────────────────────────────────────────────────────────────────


@click.command("explain")
@click.option("--service", type=click.Choice(["metro", "bus"]), default="bus", show_default=True)
@click.option("--price", type=click.IntRange(min=_LEAST_FEN), default=None, help="List price in fen.")
@click.option("--product", default=None, help="The rider's card product (default: the first one).")
@click.option("--entitlement", "entitlements", multiple=True, help="An entitlement besides the product's.")
@click.option("--transfer/--no-transfer", default=False, help="The terminal says it is a transfer.")
@click.option("--minutes-after", type=click.IntRange(min=0), help="Minutes since the ride before.")
@click.option("--place", type=click.IntRange(min=0), default=0, help="Station of the exit, or bus line.")
@click.option("--origin", type=click.IntRange(min=0), default=0, help="Station of the entry, when seen.")
@click.option("--operator", default=None, help="The operator's id.")
@click.option("--spent-today", type=click.IntRange(min=0), default=0, help="Fen spent before on this day.")
@click.option("--at", type=click.DateTime(), default=None, help="Local time of the ride (default: now).")
@click.option("--card", default=None, help="Explain a record: the card's 20 digits …")
@click.option("--counter", type=int, default=None, help="… and its counter.")
@city_option
@json_option
def explain(folder: Path, as_json: bool, card: str | None, counter: int | None, **ride: Any) -> None:
    """Say how the price of a ride came to be, rule by rule: one that is described, or one of a record.

    With --json: an object with the price and its steps (docs/transit.md).
    """
    from citycard.cli.output import emit
    from citycard_transit.asking import explain_record, explain_ride
    from citycard_transit.words import lines_of

    if (card is None) != (counter is None):
        raise click.UsageError("--card and --counter belong together")
    city = opened(folder)
    try:
        if card is not None and counter is not None:
            answer = explain_record(city, card, counter)
        else:
            answer = explain_ride(city, **ride)
    finally:
        city.close()
    if as_json:
        emit(answer)
    else:
        for line in lines_of(answer):
            click.echo(line)
