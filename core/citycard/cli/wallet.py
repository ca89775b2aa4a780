"""``citycard wallet``: look into the ledger, seal it, verify it, prove what it answered."""

from __future__ import annotations

import click

from citycard.cli.lazy import LazyGroup

__all__ = ["group"]

# Name -> (where the click command stands, its line in --help). Loaded only when called.
_COMMANDS: dict[str, tuple[str, str]] = {
    "accounts": ("citycard.cli.wallet_look:accounts", "List accounts of the ledger with their balances."),
    "balance": ("citycard.cli.wallet_look:balance", "Show what an account holds, now or at a past moment."),
    "check-proof": ("citycard.cli.wallet_seal:check", "Check a proof, in a city or with a public key alone."),
    "key": ("citycard.cli.wallet_seal:key", "Print the public key of the ledger's seals."),
    "prove": ("citycard.cli.wallet_seal:prove", "Prove what the ledger answered to a transfer."),
    "seal": ("citycard.cli.wallet_seal:seal", "Seal what the ledger has now."),
    "seals": ("citycard.cli.wallet_seal:seals", "List the ledger's seals, newest first."),
    "transfers": ("citycard.cli.wallet_look:transfers", "List an account's transfers, newest first."),
    "verify": ("citycard.cli.wallet_seal:verify", "Verify the whole ledger against its seals and itself."),
}


@click.group(cls=LazyGroup, table=_COMMANDS)
def group() -> None:
    """Look into the ledger, seal it, verify it, and prove what it answered."""
