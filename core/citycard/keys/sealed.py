"""The vault's file: a payload sealed under a passphrase (scrypt, AES-256-GCM), written whole or not at all.

Layout: magic ``CCV1``, log2(N), r, p (1 byte each), salt 16, nonce 12, ciphertext with its tag, and the
SHA-256 of all before it. The digest tells a damaged file from a wrong passphrase; the tag authenticates.
"""

from __future__ import annotations

import hashlib
import secrets
import struct
from pathlib import Path
from typing import Final

import attrs
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from citycard.errors import PassphraseMissing, PassphraseWrong, VaultDamaged, VaultExists, VaultMissing
from citycard.files import write_whole

__all__ = ["FileKey", "SealedFile", "new_file_key", "read_sealed", "unlock", "write_private", "write_sealed"]

_MAGIC: Final = b"CCV1"
_HEADER: Final = struct.Struct(">4sBBB16s12s")
_DIGEST: Final = 32
_TAG: Final = 16
_LOG_N, _R, _P = 15, 8, 1
# A file from elsewhere must not make this process take a gibibyte.
_LOG_N_MOST: Final = 20


@attrs.define(kw_only=True)
class FileKey:
    """The key stretched from a passphrase, with its salt and cost; it can be wiped and shows nothing."""

    key: bytearray = attrs.field(repr=False)
    salt: bytes = attrs.field(repr=False)
    cost: tuple[int, int, int]

    def wipe(self) -> None:
        """Overwrite the key in memory."""
        self.key[:] = bytes(len(self.key))


@attrs.frozen(kw_only=True)
class SealedFile:
    """A vault file as read: whole, but not yet opened."""

    path: Path
    header: bytes = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)

    @property
    def parts(self) -> tuple[tuple[int, int, int], bytes, bytes]:
        """Return cost, salt and nonce."""
        _, log_n, r, p, salt, nonce = _HEADER.unpack(self.header)
        return (log_n, r, p), salt, nonce


def new_file_key(path: Path, passphrase: str) -> FileKey:
    """Stretch a passphrase with a fresh salt: about 0.1 s and 32 MiB."""
    return _stretch(path, passphrase, secrets.token_bytes(16), (_LOG_N, _R, _P))


def _stretch(path: Path, passphrase: str, salt: bytes, cost: tuple[int, int, int]) -> FileKey:
    if not passphrase:
        raise PassphraseMissing(path=path)
    log_n, r, p = cost
    key = Scrypt(salt=salt, length=32, n=1 << log_n, r=r, p=p).derive(passphrase.encode())
    return FileKey(key=bytearray(key), salt=salt, cost=cost)


def read_sealed(path: Path) -> SealedFile:
    """Read a vault file and check that it is whole; raises ``VaultMissing`` or ``VaultDamaged``."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise VaultMissing(path=path) from None
    if len(data) < _HEADER.size + _TAG + _DIGEST:
        raise VaultDamaged(path=path, reason=f"{len(data)} bytes are too few")
    content, digest = data[:-_DIGEST], data[-_DIGEST:]
    if content[:4] != _MAGIC:
        raise VaultDamaged(path=path, reason="it does not begin with CCV1")
    if hashlib.sha256(content).digest() != digest:
        raise VaultDamaged(path=path, reason="its digest differs")
    sealed = SealedFile(path=path, header=content[: _HEADER.size], body=content[_HEADER.size :])
    (log_n, r, p), _, _ = sealed.parts
    if not (1 <= log_n <= _LOG_N_MOST and 1 <= r <= _R and 1 <= p <= _R):
        raise VaultDamaged(path=path, reason=f"scrypt cost {log_n}/{r}/{p} is out of range")
    return sealed


def unlock(sealed: SealedFile, by: str | FileKey) -> tuple[bytes, FileKey]:
    """Open a sealed file by its passphrase, or by a key that opened it before; raises ``PassphraseWrong``."""
    cost, salt, nonce = sealed.parts
    file_key = by if isinstance(by, FileKey) else _stretch(sealed.path, by, salt, cost)
    try:
        return AESGCM(bytes(file_key.key)).decrypt(nonce, sealed.body, sealed.header), file_key
    except InvalidTag:
        raise PassphraseWrong(path=sealed.path) from None


def write_sealed(path: Path, payload: bytes, file_key: FileKey, *, replace: bool) -> None:
    """Seal a payload into a file of mode 0600: temporary file, fsync, then one rename.

    Without ``replace`` an existing file is never touched: ``VaultExists``.
    """
    nonce = secrets.token_bytes(12)
    header = _HEADER.pack(_MAGIC, *file_key.cost, file_key.salt, nonce)
    content = header + AESGCM(bytes(file_key.key)).encrypt(nonce, payload, header)
    write_private(path, content + hashlib.sha256(content).digest(), replace=replace)


def write_private(path: Path, data: bytes, *, replace: bool) -> None:
    """Write a file of mode 0600 whole or not at all.

    Without ``replace`` an existing file is never touched: ``VaultExists``.
    """
    try:
        write_whole(path, data, mode=0o600, replace=replace)
    except FileExistsError:
        raise VaultExists(path=path) from None
