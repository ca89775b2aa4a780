"""Keys on the way: a purpose's key wrapped under a transport key, with what the other side must know of it.

Two forms (docs/keys.md). ``aes-kw`` is AES key wrap (RFC 3394) under an AES key of 16, 24 or 32 bytes, which
other vaults and HSMs read. ``write-key`` is the data of a SAM's WRITE KEY: 3DES-ECB under a key of 16 bytes
over length, usage, version, algorithm, key and padding, which a SAM factory loads as it is.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import attrs
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from citycard.errors import ComponentWrong, SealedDataInvalid, TransportInvalid
from citycard.keys.checkvalue import check_value
from citycard.keys.cipher import Algorithm
from citycard.keys.line import unseal
from citycard.keys.sealed import write_private
from citycard.keys.vault import Vault

__all__ = ["FORMS", "WrappedKey", "export_key", "read_wrapped", "unwrap"]

FORMS: Final = ("aes-kw", "write-key")
_FORMAT = "citycard-wrapped-key-1"
_HEADER = 3
_KEK_SIZES = {"aes-kw": {16, 24, 32}, "write-key": {16}}


@attrs.frozen(kw_only=True)
class WrappedKey:
    """A key under a transport key, as its file says it: check values and cipher text in hex."""

    form: str
    purpose: str
    version: int
    algorithm: str
    kcv: str
    transport_kcv: str
    wrapped: str

    def write(self, path: Path) -> None:
        """Write the file; raises ``VaultExists`` when there is one."""
        text = json.dumps({"format": _FORMAT, **attrs.asdict(self)}, indent=1) + "\n"
        write_private(path, text.encode(), replace=False)


def export_key(
    vault: Vault, purpose: str, transport_key: bytes, *, form: str, version: int | None = None, usage: int = 0
) -> WrappedKey:
    """Wrap a purpose's key, current or of a version; ``usage`` is the SAM's usage byte of ``write-key``."""
    _check_size(form, transport_key)
    rows = [row for row in vault.versions() if row.purpose == purpose]
    number = version or next((row.version for row in rows if row.status.value == "current"), 1)
    kcv = vault.check_value(purpose, number)
    algorithm = next(row.algorithm for row in rows if row.version == number)
    if form == "aes-kw":
        wrapped = vault.wrap_under(transport_key, purpose, number)
    else:
        header = bytes((usage, number, algorithm))
        wrapped = vault.export_under(transport_key, purpose, number, header=header)
    return WrappedKey(
        form=form,
        purpose=purpose,
        version=number,
        algorithm=algorithm.name.lower(),
        kcv=kcv.hex().upper(),
        transport_kcv=_transport_kcv(form, transport_key),
        wrapped=wrapped.hex().upper(),
    )


def read_wrapped(path: Path) -> WrappedKey:
    """Read a wrapped key's file; raises ``TransportInvalid``."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.pop("format") != _FORMAT or content["form"] not in FORMS:
            raise TransportInvalid(place=path, reason="it is of another format")
        bytes.fromhex(content["wrapped"])
        Algorithm[content["algorithm"].upper()]
        return WrappedKey(**content)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise TransportInvalid(place=path, reason="it holds no wrapped key") from None


def unwrap(key: WrappedKey, transport_key: bytes) -> bytes:
    """Return the 16-byte key; raises ``ComponentWrong`` for a wrong check value, and ``TransportInvalid``."""
    _check_size(key.form, transport_key)
    found = _transport_kcv(key.form, transport_key)
    if found != key.transport_kcv:
        raise ComponentWrong(whose="the transport key", expected=key.transport_kcv, found=found)
    data = bytes.fromhex(key.wrapped)
    try:
        plain = (
            aes_key_unwrap(transport_key, data)
            if key.form == "aes-kw"
            else unseal(transport_key, data)[_HEADER:]
        )
        made = check_value(plain, Algorithm[key.algorithm.upper()]).hex().upper()
    except (InvalidUnwrap, SealedDataInvalid, ValueError):
        raise TransportInvalid(place="the wrapped key", reason="it does not open") from None
    if made != key.kcv:
        raise ComponentWrong(whose=f"the {key.purpose} key", expected=key.kcv, found=made)
    return plain


def _check_size(form: str, transport_key: bytes) -> None:
    if len(transport_key) not in _KEK_SIZES[form]:
        sizes = ", ".join(map(str, sorted(_KEK_SIZES[form])))
        raise TransportInvalid(place="the transport key", reason=f"{form} needs one of {sizes} bytes")


def _transport_kcv(form: str, key: bytes) -> str:
    return check_value(key, Algorithm.AES if form == "aes-kw" else Algorithm.TDES).hex().upper()
