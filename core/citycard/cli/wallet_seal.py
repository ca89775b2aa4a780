"""``citycard wallet seal``, ``seals``, ``verify``, ``prove``, ``check-proof`` and ``key``."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from citycard.cli.options import city_option, json_option, opened
from citycard.cli.output import emit, pairs, say, table

if TYPE_CHECKING:
    from citycard.ledger.findings import Finding
    from citycard.ledger.seals import Seal, SealHead

__all__ = ["check", "key", "prove", "seal", "seals", "verify"]

_NOTED = re.compile(r"[1-9]\d{0,17}:[0-9a-fA-F]{64}")


def _heads(_context: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> list[SealHead]:
    """Read seals that were noted somewhere: ``NUMBER:HASH``."""
    from citycard.ledger.seals import SealHead

    heads = []
    for value in values:
        if not _NOTED.fullmatch(value):
            raise click.BadParameter(f"{value!r} is no NUMBER:HASH of a seal: citycard wallet seals has both")
        number, _, text = value.partition(":")
        heads.append(SealHead(seq=int(number), hash32=bytes.fromhex(text)))
    return heads


@click.command()
@city_option
@json_option
def seal(folder: Path, as_json: bool) -> None:
    """Seal what the ledger has now; a server does so every minute.

    With --json: an array of the seals made, as seals gives them.
    """
    from citycard.city.sealing import seal_city

    city = opened(folder)
    made = seal_city(city)
    city.close()
    if as_json:
        emit([_said(one) for one in made])
    elif made:
        _print_seals(made)
    else:
        say("nothing waits to be sealed")


@click.command()
@click.option("--before", type=click.IntRange(min=1), metavar="N", help="Only below this number.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many.")
@city_option
@json_option
def seals(before: int | None, limit: int, folder: Path, as_json: bool) -> None:
    """List the ledger's seals, newest first; number and hash are what to publish.

    With --json: an array of objects with seal, hash, first_posted_seq, last_posted_seq, accounts, transfers,
    refusals, sums (debits and credits by currency), sealed_at, key_id and content, the text that is signed.
    """
    from citycard.ledger.seals import seals_before
    from citycard.store import reading

    city = opened(folder)
    with reading(city.engine) as conn:
        found = seals_before(conn, before, limit)
    city.close()
    if as_json:
        emit([_said(one) for one in found])
    else:
        _print_seals(found)


@click.command()
@click.option(
    "--head",
    "heads",
    metavar="NUMBER:HASH",
    callback=_heads,
    multiple=True,
    help="A seal that was noted elsewhere; it must still be there.",
)
@city_option
@json_option
def verify(heads: list[SealHead], folder: Path, as_json: bool) -> int:
    """Verify the whole ledger: seals, signatures, all under them, and every balance from its transfers.

    Exit code 1 says that something is wrong; the first line names what. With --json: an object with holds,
    seals, accounts, transfers, refusals, unsealed_accounts, unsealed_transfers, unsealed_refusals, head (seal
    and hash) and findings, objects with part, seal, posted_seq, id, field and found.
    """
    from citycard.city.sealing import verify_city

    city = opened(folder)
    seen = verify_city(city, heads, progress=_told)
    city.close()
    head = None if seen.head is None else {"seal": seen.head.seq, "hash": seen.head.hash32.hex()}
    if as_json:
        counts = ("seals", "accounts", "transfers", "refusals")
        emit(
            {"holds": seen.holds}
            | {name: getattr(seen, name) for name in counts}
            | {f"unsealed_{name}": getattr(seen, f"unsealed_{name}") for name in counts[1:]}
            | {"head": head, "findings": seen.findings}
        )
    elif seen.holds:
        click.echo(
            f"the ledger holds: {seen.transfers} transfers, {seen.refusals} refusals, "
            f"{seen.accounts} accounts, {seen.seals} seals; "
            f"{seen.unsealed_transfers} transfers wait for the next seal"
        )
    else:
        for one in seen.findings:
            click.echo(_line(one))
    return 0 if seen.holds else 1


@click.command()
@click.argument("identity", type=click.UUID, metavar="ID")
@city_option
@json_option
def prove(identity: UUID, folder: Path, as_json: bool) -> None:  # noqa: ARG001 - the proof is JSON either way
    """Prove what the ledger answered to the transfer ID: a JSON document that anybody can check.

    With --json, and without: an object with leaf and seal, the texts that are hashed, index, size, path,
    signature and format (docs/seal.md).
    """
    from citycard.ledger.proofs import prove as proven
    from citycard.store import reading

    city = opened(folder)
    with reading(city.engine) as conn:
        proof = proven(conn, identity)
    city.close()
    emit(proof)


@click.command("check-proof")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--key",
    "pem",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The public key of seals, as citycard wallet key prints it; no city is needed then.",
)
@click.option("--hash", "seal_hash", default="", metavar="HASH", help="The published hash of the seal.")
@city_option
@json_option
def check(file: Path, pem: Path | None, seal_hash: str, folder: Path, as_json: bool) -> None:
    """Check the proof in FILE: by the city's own keys, a public key, or the published hash of its seal.

    Exit code 1 says that it does not hold. With --json: an object with kind (transfer or refusal), says (the
    fields), seal, seal_hash, sealed_at and key_id.
    """
    from citycard.keys.sealkey import SealKey
    from citycard.ledger.proofs import check_proof

    if pem is not None:
        known = SealKey.versions_of(pem.read_text(encoding="utf-8"))
    elif seal_hash:
        known = []
    else:
        city = opened(folder)
        known = city.vault.seal_keys()
        city.close()
    text = file.read_text(encoding="utf-8", errors="replace")
    proven = check_proof(text, {one.id: one for one in known}, path=file, seal_hash=seal_hash)
    if as_json:
        emit(proven)
        return
    pairs([(name, "-" if value is None else value) for name, value in proven.says.items()])
    click.echo(f"the {proven.kind} is under seal {proven.seal} of {proven.sealed_at} UTC")


@click.command()
@click.option("--version", type=click.IntRange(1, 255), help="The key version (default: the current one).")
@city_option
@json_option
def key(version: int | None, folder: Path, as_json: bool) -> None:
    """Print the public key by which anybody checks seals and proofs, in PEM.

    With --json: an array of all versions, objects with id, version, honoured and pem.
    """
    city = opened(folder)
    known = city.vault.seal_keys()
    current = city.vault.seal_signer().key.version
    city.close()
    if as_json:
        emit(
            [
                {"id": one.id, "version": one.version, "honoured": one.honoured, "pem": one.pem}
                for one in known
            ]
        )
        return
    wanted = [one for one in known if one.version == (current if version is None else version)]
    if not wanted:
        versions = ", ".join(str(one.version) for one in known)
        raise click.BadParameter(f"there is no version {version}: expected one of {versions}")
    click.echo(wanted[0].pem, nl=False)


def _said(one: Seal) -> dict[str, object]:
    return {
        "seal": one.seq,
        "hash": one.hash32.hex(),
        "first_posted_seq": one.first_posted_seq,
        "last_posted_seq": one.last_posted_seq,
        "accounts": one.accounts,
        "transfers": one.transfers,
        "refusals": one.refusals,
        "sums": {name: {"debits": pair[0], "credits": pair[1]} for name, pair in one.sums.items()},
        "sealed_at": one.sealed_at,
        "key_id": one.key_id,
        "content": one.content,
    }


def _print_seals(found: list[Seal]) -> None:
    table(
        ("seal", "transfers", "to", "refusals", "accounts", "sealed (UTC)", "hash"),
        [
            (
                one.seq,
                one.transfers,
                one.last_posted_seq,
                one.refusals,
                one.accounts,
                f"{one.sealed_at:%Y-%m-%d %H:%M:%S}",
                one.hash32.hex(),
            )
            for one in found
        ],
    )


def _line(one: Finding) -> str:
    where = "" if one.seal is None or f"seal {one.seal}" in one.found else f" (under seal {one.seal})"
    named = "" if not one.id or one.id in one.found else f" [{one.id}]"
    return f"{one.part}: {one.found}{named}{where}"


def _told(what: str, count: int) -> None:
    if sys.stderr.isatty():
        # One line that is written over, and left when the next thing begins.
        click.echo(f"\r{what}: {count} transfers", nl=False, err=True)
    elif what != "seals":
        say(f"verifying {what}")
