"""Components on paper, in files and from the keyboard: shown once, typed without echo, checked by KCV."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citycard.errors import ComponentInvalid, InputEnded

if TYPE_CHECKING:
    from citycard.keys.ceremony import Ceremony

__all__ = ["ask_component", "ask_hex", "ask_secret", "hand_out", "hex_file", "read_component"]

_GROUP = 4


def hand_out(ceremony: Ceremony, custodian: str, value: bytes, to: Path | None) -> None:
    """Show a component to its custodian on stdout, or write it into a file of mode 0600."""
    from citycard.keys.sealed import write_private

    lines = (
        "citycard key component",
        f"ceremony: {ceremony.id}",
        f"custodian: {custodian}",
        f"number: {ceremony.number(custodian)}",
        f"kcv: {ceremony.kcv_of(value)}",
        f"key: {_grouped(value)}",
    )
    text = "\n".join(lines) + "\n"
    if to is None:
        click.echo(text, nl=False)
    elif not (to.exists() and read_component(ceremony, to) == (custodian, value)):
        write_private(to, text.encode(), replace=False)


def read_component(ceremony: Ceremony, path: Path) -> tuple[str, bytes]:
    """Read a component's file; return its custodian and the component. Raise ComponentInvalid."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()[1:]
        rows = {name.strip(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
        owner, custodian, digits = rows["ceremony"], rows["custodian"], rows["key"]
    except (KeyError, ValueError):
        raise ComponentInvalid(place=path, reason="it is no component's file") from None
    if owner != ceremony.id:
        raise ComponentInvalid(place=path, reason="it belongs to another ceremony")
    return custodian, _bytes(str(path), digits, 16)


def ask_component(ceremony: Ceremony, custodian: str, *, instead: str) -> bytes:
    """Let a custodian type a component: 32 hex digits, spaces as you like, nothing shown; InputEnded."""
    return ask_hex(f"component {ceremony.number(custodian)} of {custodian}", 16, instead=instead)


def ask_hex(what: str, size: int, *, instead: str) -> bytes:
    """Let somebody type so many bytes as hex digits, with nothing shown; ``instead`` as in ask_secret."""
    return _bytes(what, ask_secret(what, instead=instead), size)


def ask_secret(what: str, *, instead: str) -> str:
    """Ask for a secret: unseen at a terminal, else one line of the standard input.

    Raise InputEnded, which says ``instead``: how else it may be given.
    """
    if sys.stdin.isatty():
        answer: str = click.prompt(what, hide_input=True, err=True)
        return answer
    line = sys.stdin.readline()
    if not line:
        raise InputEnded(what=what, instead=instead)
    return line.rstrip("\r\n")


def hex_file(path: Path) -> bytes:
    """Read a key of 16, 24 or 32 bytes that a file holds in hex."""
    try:
        digits = re.sub(r"\s", "", path.read_text(encoding="ascii"))
    except UnicodeDecodeError:
        digits = ""
    return _bytes(str(path), digits, len(digits) // 2 if len(digits) in {32, 48, 64} else 16)


def _bytes(place: str, text: str, size: int) -> bytes:
    digits = re.sub(r"[\s-]", "", text)
    if not re.fullmatch(rf"[0-9A-Fa-f]{{{size * 2}}}", digits):
        raise ComponentInvalid(place=place, reason=f"it must be {size * 2} hex digits")
    return bytes.fromhex(digits)


def _grouped(value: bytes) -> str:
    digits = value.hex().upper()
    return " ".join(digits[start : start + _GROUP] for start in range(0, len(digits), _GROUP))
