"""The commands of retail: merchants, their statements, the supermarket's products, and the host of POS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from citycard.cli.options import NewFile, actor_option, city_option, csv_options, json_option, opened

if TYPE_CHECKING:
    from citycard_retail.market import Market

__all__ = ["apply", "decide", "fee", "merchants", "pos", "products", "statement"]

_INPUT = click.Path(path_type=Path, exists=True, dir_okay=False)
_MOST_PORT = 65535


@contextmanager
def _market(folder: Path) -> Iterator[Market]:
    from citycard_retail.market import market_of

    city = opened(folder)
    try:
        yield market_of(city)
    finally:
        city.close()


@click.command("apply")
@click.argument("file", type=_INPUT)
@actor_option
@city_option
@json_option
def apply(file: Path, actor: str, folder: Path, as_json: bool) -> None:
    """Apply for the merchants of a CSV FILE (docs/retail.md); somebody else has to approve each.

    With --json: the applications.
    """
    from citycard.cli.output import emit, table
    from citycard_retail.files import read_applications
    from citycard_retail.merchants import apply as apply_for

    with _market(folder) as market:
        found = [apply_for(market, wish, actor=actor) for wish in read_applications(market, file)]
    if as_json:
        emit(found)
    else:
        rows = [(one.id, one.partner, one.category, one.tier, one.state) for one in found]
        table(("application", "partner", "category", "tier", "state"), rows)


@click.command("decide")
@click.argument("application", type=click.UUID)
@click.option("--approve/--reject", "approve", required=True, default=None, help="What is decided.")
@click.option("--reason", default="", help="Why; a rejection needs it.")
@actor_option
@city_option
@json_option
def decide(application: UUID, approve: bool, reason: str, actor: str, folder: Path, as_json: bool) -> None:
    """Approve or reject an APPLICATION of somebody else.

    With --json: the application.
    """
    from citycard.cli.output import emit
    from citycard_retail.merchants import decide as decide_one

    with _market(folder) as market:
        found = decide_one(market, application, approve=approve, reason=reason, actor=actor)
    if as_json:
        emit(found)
    else:
        click.echo(f"{found.partner} is {found.state}")


@click.command("merchants")
@city_option
@json_option
def merchants(folder: Path, as_json: bool) -> None:
    """List the merchants with category, fee tier and tills.

    With --json: a list of merchants.
    """
    from citycard.cli.output import emit, table
    from citycard.store import reading
    from citycard_retail.merchants import merchants as all_merchants

    with _market(folder) as market, reading(market.city.engine) as conn:
        found = all_merchants(market, conn)
    if as_json:
        emit(found)
    else:
        rows = [
            (one.partner, one.code, one.category, one.tier, " ".join(one.terminals) or "-") for one in found
        ]
        table(("partner", "number", "category", "tier", "tills"), rows)


@click.command("statement")
@click.argument("partner")
@click.option("--run", type=click.IntRange(min=1), default=None, help="A run (default: the last one).")
@city_option
@csv_options
@json_option
def statement(
    partner: str, run: int | None, folder: Path, as_csv: bool, out: Path | None, as_json: bool
) -> None:
    """Say what a run came to for the merchant PARTNER: sales by channel, fees, what came back, what was paid.

    With --csv: every line. With --json: the statement with every line.
    """
    from citycard.cli.output import emit, emit_csv, pairs
    from citycard.money import yuan
    from citycard_retail.statement import merchant_statement, statement_csv

    with _market(folder) as market:
        found = merchant_statement(market, partner, run)
    if as_json:
        emit(found)
        return
    if as_csv:
        emit_csv(statement_csv(found), out)
        return
    pairs(
        (
            ("merchant", f"{found.name} ({found.partner}), tier {found.tier}, run {found.run}"),
            ("tills", f"{yuan(found.till_fen)} of {found.till_sales} sales, fees {yuan(found.till_fee_fen)}"),
            (
                "online",
                f"{yuan(found.online_fen)} of {found.online_sales} sales, fees {yuan(found.online_fee_fen)}",
            ),
            ("returned", f"{yuan(found.returned_fen)}, fees {yuan(found.returned_fee_fen)}"),
            ("other", yuan(found.other_fen)),
            ("from before", yuan(found.opening_fen)),
            ("owed", yuan(found.owed_fen)),
            ("paid", f"{yuan(found.paid_fen)} {found.end_to_end}"),
        )
    )


@click.command("products")
@click.argument("file", type=_INPUT)
@city_option
@json_option
def products(file: Path, folder: Path, as_json: bool) -> None:
    """Take in the supermarket's products from a CSV FILE; those that are there are changed.

    With --json: an object with how many there were.
    """
    from citycard.cli.output import emit
    from citycard_retail.files import read_products
    from citycard_retail.shop import add_products

    with _market(folder) as market:
        count = add_products(market, read_products(file), file=file.name)
    if as_json:
        emit({"products": count})
    else:
        click.echo(f"{count} products")


@click.command("fee")
@click.argument("amount")
@click.option("--tier", default=None, help="One tier (default: all of them).")
@city_option
@json_option
def fee(amount: str, tier: str | None, folder: Path, as_json: bool) -> None:
    """Say what fee a sale of AMOUNT yuan has, by tier.

    With --json: fen by tier.
    """
    from citycard.cli.output import emit, table
    from citycard.money import parse_yuan, yuan
    from citycard_retail.fees import fee_fen

    amount_fen = parse_yuan(amount)
    with _market(folder) as market:
        tiers = [market.settings.tier_named(tier)] if tier else list(market.settings.tiers)
    found = {one.name: fee_fen(one, max(0, amount_fen)) for one in tiers}
    if as_json:
        emit(found)
    else:
        table(("tier", "fee"), [(name, yuan(fen)) for name, fen in found.items()])


@click.group("pos")
def pos() -> None:
    """POS that speak ISO 8583: their keys, and the host that answers them."""


@pos.command("key")
@click.argument("terminal")
@click.option("--out", type=NewFile(), required=True, help="The new file that gets the key, as 32 digits.")
@city_option
@json_option
def pos_key(terminal: str, out: Path, folder: Path, as_json: bool) -> None:
    """Write the key of POS TERMINAL to a new file for its owner alone.

    With --json: an object with terminal, partner and file; the key stands in the file only.
    """
    from citycard.cli.output import emit, say
    from citycard.store import reading
    from citycard_retail.merchants import merchant_of_terminal
    from citycard_retail.poskeys import pos_key as derive

    with _market(folder) as market:
        with reading(market.city.engine) as conn:
            partner = merchant_of_terminal(conn, terminal)
        key = derive(market.city, terminal)
    out.touch(mode=0o600, exist_ok=False)
    out.write_text(f"{key.hex().upper()}\n", encoding="ascii")
    if as_json:
        emit({"terminal": terminal, "partner": partner, "file": str(out)})
    say(f"the key of terminal {terminal} of {partner}: put it into the POS, then destroy {out}")


@pos.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(0, _MOST_PORT), default=8583, show_default=True, help="0: any.")
@click.option("--cert", type=_INPUT, default=None, help="Certificate (PEM), for TLS.")
@click.option("--cert-key", type=_INPUT, default=None, help="Its private key (PEM).")
@city_option
def pos_serve(host: str, port: int, cert: Path | None, cert_key: Path | None, folder: Path) -> None:
    """Answer POS that speak ISO 8583 over TCP, until it is interrupted."""
    import asyncio

    if (cert is None) != (cert_key is None):
        raise click.UsageError("--cert and --cert-key belong together")
    with _market(folder) as market:
        asyncio.run(_serve(market, host, port, cert, cert_key))


async def _serve(market: Market, host: str, port: int, cert: Path | None, cert_key: Path | None) -> None:
    import asyncio
    import signal
    import ssl

    from citycard.cli.output import say
    from citycard_retail.pos import PosHost
    from citycard_retail.posserver import serving

    tls = None
    if cert is not None and cert_key is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(cert, cert_key)
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    end: Callable[[], None] = ended.set
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, end)
    async with serving(PosHost(market), host, port, tls=tls) as server:
        at = server.sockets[0].getsockname()
        say(f"POS are answered at {at[0]}:{at[1]}")
        await ended.wait()
