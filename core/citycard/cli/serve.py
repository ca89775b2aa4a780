"""``citycard serve``: the city's pages and endpoints on an address."""

from __future__ import annotations

import logging
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citycard.cli.options import city_option, opened
from citycard.cli.output import say
from citycard.errors import AddressTaken

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["address_of", "listen", "serve"]

_LINK_DAYS = 1
_BACKLOG = 2048


@click.command()
@city_option
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes a free one."
)
@click.option(
    "--link/--no-link", default=True, show_default=True, help="Print a sign-in link for an operator."
)
@click.option("--quiet", is_flag=True, help="Do not log requests.")
def serve(folder: Path, host: str, port: int, link: bool, quiet: bool) -> None:
    """Serve the city's pages and endpoints until Ctrl-C.

    The address is printed on stdout, and a sign-in link for an operator, valid for one day, when
    the server listens on this machine only.
    """
    import uvicorn

    from citycard.web.application import create_app

    city = opened(folder)
    # Bound here, so that a taken port is one clear line and not a server's traceback.
    listening = listen(host, port)
    app = create_app(city)
    address = address_of(listening, host)
    click.echo(f"{city.config.city.name} is served at {address}")
    if link and _is_local(listening):
        click.echo(f"sign in as operator: {address}/sign-in?token={_operator_token(city)}")
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("citycard.web.access").setLevel(logging.WARNING if quiet else logging.INFO)
    say("Ctrl-C stops the server")
    # uvicorn's own access log would write the query, and with it the token of a sign-in link.
    config = uvicorn.Config(
        app, access_log=False, log_level="warning", server_header=False, timeout_graceful_shutdown=5
    )
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except KeyboardInterrupt:
        say("stopped")
    finally:
        listening.close()
        city.close()


def listen(host: str, port: int) -> socket.socket:
    """Bind and listen, so that a call waits until the server answers; raise AddressTaken."""
    try:
        ((family, _, _, _, where), *_) = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        listening = socket.socket(family)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(where)
        # Whoever reads the address on stdout may call at once; the call waits until the server answers.
        listening.listen(_BACKLOG)
    except OSError as error:
        raise AddressTaken(host=host, port=port, reason=error.strerror or str(error)) from error
    return listening


def address_of(listening: socket.socket, host: str) -> str:
    """Give the address under which others reach what listens."""
    port = listening.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}"


def _is_local(listening: socket.socket) -> bool:
    from ipaddress import ip_address

    return ip_address(listening.getsockname()[0]).is_loopback


def _operator_token(city: City) -> str:
    from citycard.store import writing
    from citycard.web.permissions import Role
    from citycard.web.tokens import grant

    with writing(city.engine) as conn:
        _, secret = grant(
            conn, role=Role.OPERATOR, days=_LINK_DAYS, at=city.clock.now(), label="citycard serve"
        )
    return secret
