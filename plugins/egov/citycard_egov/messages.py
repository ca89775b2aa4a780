"""The messages of the information exchange: JSON in an envelope, signed with Ed25519, with nonce and time.

What is signed is the payload's text as it travels, behind a domain of its own. A message names its kind, who
it is from and to, its id (used once) and its moment. docs/egov.md has the fields of each kind.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

import attrs
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from citycard_egov.errors import EgovInvalid

__all__ = [
    "LIMIT_BYTES",
    "Envelope",
    "KeySigner",
    "Signer",
    "fresh",
    "opened",
    "sha256",
    "signed",
    "verified",
]

LIMIT_BYTES = 64 * 1024
_DOMAIN = b"citycard egov exchange 1\n"
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_SIGNATURE = re.compile(r"[0-9a-f]{128}")
_FIELDS = {"payload", "signer", "signature"}


class Signer(Protocol):
    """Whatever signs with Ed25519: a key in a node's folder, or the city's vault."""

    def sign(self, data: bytes) -> bytes:
        """Return the signature, 64 bytes."""
        ...


@attrs.frozen
class KeySigner:
    """A private key in memory; ``public`` is its public half in hexadecimal."""

    _key: Ed25519PrivateKey

    @property
    def public(self) -> str:
        """Give the public key, 64 hexadecimal digits."""
        return self._key.public_key().public_bytes_raw().hex()

    def sign(self, data: bytes) -> bytes:
        """Return the signature, 64 bytes."""
        return self._key.sign(data)


@attrs.frozen(kw_only=True)
class Envelope:
    """A message as it travels: the payload's text, who signed it, and the signature in hexadecimal."""

    payload: str = attrs.field(repr=False)
    signer: str
    signature: str

    @property
    def content(self) -> dict[str, Any]:
        """Give the payload as a JSON object; raise EgovInvalid for another text."""
        return _object(self.payload, "payload")

    def as_json(self) -> str:
        """Give the text that travels."""
        return json.dumps(attrs.asdict(self), ensure_ascii=False)


def signed(content: Mapping[str, Any], signer_id: str, signer: Signer) -> Envelope:
    """Sign a message."""
    payload = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain)
    signature = signer.sign(_DOMAIN + payload.encode())
    return Envelope(payload=payload, signer=signer_id, signature=signature.hex())


def opened(text: str | Mapping[str, Any]) -> Envelope:
    """Read an envelope; raise EgovInvalid for what is none. Nothing is verified yet."""
    content = _object(text, "envelope") if isinstance(text, str) else dict(text)
    if set(content) != _FIELDS or not all(isinstance(value, str) for value in content.values()):
        raise EgovInvalid(
            field="envelope", value=sorted(map(str, content))[:6], expected="payload, signer, signature"
        )
    if not content["payload"].isascii() and not _is_text(content["payload"]):
        raise EgovInvalid(field="payload", value="…", expected="text in Unicode")
    if not _NAME.fullmatch(content["signer"]):
        raise EgovInvalid(field="signer", value=content["signer"][:40], expected="the id of a party")
    if not _SIGNATURE.fullmatch(content["signature"]):
        raise EgovInvalid(field="signature", value="…", expected="128 hexadecimal digits in small letters")
    return Envelope(**content)


def verified(envelope: Envelope, key: str) -> bool:
    """Say whether the holder of a public key (64 hexadecimal digits) signed the message."""
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
    try:
        public.verify(bytes.fromhex(envelope.signature), _DOMAIN + envelope.payload.encode())
    except InvalidSignature:
        return False
    return True


def fresh(content: Mapping[str, Any], now: dt.datetime, within: dt.timedelta) -> bool:
    """Say whether a message's moment ``at`` is within a span of now, before or after."""
    try:
        at = dt.datetime.fromisoformat(str(content.get("at")))
    except ValueError:
        return False
    return at.tzinfo is not None and abs(now - at) <= within


def sha256(text: str) -> str:
    """Give the SHA-256 of a text in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def _object(text: str, field: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise EgovInvalid(field=field, value=text[:20], expected="a JSON object")
    return content


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _plain(value: object) -> str:
    if isinstance(value, (dt.datetime, dt.date)):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(type(value).__name__)
