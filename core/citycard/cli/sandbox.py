"""``citycard sandbox``: other parties of a city, to try it against."""

from __future__ import annotations

from pathlib import Path

import click

from citycard.cli.lazy import ListedGroup
from citycard.cli.output import emit, pairs, say

__all__ = ["group"]


@click.group(cls=ListedGroup)
def group() -> None:
    """Run a payment provider of your own, to try top-ups against."""


@group.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8100, show_default=True, help="0 takes a free one."
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("payment-sandbox"),
    show_default=True,
    help="Where its books and keys are kept.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, then serve.")
def payments(host: str, port: int, folder: Path, as_json: bool) -> None:
    """Serve a payment provider without real money until Ctrl-C.

    It prints what [topup.provider] of city.toml needs. With --json: an object with url, merchant, key_file,
    provider_key_file and provider_key_name. POST /sandbox/faults tells it to fail (docs/topup.md).
    """
    import uvicorn

    from citycard.cli.serve import address_of, listen
    from citycard.provider.sandbox.app import sandbox_app
    from citycard.provider.sandbox.keys import MERCHANT, PROVIDER_KEY, SandboxKeys

    listening = listen(host, port)
    address = address_of(listening, host)
    app = sandbox_app(folder, address=lambda: address)
    keys = SandboxKeys.of(folder)
    settings = {
        "url": address,
        "merchant": MERCHANT,
        "key_file": str(keys.merchant.resolve()),
        "provider_key_file": str(keys.provider_public.resolve()),
        "provider_key_name": PROVIDER_KEY,
    }
    if as_json:
        emit(settings)
    else:
        click.echo("[topup.provider]")
        pairs((name, f"= {value!r}".replace("'", '"')) for name, value in settings.items())
    say("Ctrl-C stops the sandbox")
    config = uvicorn.Config(app, access_log=False, log_level="warning", server_header=False)
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except KeyboardInterrupt:
        say("stopped")
    finally:
        listening.close()
