"""``citycard key ceremony``: several people make a key that none of them knows, and sign how."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citycard.cli.componentfile import ask_component, ask_secret, hand_out, read_component
from citycard.cli.lazy import ListedGroup
from citycard.cli.options import NewFile, city_option, json_option
from citycard.cli.output import emit, say

if TYPE_CHECKING:
    from citycard.keys.ceremony import Ceremony

__all__ = ["group"]

_PATH = click.Path(path_type=Path)
_THERE = click.Path(path_type=Path, exists=True, dir_okay=False)
_SIGNER = (str, _THERE)
_FILE = click.argument("file", type=_THERE)
_NEW = click.argument("file", type=NewFile())


@click.group("ceremony", cls=ListedGroup)
def group() -> None:
    """Make a root or bring a foreign key, from components that several people hold."""


@group.command("signer")
@_NEW
@json_option
def signer(file: Path, as_json: bool) -> None:
    """Make a signing key for an officer or a witness: FILE (mode 0600), and FILE.pub to be given away.

    With --json: an object with key and public, the two files.
    """
    from citycard.keys.protocol import draw_signer, public_pem
    from citycard.keys.sealed import write_private

    pem = draw_signer()
    write_private(file, pem, replace=False)
    public = file.with_name(f"{file.name}.pub")
    public.write_text(public_pem(pem), encoding="ascii")
    if as_json:
        emit({"key": file, "public": public})
    else:
        click.echo(public)


@group.command("start")
@_NEW
@click.option("--custodian", "custodians", multiple=True, required=True, help="A holder of one component.")
@click.option("--needed", type=int, help="How many custodians make the key (default: all).")
@click.option("--scheme", type=click.Choice(["xor", "shamir"]), default="xor", show_default=True)
@click.option(
    "--officer", type=_SIGNER, required=True, help="Who leads the ceremony: name and public key file."
)
@click.option("--witness", type=_SIGNER, required=True, help="Who watches it: name and public key file.")
@click.option("--purpose", default="root", help="Bring a foreign key of this purpose (default: a root).")
@click.option("--algorithm", type=click.Choice(["tdes", "aes", "sm4"]), default="tdes", show_default=True)
@click.option("--hierarchy", default="", help="For a hierarchy with a root of its own, by its name.")
@json_option
def start(
    file: Path,
    custodians: tuple[str, ...],
    needed: int | None,
    scheme: str,
    officer: tuple[str, Path],
    witness: tuple[str, Path],
    purpose: str,
    algorithm: str,
    hierarchy: str,
    as_json: bool,
) -> None:
    """Begin a ceremony, whose protocol is kept in FILE. Nobody may be named twice.

    With xor all custodians are needed, with shamir any --needed of them. The keys of officer and witness
    are the public ones (citycard key ceremony signer). With --json: an object with ceremony (its id), file
    and next.
    """
    from citycard.keys import Algorithm
    from citycard.keys.ceremony import Ceremony, Scheme, Signer
    from citycard.keys.protocol import public_pem

    made = Ceremony.start(
        file,
        subject=purpose,
        scheme=Scheme(scheme),
        needed=len(custodians) if needed is None else needed,
        custodians=custodians,
        signers=[
            Signer(role=role, name=name, public_key=public_pem(key.read_bytes()))
            for role, (name, key) in (("officer", officer), ("witness", witness))
        ],
        hierarchy=hierarchy,
        algorithm=Algorithm[algorithm.upper()],
        now=_now(),
    )
    _tell(made, {"ceremony": made.id, "file": file}, "", as_json=as_json)


@group.command("contribute")
@_FILE
@click.argument("custodian")
@click.option("--to", type=NewFile(again=True), help="Write the drawn component into this file.")
@click.option("--enter", is_flag=True, help="Type a component that exists already, instead of drawing one.")
@click.option("--kcv", default="", help="The check value on its paper, to be compared.")
@json_option
def contribute(file: Path, custodian: str, to: Path | None, enter: bool, kcv: str, as_json: bool) -> None:
    """Let CUSTODIAN draw a component, or type one: only its check value goes into FILE.

    A drawn component is shown once, or written to a file of mode 0600; it is needed again to finish.
    With --json, which wants --to or --enter: an object with custodian, kcv, to and next.
    """
    from citycard.errors import ComponentWrong
    from citycard.keys.ceremony import Ceremony

    if as_json and to is None and not enter:
        raise click.UsageError("--json shows no component: say with --to where a drawn one goes")
    ceremony = Ceremony.read(file)
    ceremony.number(custodian)
    how = "type it, or pipe in its 32 hex digits"
    value = ask_component(ceremony, custodian, instead=how) if enter else secrets.token_bytes(16)
    found = ceremony.kcv_of(value)
    if kcv and kcv.upper() != found:
        raise ComponentWrong(whose=f"the component of {custodian}", expected=kcv.upper(), found=found)
    if not enter:
        ceremony.require_open(custodian)
        # Handed out first: a check value in the protocol whose component nobody has would be a dead end.
        hand_out(ceremony, custodian, value, to)
    ceremony.contribute(custodian, value, _now())
    told = {"custodian": custodian, "kcv": found, "to": to}
    _tell(ceremony, told, f"component of {custodian}, KCV {found}; ", as_json=as_json)


@group.command("finish")
@_FILE
@click.option("--component", "files", multiple=True, type=_THERE, help="The file of a component.")
@click.option(
    "--custodian", "present", multiple=True, help="Who types a component (default: the first ones)."
)
@click.option("--kcv", default="", help="The check value that the key must have.")
@click.option("--shares", type=_PATH, help="Folder for the shares of the others (shamir).")
@city_option
@json_option
def finish(
    file: Path,
    files: tuple[Path, ...],
    present: tuple[str, ...],
    kcv: str,
    shares: Path | None,
    folder: Path,
    as_json: bool,
) -> None:
    """Put the components together and make the vault, or bring the key into it; the key is then forgotten.

    For a root, the city's folder holds city.toml and no vault yet. May be interrupted and called again.
    A component that no --component FILE gives is typed, or is a line of the standard input. With --json: an
    object with kcv, outcome and next; shares then want --shares.
    """
    from citycard.city.ceremonies import use_key
    from citycard.keys.ceremony import Ceremony

    ceremony = Ceremony.read(file)
    if as_json and shares is None and ceremony.needed < len(ceremony.custodians):
        raise click.UsageError("--json shows no share: say with --shares where they go")
    how = "type it, or give the file that holds it with --component FILE"
    given = dict(read_component(ceremony, path) for path in files)
    for name in present or (() if files else ceremony.custodians[: ceremony.needed]):
        given[name] = ask_component(ceremony, name, instead=how)
    key = ceremony.combine(given, _now(), kcv)
    outcome = ceremony.outcome or use_key(folder, ceremony, key)
    if ceremony.needed < len(ceremony.custodians):
        _hand_out_further(ceremony, given, shares)
    ceremony.finish(outcome, _now())
    if not as_json:
        click.echo(f"KCV {ceremony.kcv}: {outcome}")
    _tell(ceremony, {"kcv": ceremony.kcv, "outcome": outcome}, "", as_json=as_json)


def _hand_out_further(ceremony: Ceremony, given: Mapping[str, bytes], folder: Path | None) -> None:
    for name, share in ceremony.further_shares(given, _now()).items():
        place = None if folder is None else folder / f"share-{ceremony.number(name)}.txt"
        hand_out(ceremony, name, share, place)


@group.command("sign")
@_FILE
@click.option("--key", type=_THERE, required=True, help="The private key of the officer or the witness.")
@json_option
def sign(file: Path, key: Path, as_json: bool) -> None:
    """Sign the protocol in FILE as officer or witness, and write it in words beside FILE.

    With --json: an object with signed_by, protocol (the file in words) and next.
    """
    from citycard.errors import SigningKeyLocked
    from citycard.keys.ceremony import Ceremony
    from citycard.keys.protocol import protocol_text, sign_protocol

    ceremony = Ceremony.read(file)
    try:
        who = sign_protocol(ceremony, key.read_bytes())
    except SigningKeyLocked:
        password = ask_secret("the passphrase of the signing key", instead="type it, or pipe it in")
        who = sign_protocol(ceremony, key.read_bytes(), password)
    words = file.with_suffix(".txt")
    words.write_text(protocol_text(ceremony), encoding="utf-8")
    _tell(ceremony, {"signed_by": who, "protocol": words}, f"signed by {who}; ", as_json=as_json)


@group.command("status")
@_FILE
@json_option
def status(file: Path, as_json: bool) -> None:
    """Say how far a ceremony is and what is next; --json gives the protocol with ``next``."""
    from citycard.keys.ceremony import Ceremony
    from citycard.keys.protocol import protocol_text

    ceremony = Ceremony.read(file)
    if as_json:
        emit({**ceremony.content(), "next": ceremony.next_step()})
    else:
        click.echo(protocol_text(ceremony), nl=False)
        click.echo(f"Next: {ceremony.next_step()}")


@group.command("verify")
@_FILE
@click.option("--key", "keys", multiple=True, type=_THERE, help="The public key of officer or witness.")
@json_option
def verify(file: Path, keys: tuple[Path, ...], as_json: bool) -> None:
    """Check the rules and signatures of a finished ceremony, and print its protocol; exit 3 when wrong.

    Give both public keys, as the officer and the witness handed them over: those in FILE may be anybody's.
    With --json: the protocol, as in ``status``, and holds, which is true.
    """
    from citycard.keys.ceremony import Ceremony
    from citycard.keys.protocol import protocol_text, public_pem, verify_protocol

    ceremony = Ceremony.read(file)
    verify_protocol(ceremony, [public_pem(key.read_bytes()) for key in keys])
    if as_json:
        emit({**ceremony.content(), "next": ceremony.next_step(), "holds": True})
        return
    click.echo(protocol_text(ceremony), nl=False)
    say("the ceremony holds: its rules are kept and both signatures are good")


def _tell(ceremony: Ceremony, told: Mapping[str, object], words: str, *, as_json: bool) -> None:
    """Say what was done and what is next: as words beside the answer, or as the one JSON document."""
    following = ceremony.next_step()
    if as_json:
        emit({**told, "next": following})
    else:
        say(f"{words}next: {following}")


def _now() -> dt.datetime:
    from citycard.clock import SystemClock

    return SystemClock().now()
