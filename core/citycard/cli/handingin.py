"""What ``citycard clearing`` does for senders: register them, convert batches, and let late files through."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citycard.cli.lazy import ListedGroup
from citycard.cli.options import NewFile, actor_option, city_option, json_option, opened
from citycard.cli.output import emit, say, table
from citycard.money import yuan

if TYPE_CHECKING:
    from citycard.clearing.reports import IntakeReport, Missing

__all__ = ["COMMANDS", "print_intake", "print_missing"]

_file = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group("sender", cls=ListedGroup)
def sender_group() -> None:
    """Say who may hand in files of rows."""


@sender_group.command("add")
@click.argument("sender")
@click.option("--partner", required=True, help="Whose terminals' records it hands in.")
@click.option("--key", required=True, type=_file, help="Its public key, Ed25519 in PEM.")
@city_option
@json_option
def add_command(sender: str, partner: str, key: Path, folder: Path, as_json: bool) -> None:
    """Let SENDER hand in files for a partner; a closed one is opened again.

    With --json: an object with id, partner, public_key, opened_at and closed_at.
    """
    from citycard.clearing.senders import open_sender

    made = open_sender(opened(folder), sender, partner, key.read_bytes())
    if as_json:
        emit(made)
    else:
        say(f"sender {made.id} hands in for {made.partner}")


@sender_group.command("close")
@click.argument("sender")
@city_option
@json_option
def close_command(sender: str, folder: Path, as_json: bool) -> None:
    """Take nothing from SENDER any more.

    With --json: an object as of ``add``.
    """
    from citycard.clearing.senders import close_sender

    made = close_sender(opened(folder), sender)
    if as_json:
        emit(made)
    else:
        say(f"sender {made.id} is closed")


@sender_group.command("list")
@city_option
@json_option
def list_command(folder: Path, as_json: bool) -> None:
    """List the senders.

    With --json: an array of objects as of ``add``.
    """
    from citycard.clearing.senders import senders

    found = senders(opened(folder))
    if as_json:
        emit(found)
    else:
        rows = [(one.id, one.partner, "closed" if one.closed_at else "open") for one in found]
        table(("sender", "partner", "state"), rows)


@click.command("convert")
@click.argument("files", nargs=-1, required=True, type=_file, metavar="FILE...")
@click.option("--to", "kind", required=True, type=click.Choice(["ccb", "csv", "parquet", "978"]))
@click.option("--out", required=True, type=NewFile(again=True), help="The file; its cover is put beside it.")
@click.option("--sender", required=True, help="Who hands it in.")
@click.option("--number", required=True, type=click.IntRange(min=1), help="The sender's number of the file.")
@click.option("--key", type=_file, help="The sender's private key, Ed25519 in PEM; without it no signature.")
@city_option
@json_option
def convert_command(
    files: tuple[Path, ...],
    kind: str,
    out: Path,
    sender: str,
    number: int,
    key: Path | None,
    folder: Path,
    as_json: bool,
) -> None:
    """Write batch files as one file of a sender, with its cover OUT.cover.json.

    The city's folder may hold a 978.toml. With --json: the cover.
    """
    from citycard.clearing.converting import convert
    from citycard.clearing.cover import COVER_SUFFIX
    from citycard.errors import FileThere
    from citycard.files import write_whole

    cover, data = convert(
        [(file.name, file.read_bytes()) for file in files],
        kind=kind,
        sender=sender,
        number=number,
        file=out.name,
        key_pem=key.read_bytes() if key else None,
        folder=folder,
    )
    # The cover comes last: whoever sees it finds the whole file.
    wanted = {out: data, out.with_name(out.name + COVER_SUFFIX): cover.written()}
    for path, content in wanted.items():
        if path.exists() and path.read_bytes() != content:
            raise FileThere(path=path)
    for path, content in wanted.items():
        write_whole(path, content)
    if as_json:
        emit(cover)
    else:
        say(f"{cover.records} records, {yuan(cover.amount_fen)} yuan, in {out}")


@click.command("late")
@city_option
@json_option
def late_command(folder: Path, as_json: bool) -> None:
    """List files that came too late and wait for a release.

    With --json: an array of objects with name, digest, terminal, number, business_date, records, amount_fen
    and archive.
    """
    from citycard.clearing.late import late_files

    found = late_files(opened(folder))
    if as_json:
        emit(found)
        return
    table(
        ("file", "business date", "records", "yuan", "digest"),
        [(one.name, one.business_date, one.records, yuan(one.amount_fen), one.digest) for one in found],
    )


@click.command("release")
@click.argument("digest")
@click.option("--reason", required=True, help="Why it may still be cleared.")
@actor_option
@city_option
@json_option
def release_command(digest: str, reason: str, actor: str, folder: Path, as_json: bool) -> int:
    """Let a late file through: DIGEST as ``clearing late`` shows it. It goes to the next run.

    Leaves with 1 when it is quarantined for another reason. With --json: an object as of ``receive``.
    """
    from citycard.clearing.late import release

    report = release(opened(folder), digest, actor=actor, reason=reason)
    print_intake(report, as_json=as_json)
    return 1 if report.quarantined else 0


@click.command("watch")
@click.argument("inbox", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--once", is_flag=True, help="Take in what is whole now, and end.")
@click.option("--every", "every_s", type=click.FloatRange(min=0.1), default=2.0, show_default=True)
@city_option
@json_option
def watch_command(inbox: Path, once: bool, every_s: float, folder: Path, as_json: bool) -> int:
    """Take in files that are dropped into INBOX, and move each to done or quarantined in there.

    Looks every so many seconds until it is interrupted. With --once it leaves with 1 when a file was
    quarantined. Leaves with 5 when another process takes in from INBOX. With --json: an object as of
    ``receive`` each time that something came.
    """
    import time

    from citycard.clearing.dropping import Inbox

    city, quarantined = opened(folder), 0
    with Inbox(inbox) as dropped:
        while True:
            report = dropped.take_in(city, settle_s=0 if once else every_s)
            if report is not None:
                print_intake(report, as_json=as_json)
                quarantined += report.quarantined
            elif once:
                return 1 if quarantined else 0
            else:
                time.sleep(every_s)


COMMANDS = (sender_group, convert_command, late_command, release_command, watch_command)


# ── what is printed ──────────────────────────────────────────────────────────────────────────────


def print_intake(report: IntakeReport, *, as_json: bool) -> None:
    """Say where every file ended, as ``receive`` does."""
    odd = [one for one in report.ends if one.state != "accepted"]
    if as_json:
        counts = {state: report.count(state) for state in ("accepted", "duplicate", "quarantined")}
        emit(
            counts
            | {
                "intake": report.intake,
                "records": report.records,
                "amount_fen": report.amount_fen,
                "files": report.files,
                "sent": report.sent,
                "missing": report.missing,
            }
        )
        return
    if odd:
        table(
            ("file", "state", "code", "reason"),
            [(o.name, o.state, o.code, o.reason.removeprefix(f"{o.code}: ")) for o in odd],
        )
    problems = [(sent.name, one) for sent in report.sent for one in sent.problems]
    if problems:
        table(
            ("file", "line", "field", "text", "expected"),
            [(name, one.line, one.field, one.text, one.expected) for name, one in problems],
        )
    print_missing(report.missing)
    say(f"{report.count('accepted')} of {len(report.files)} files accepted, {report.records} records")


def print_missing(missing: Sequence[Missing]) -> None:
    """Name the batches and files that must exist and have not arrived."""
    if missing:
        table(
            ("missing from", "number", "code", "known from"),
            [(one.terminal or one.sender, one.number, "F05", one.announced) for one in missing],
        )
