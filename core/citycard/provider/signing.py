"""Signatures of requests, answers and notifications: RSA-SHA256 over what was sent, with time and nonce.

The signed text is method, path, timestamp, nonce and body, each ended by a line feed, as WeChat Pay v3 signs
its requests. An answer repeats the nonce of its request, so that it cannot stand for another one; a
notification has a nonce of its own.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import attrs
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from citycard.errors import NotificationRefused, Phrase, ProviderKeyInvalid

__all__ = ["PATIENCE_S", "Seal", "Signer", "Verifier", "new_nonce", "read_private_key", "read_public_key"]

#: How far the clocks of both sides may be apart, and how long a message is on its way at most.
PATIENCE_S = 300
_LEAST_BITS = 2048
_SECONDS = re.compile(r"[0-9]{1,12}")
_NONCE = re.compile(r"[0-9a-f]{32}")
_HEADERS = {
    "timestamp": "pay-timestamp",
    "nonce": "pay-nonce",
    "key": "pay-key",
    "signature": "pay-signature",
}


def new_nonce() -> str:
    """Draw 128 bits that no other message has, as 32 hexadecimal digits."""
    return secrets.token_hex(16)


@attrs.frozen(kw_only=True)
class Seal:
    """What stands beside a message: Unix seconds, nonce, the key's name, and the signature in base64."""

    timestamp: int
    nonce: str
    key: str
    signature: str

    @property
    def headers(self) -> dict[str, str]:
        """Give the headers that carry it."""
        return {header: str(getattr(self, name)) for name, header in _HEADERS.items()}

    @classmethod
    def read(cls, headers: Mapping[str, str]) -> Seal:
        """Read the headers of a message; raise NotificationRefused when one is missing or no such thing."""
        found = {name: headers.get(header, "") for name, header in _HEADERS.items()}
        if not _SECONDS.fullmatch(found["timestamp"]) or not _NONCE.fullmatch(found["nonce"]):
            raise NotificationRefused(reason="its headers carry no time, or no nonce")
        return cls(
            timestamp=int(found["timestamp"]),
            nonce=found["nonce"],
            key=found["key"],
            signature=found["signature"],
        )


def _text(method: str, path: str, timestamp: int, nonce: str, body: bytes) -> bytes:
    return f"{method}\n{path}\n{timestamp}\n{nonce}\n".encode() + body + b"\n"


class Signer:
    """Sign messages with a private key; ``key`` is the name by which the other side knows it."""

    def __init__(self, key: str, private: rsa.RSAPrivateKey) -> None:
        self.key = key
        self._private = private

    def seal(self, method: str, path: str, body: bytes, *, nonce: str, now: datetime) -> Seal:
        """Sign a message that is sent at ``now`` (aware)."""
        timestamp = int(now.timestamp())
        text = _text(method, path, timestamp, nonce, body)
        signature = self._private.sign(text, padding.PKCS1v15(), hashes.SHA256())
        return Seal(
            timestamp=timestamp, nonce=nonce, key=self.key, signature=base64.b64encode(signature).decode()
        )


class Verifier:
    """Verify messages of the other side by its public key."""

    def __init__(self, key: str, public: rsa.RSAPublicKey) -> None:
        self._key = key
        self._public = public

    def check(
        self, method: str, path: str, body: bytes, seal: Seal, *, now: datetime, nonce: str | None = None
    ) -> None:
        """Raise NotificationRefused unless the message is the other side's, fresh, and has this ``nonce``."""
        if not hmac.compare_digest(seal.key.encode(), self._key.encode()):
            raise NotificationRefused(
                reason=Phrase("it is signed by key {key!r}, which is not known here", key=seal.key[:40])
            )
        if nonce is not None and not hmac.compare_digest(seal.nonce, nonce):
            raise NotificationRefused(reason="it answers another request")
        try:
            signature = base64.b64decode(seal.signature, validate=True)
            text = _text(method, path, seal.timestamp, seal.nonce, body)
            self._public.verify(signature, text, padding.PKCS1v15(), hashes.SHA256())
        except (binascii.Error, ValueError, InvalidSignature):
            raise NotificationRefused(reason="its signature is wrong") from None
        # The time is looked at last: it means nothing before the signature does.
        if abs(now.timestamp() - seal.timestamp) > PATIENCE_S:
            raise NotificationRefused(
                reason=Phrase(
                    "it is older than {patience_s} seconds, or from the future", patience_s=PATIENCE_S
                )
            )


def read_private_key(path: Path) -> rsa.RSAPrivateKey:
    """Read an RSA key of 2048 bits or more from a PEM file; raise ProviderKeyInvalid."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as wrong:
        raise ProviderKeyInvalid(path=path, expected="a private RSA key in PEM") from wrong
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < _LEAST_BITS:
        raise ProviderKeyInvalid(
            path=path, expected=Phrase("an RSA key of {least_bits} bits or more", least_bits=_LEAST_BITS)
        )
    return key


def read_public_key(path: Path) -> rsa.RSAPublicKey:
    """Read a public RSA key of 2048 bits or more from a PEM file; raise ProviderKeyInvalid."""
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as wrong:
        raise ProviderKeyInvalid(path=path, expected="a public RSA key in PEM") from wrong
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < _LEAST_BITS:
        raise ProviderKeyInvalid(
            path=path, expected=Phrase("an RSA key of {least_bits} bits or more", least_bits=_LEAST_BITS)
        )
    return key
