"""``citycard key export`` and ``import``: a key leaves or comes under a transport key, before two people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from citycard.cli.options import NewFile, city_option, json_option, opened
from citycard.cli.output import emit, say, table

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.keys.keptvault import KeptVault

__all__ = ["audit", "export", "import_"]

_AUDIT = "key-audit.jsonl"
_THERE = click.Path(path_type=Path, exists=True, dir_okay=False)
_PEOPLE = click.option("--person", "people", multiple=True, required=True, help="Who does it: two people.")
_UNDER = click.option("--under", type=_THERE, help="A file with the transport key, in hex.")
_PARTS = click.option("--parts", type=int, default=0, help="Type the transport key as so many XOR parts.")
_SIZE = click.option(
    "--size", type=click.Choice(["16", "24", "32"]), default="16", help="Bytes of a typed part."
)
_HIERARCHY = click.option("--hierarchy", default="", help="The hierarchy, when not the city's.")


@click.command("export")
@click.argument("purpose")
@click.argument("file", type=NewFile())
@click.option("--version", type=int, help="The version (default: the current one).")
@click.option("--form", type=click.Choice(["aes-kw", "write-key"]), default="aes-kw", show_default=True)
@click.option("--usage", default="22", show_default=True, help="The SAM's key usage byte in hex (write-key).")
@_UNDER
@_PARTS
@_SIZE
@_PEOPLE
@_HIERARCHY
@city_option
@json_option
def export(
    purpose: str,
    file: Path,
    version: int | None,
    form: str,
    usage: str,
    under: Path | None,
    parts: int,
    size: str,
    people: tuple[str, ...],
    hierarchy: str,
    folder: Path,
    as_json: bool,
) -> None:
    """Wrap the key of PURPOSE under a transport key into FILE, for a SAM factory, an HSM or another city.

    Two people are needed, and what they do is added to key-audit.jsonl first. aes-kw takes an AES transport
    key, write-key a 3DES key of 16 bytes. With --json: an object with file, purpose, version, form, kcv and
    transport_kcv.
    """
    from citycard.keys.audit import append_audit
    from citycard.keys.transport import export_key

    two = _two(people)
    if not (len(usage) == 2 and set(usage) <= set("0123456789abcdefABCDEF")):  # noqa: PLR2004 - a byte in hex
        raise click.BadParameter("two hex digits are needed", param_hint="--usage")
    transport = _transport_key(under, parts, int(size))
    city = opened(folder)
    try:
        made = export_key(
            _vault(city, hierarchy), purpose, transport, form=form, version=version, usage=int(usage, 16)
        )
        append_audit(
            folder / _AUDIT,
            city.vault,
            "export",
            two,
            city.clock.now(),
            purpose=made.purpose,
            version=made.version,
            hierarchy=hierarchy,
            form=form,
            kcv=made.kcv,
            transport_kcv=made.transport_kcv,
            file=file.name,
        )
        made.write(file)
    finally:
        city.close()
    if as_json:
        told = ("purpose", "version", "form", "kcv", "transport_kcv")
        emit({"file": file} | {name: getattr(made, name) for name in told})
    else:
        say(f"{purpose} version {made.version}, KCV {made.kcv}, under transport key {made.transport_kcv}")


@click.command("import")
@click.argument("file", type=_THERE)
@click.option("--purpose", help="The purpose here (default: the one that the file names).")
@_UNDER
@_PARTS
@_SIZE
@_PEOPLE
@_HIERARCHY
@city_option
@json_option
def import_(
    file: Path,
    purpose: str | None,
    under: Path | None,
    parts: int,
    size: str,
    people: tuple[str, ...],
    hierarchy: str,
    folder: Path,
    as_json: bool,
) -> None:
    """Bring the key in FILE into the vault, as a version that waits for ``citycard key roll``.

    Two people are needed; its check value must agree. With --json: an object with purpose, version, status,
    kcv and transport_kcv.
    """
    from citycard.keys import Algorithm
    from citycard.keys.audit import append_audit
    from citycard.keys.transport import read_wrapped, unwrap

    two = _two(people)
    wrapped = read_wrapped(file)
    key = unwrap(wrapped, _transport_key(under, parts, int(size)))
    city = opened(folder)
    try:
        vault = _vault(city, hierarchy)
        facts = {"kcv": wrapped.kcv, "transport_kcv": wrapped.transport_kcv, "file": file.name}
        name = purpose or wrapped.purpose
        append_audit(
            folder / _AUDIT,
            city.vault,
            "import",
            two,
            city.clock.now(),
            purpose=name,
            hierarchy=hierarchy,
            **facts,
        )
        row = vault.put(name, key, Algorithm[wrapped.algorithm.upper()])
    finally:
        city.close()
    if as_json:
        told = {"purpose": row.purpose, "version": row.version, "status": row.status.value}
        emit(told | {"kcv": wrapped.kcv, "transport_kcv": wrapped.transport_kcv})
    else:
        waits = f"waits for citycard key roll {row.purpose}"
        say(f"{row.purpose} version {row.version}, KCV {wrapped.kcv}, {waits}")


@click.command("audit")
@city_option
@json_option
def audit(folder: Path, as_json: bool) -> None:
    """List which keys left or came, when and before whom; exit 1 when a line was changed, added or taken out.

    With --json: an array of objects with at, what, people, purpose, hierarchy, the check values, file, digest
    and before (the digest of the line before).
    """
    from citycard.keys.audit import read_audit

    city = opened(folder)
    try:
        lines = read_audit(folder / _AUDIT, city.vault.public_key_pem())
    finally:
        city.close()
    if as_json:
        emit(lines)
        return
    head = ("at", "what", "purpose", "kcv", "people", "digest")
    table(
        head, [(*(one[name] for name in head[:4]), ", ".join(one["people"]), one["digest"]) for one in lines]
    )


def _vault(city: City, hierarchy: str) -> KeptVault:
    return city.hierarchy(hierarchy) if hierarchy else city.vault


def _two(people: tuple[str, ...]) -> tuple[str, ...]:
    from citycard.errors import PeopleMissing
    from citycard.keys.ceremony import same_person

    if len({same_person(name) for name in people} - {""}) < 2:  # noqa: PLR2004 - four eyes
        raise PeopleMissing(people=", ".join(people))
    return people


def _transport_key(under: Path | None, parts: int, size: int) -> bytes:
    from citycard.cli.componentfile import ask_hex, hex_file
    from citycard.keys.shamir import combine_xor

    if (under is None) == (parts == 0):
        raise click.UsageError("give the transport key by --under FILE, or by --parts of at least 2")
    if under is not None:
        return hex_file(under)
    if parts < 2:  # noqa: PLR2004 - one part would be the key
        raise click.UsageError("--parts must be at least 2, so that nobody has the transport key alone")
    return combine_xor(
        {
            number: ask_hex(
                f"part {number} of the transport key",
                size,
                instead="type it, or give the whole key with --under FILE in place of --parts",
            )
            for number in range(1, parts + 1)
        }
    )
