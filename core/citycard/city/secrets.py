"""Where the passphrase of a city's vault comes from, or the PIN of the token that holds its keys.

A hierarchy with its own root has its own: the variable's name ends in ``_<HIERARCHY>``, the file's in
``-<hierarchy>``.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from citycard.errors import PassphraseNotFound, PinNotFound

__all__ = ["PASSPHRASE_FILE", "PASSPHRASE_VARIABLE", "PIN_VARIABLE", "new_passphrase", "passphrase", "pin"]

PASSPHRASE_VARIABLE = "CITYCARD_VAULT_PASSPHRASE"  # noqa: S105 - where it is, not what it is
PASSPHRASE_FILE = "vault.pass"  # noqa: S105 - where it is, not what it is
PIN_VARIABLE = "CITYCARD_VAULT_PIN"


def _variable(name: str, hierarchy: str) -> str:
    return f"{name}_{hierarchy.upper().replace('-', '_')}" if hierarchy else name


def _file(folder: Path, name: str, hierarchy: str) -> Path:
    stem, _, ending = name.partition(".")
    return folder / (f"{stem}-{hierarchy}.{ending}" if hierarchy else name)


def new_passphrase(folder: Path, hierarchy: str = "") -> str:
    """Take the passphrase from the environment; without one, draw one into ``vault.pass`` (mode 0600).

    The file suits a city on one machine. A deployment sets the variable and has no such file.
    """
    if given := os.environ.get(_variable(PASSPHRASE_VARIABLE, hierarchy)):
        return given
    path = _file(folder, PASSPHRASE_FILE, hierarchy)
    if path.exists():
        return passphrase(folder, hierarchy)
    drawn = secrets.token_urlsafe(32)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(drawn + "\n")
        file.flush()
        os.fsync(file.fileno())
    return drawn


def passphrase(folder: Path, hierarchy: str = "") -> str:
    """Return the passphrase of an existing vault; PassphraseNotFound says where it is looked for."""
    variable = _variable(PASSPHRASE_VARIABLE, hierarchy)
    if given := os.environ.get(variable):
        return given
    path = _file(folder, PASSPHRASE_FILE, hierarchy)
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError as missing:
        raise PassphraseNotFound(variable=variable, path=path) from missing


def pin(folder: Path, pin_file: str, hierarchy: str = "") -> str:
    """Return the PIN of a token: from the environment, or from ``pin_file``, which may lie in the folder.

    PinNotFound says where it is looked for.
    """
    variable = _variable(PIN_VARIABLE, hierarchy)
    if given := os.environ.get(variable):
        return given
    path = folder / pin_file if pin_file else _file(folder, "vault.pin", hierarchy)
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as missing:
        raise PinNotFound(variable=variable, path=path) from missing
