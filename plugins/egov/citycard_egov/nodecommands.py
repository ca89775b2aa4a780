"""``citycard egov exchange`` and ``node``: the two sides of the information exchange."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

from citycard.cli.options import actor_option, city_option, json_option, opened
from citycard.cli.output import emit, say, table

if TYPE_CHECKING:
    from citycard_egov.chain import Head
    from citycard_egov.node import ExchangeNode

__all__ = ["exchange", "node"]

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group()
def exchange() -> None:
    """The city's side of the exchange: key, ask, log, verify."""


@exchange.command()
@city_option
@json_option
def key(folder: Path, as_json: bool) -> None:
    """Print the id and the public key under which the city hall signs. With --json: id and key."""
    from citycard_egov.asking import city_id, city_key
    from citycard_egov.office import Office

    office = Office.of(opened(folder))
    found = {"id": city_id(office), "key": city_key(office)}
    if as_json:
        emit(found)
    else:
        click.echo(f"{found['id']} {found['key']}")


@exchange.command()
@click.argument("party")
@click.argument("id_number")
@click.argument("fields", nargs=-1, required=True)
@click.option("--for", "asker", required=True, help="The department that asks.")
@click.option("--purpose", required=True, help="What for, as the citizen consented.")
@actor_option
@city_option
@json_option
def ask(
    party: str,
    id_number: str,
    fields: tuple[str, ...],
    asker: str,
    purpose: str,
    actor: str,
    folder: Path,
    as_json: bool,
) -> None:
    """Ask PARTY for FIELDS about a resident.

    The resident ID_NUMBER must have consented to it. With --json: an object with query, node, known and
    values.
    """
    from citycard_egov.asking import ask as query
    from citycard_egov.office import Office

    office = Office.of(opened(folder))
    came = query(office, party, id_number, fields, asker=asker, purpose=purpose, actor=actor)
    if as_json:
        emit(came)
    elif not came.known:
        say(f"{party} does not know this person")
    else:
        table(("field", "value"), sorted(came.values.items()))


@exchange.command("log")
@city_option
@json_option
def city_log(folder: Path, as_json: bool) -> None:
    """List the city's newest queries and answers. With --json: an array of pairs of number and content."""
    from citycard.store import reading
    from citycard_egov import chain
    from citycard_egov.office import Office
    from citycard_egov.tables import exchange_log

    office = Office.of(opened(folder))
    with reading(office.engine) as conn:
        _log(chain.entries(conn, exchange_log), as_json=as_json)


@exchange.command("verify")
@click.option("--head", default="", help="A head of this log that another party has: NUMBER:HASH.")
@city_option
@json_option
def city_verify(head: str, folder: Path, as_json: bool) -> int:
    """Check that the city's log is what was written.

    Leaves with 1 when it is not. With --json: an object with whole, broken (why it is not, or null), and head
    (seq, hash; null for an empty log).
    """
    from citycard.store import reading
    from citycard_egov import chain
    from citycard_egov.office import Office
    from citycard_egov.tables import exchange_log

    office = Office.of(opened(folder))
    with reading(office.engine) as conn:
        broken = chain.broken(conn, exchange_log, seen=_head(head))
        return _verified(broken, chain.head(conn, exchange_log), as_json=as_json)


@click.group()
def node() -> None:
    """A node of the exchange: init, key, peer, import, serve, log, verify."""


@node.command()
@click.argument("folder", type=_FOLDER)
@click.option("--id", "node_id", required=True, help="The id of the node, as others name it.")
@json_option
def init(folder: Path, node_id: str, as_json: bool) -> None:
    """Make a node in FOLDER, and print its public key. With --json: an object with id and key."""
    from citycard_egov.node import ExchangeNode

    made = ExchangeNode.create(folder, node_id)
    _print_key(made, as_json=as_json)
    made.close()


@node.command("key")
@click.argument("folder", type=_FOLDER)
@json_option
def node_key(folder: Path, as_json: bool) -> None:
    """Print the public key of the node in FOLDER. With --json: an object with id and key."""
    from citycard_egov.node import ExchangeNode

    found = ExchangeNode.open(folder)
    _print_key(found, as_json=as_json)
    found.close()


def _print_key(node: ExchangeNode, *, as_json: bool) -> None:
    if as_json:
        emit({"id": node.config.id, "key": node.public_key})
    else:
        click.echo(node.public_key)


@node.command()
@click.argument("folder", type=_FOLDER)
@click.argument("party")
@click.argument("public_key")
@click.option("--asks-for", multiple=True, help="A department that it may ask for.")
@click.option("--keeps-consents", is_flag=True, help="Consents that it signs count.")
@json_option
def peer(
    folder: Path,
    party: str,
    public_key: str,
    asks_for: tuple[str, ...],
    keeps_consents: bool,
    as_json: bool,
) -> None:
    """Let a node know PARTY by its PUBLIC_KEY.

    An entry that the node in FOLDER has of it is replaced. With --json: an object with party, key, asks_for
    and keeps_consents.
    """
    from citycard_egov.errors import EgovInvalid
    from citycard_egov.node import ExchangeNode, Peer

    try:
        made = Peer(key=public_key.lower(), asks_for=asks_for, keeps_consents=keeps_consents)
    except ValueError:
        raise EgovInvalid(
            field="public_key", value=public_key[:80], expected="64 hexadecimal digits"
        ) from None
    found = ExchangeNode.open(folder)
    found.add_peer(party, made)
    found.close()
    if as_json:
        emit({"party": party, **attrs.asdict(made)})
    else:
        say(f"{party} is known")


@node.command("import")
@click.argument("folder", type=_FOLDER)
@click.argument("file", type=_FILE)
@json_option
def import_(folder: Path, file: Path, as_json: bool) -> None:
    """Take a CSV FILE of persons into a node's own data.

    Its columns are id_number, and one for each field. With --json: an object with persons, how many there
    are.
    """
    from citycard_egov.node import ExchangeNode
    from citycard_egov.texts import read_text

    found = ExchangeNode.open(folder)
    count = found.import_people(read_text(file), file=file.name)
    found.close()
    if as_json:
        emit({"persons": count})
    else:
        say(f"{count} persons")


@node.command("ask")
@click.argument("folder", type=_FOLDER)
@click.argument("party")
@click.argument("url")
@click.argument("id_number")
@click.argument("fields", nargs=-1, required=True)
@click.option("--for", "asker", required=True, help="The department that asks, or the node's own id.")
@click.option("--purpose", required=True, help="What for, as the citizen consented.")
@click.option("--receipt", type=_FILE, default=None, help="The city's receipt of the consent, as JSON.")
@click.option("--token-file", type=_FILE, default=None, help="A token for the party's door, as the city's.")
@json_option
def node_ask(
    folder: Path,
    party: str,
    url: str,
    id_number: str,
    fields: tuple[str, ...],
    asker: str,
    purpose: str,
    receipt: Path | None,
    token_file: Path | None,
    as_json: bool,
) -> None:
    """Ask PARTY at URL for FIELDS about ID_NUMBER.

    The node in FOLDER must know PARTY. With --json: an object with query, known and values.
    """
    from citycard_egov.errors import EgovInvalid
    from citycard_egov.messages import opened as read_message
    from citycard_egov.node import ExchangeNode
    from citycard_egov.queries import Party
    from citycard_egov.texts import read_text

    found = ExchangeNode.open(folder)
    try:
        known = found.config.peers.get(party)
        if known is None:
            raise EgovInvalid(field="party", value=party[:40], expected="one that node peer made known")
        token = read_text(token_file).strip() if token_file else ""
        came = found.ask(
            Party(id=party, url=url, key=known.key, token=token),
            id_number,
            fields,
            asker=asker,
            purpose=purpose,
            receipt=read_message(read_text(receipt)) if receipt else None,
        )
    finally:
        found.close()
    if as_json:
        emit(came)
    elif not came["known"]:
        say(f"{party} does not know this person")
    else:
        table(("field", "value"), sorted(came["values"].items()))


@node.command()
@click.argument("folder", type=_FOLDER)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8600, show_default=True, help="0 takes a free one."
)
@json_option
def serve(folder: Path, host: str, port: int, as_json: bool) -> None:
    """Answer queries for the node in FOLDER.

    It stops at Ctrl-C; the address is printed on stdout. With --json: an object with id and address.
    """
    import uvicorn

    from citycard.cli.serve import address_of, listen
    from citycard_egov.node import ExchangeNode
    from citycard_egov.nodeserver import node_app

    found = ExchangeNode.open(folder)
    listening = listen(host, port)
    address = address_of(listening, host)
    if as_json:
        emit({"id": found.config.id, "address": address})
    else:
        click.echo(f"node {found.config.id} answers at {address}")
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    config = uvicorn.Config(node_app(found), access_log=False, log_level="warning", server_header=False)
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except KeyboardInterrupt:
        say("stopped")
    finally:
        listening.close()
        found.close()


@node.command("log")
@click.argument("folder", type=_FOLDER)
@json_option
def node_log(folder: Path, as_json: bool) -> None:
    """List the newest queries that came. With --json: an array of pairs of number and content."""
    from citycard_egov.node import ExchangeNode

    found = ExchangeNode.open(folder)
    _log(found.log(), as_json=as_json)
    found.close()


@node.command("verify")
@click.argument("folder", type=_FOLDER)
@click.option("--head", default="", help="A head of this log that another party has: NUMBER:HASH.")
@json_option
def node_verify(folder: Path, head: str, as_json: bool) -> int:
    """Check that the node's log is what was written.

    Leaves with 1 when it is not. With --json: an object with whole, broken (why it is not, or null), and head
    (null: a node tells none).
    """
    from citycard_egov.node import ExchangeNode

    found = ExchangeNode.open(folder)
    try:
        return _verified(found.broken(_head(head)), None, as_json=as_json)
    finally:
        found.close()


def _log(found: list[tuple[int, dict[str, object]]], *, as_json: bool) -> None:
    if as_json:
        emit(found)
        return
    table(
        ("row", "at", "what", "query"),
        [(seq, content["at"], content["event"], content["query"]) for seq, content in found],
    )


def _verified(broken: str | None, head: Head | None, *, as_json: bool) -> int:
    if as_json:
        emit({"whole": not broken, "broken": broken, "head": head})
        return 1 if broken else 0
    if broken:
        say(f"the log is broken: {broken}")
        return 1
    say(
        "the log is what was written"
        if head is None
        else f"the log is what was written: {head.seq}:{head.hash}"
    )
    return 0


def _head(text: str) -> Head | None:
    from citycard_egov.chain import Head
    from citycard_egov.errors import EgovInvalid

    if not text:
        return None
    seq, _, digest = text.partition(":")
    if not seq.isdigit() or len(digest) != 64:  # noqa: PLR2004 - SHA-256 in hexadecimal
        raise EgovInvalid(field="--head", value=text[:80], expected="NUMBER:HASH")
    return Head(seq=int(seq), hash=digest)
