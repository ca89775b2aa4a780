"""Where the passphrase of a city's vault comes from."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from citycard.errors import PassphraseNotFound

__all__ = ["PASSPHRASE_FILE", "PASSPHRASE_VARIABLE", "new_passphrase", "passphrase"]

PASSPHRASE_VARIABLE = "CITYCARD_VAULT_PASSPHRASE"  # noqa: S105 - where it is, not what it is
PASSPHRASE_FILE = "vault.pass"  # noqa: S105 - where it is, not what it is


def new_passphrase(folder: Path) -> str:
    """Take the passphrase from the environment; without one, draw one into ``vault.pass`` (mode 0600).

    The file suits a city on one machine. A deployment sets the variable and has no such file.
    """
    if given := os.environ.get(PASSPHRASE_VARIABLE):
        return given
    path = folder / PASSPHRASE_FILE
    if path.exists():
        return passphrase(folder)
    drawn = secrets.token_urlsafe(32)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(drawn + "\n")
        file.flush()
        os.fsync(file.fileno())
    return drawn


def passphrase(folder: Path) -> str:
    """Return the passphrase of an existing vault; PassphraseNotFound says where it is looked for."""
    if given := os.environ.get(PASSPHRASE_VARIABLE):
        return given
    path = folder / PASSPHRASE_FILE
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError as missing:
        raise PassphraseNotFound(variable=PASSPHRASE_VARIABLE, path=path) from missing
