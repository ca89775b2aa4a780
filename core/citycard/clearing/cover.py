"""The cover of a file that a sender hands in: whose it is, its number, what is in it, and the signature."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any, Final

import attrs
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from citycard.errors import CoverInvalid, Phrase, SenderIdInvalid, SenderKeyInvalid

__all__ = [
    "COVER_SUFFIX",
    "FORMATS",
    "MOST_BYTES",
    "MOST_COVER_BYTES",
    "Cover",
    "read_cover",
    "read_sender_id",
    "read_sender_key",
    "sign_cover",
]

COVER_SUFFIX: Final = ".cover.json"
FORMATS: Final = ("ccb", "csv", "parquet", "978")
_DOMAIN: Final = b"citycard cover\0"
MOST_BYTES: Final = 256 * 1024 * 1024
MOST_COVER_BYTES: Final = 64 * 1024
_MOST_NUMBER, _MOST_RECORDS = 2**32 - 1, 1_000_000

_SENDER_IN_WORDS: Final = "1 to 32 small letters, digits and hyphens, no hyphen first"
_SENDER: Final = r"[a-z0-9][a-z0-9-]{0,31}"

_text, _whole = attrs.validators.instance_of(str), attrs.validators.instance_of(int)


def _matching(pattern: str) -> Any:
    return [_text, attrs.validators.matches_re(pattern)]


def _up_to(most: int, least: int = 0) -> Any:
    return [_whole, attrs.validators.ge(least), attrs.validators.le(most)]


@attrs.frozen(kw_only=True)
class Cover:
    """Say of one file who sends it, under which number, in which format, and what is in it.

    ``size`` is in bytes, ``amount_fen`` the sum of all records. ``signature`` is Ed25519 in base64, of the
    sender's key over ``signed_bytes``; without one, every batch in the file must be signed by its terminal.
    """

    sender: str = attrs.field(validator=_matching(_SENDER))
    number: int = attrs.field(validator=_up_to(_MOST_NUMBER, 1))
    format: str = attrs.field(validator=[_text, attrs.validators.in_(FORMATS)])
    file: str = attrs.field(validator=_matching(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}"))
    size: int = attrs.field(validator=_up_to(MOST_BYTES))
    sha256: str = attrs.field(validator=_matching(r"[0-9a-f]{64}"))
    records: int = attrs.field(validator=_up_to(_MOST_RECORDS))
    amount_fen: int = attrs.field(validator=_up_to(2**63 - 1))
    signature: str = attrs.field(default="", validator=_matching(r"[A-Za-z0-9+/]{86}==|"))

    @property
    def content(self) -> dict[str, Any]:
        """Give every field but the signature."""
        return attrs.asdict(self, filter=attrs.filters.exclude("signature"))

    @property
    def signed_bytes(self) -> bytes:
        """Give what is signed: a fixed name, then the fields as JSON in the order of their names."""
        written = json.dumps(self.content, sort_keys=True, separators=(",", ":"))
        return _DOMAIN + written.encode()

    def written(self) -> bytes:
        """Write the cover as the file that goes with the sender's."""
        return json.dumps(attrs.asdict(self), indent=1).encode() + b"\n"

    def holds(self, public_pem: str) -> bool:
        """Say whether the owner of a public key signed this."""
        key = load_pem_public_key(public_pem.encode())
        assert isinstance(key, Ed25519PublicKey)
        try:
            key.verify(base64.b64decode(self.signature), self.signed_bytes)
        except InvalidSignature:
            return False
        return True


def read_cover(source: bytes | Mapping[str, Any] | Cover) -> Cover:
    """Read a cover from JSON or its parsed form; raise CoverInvalid with the field and what was expected."""
    if isinstance(source, Cover):
        return source
    try:
        content = json.loads(source) if isinstance(source, bytes) else source
    except (ValueError, RecursionError):
        raise CoverInvalid(field="the text", expected="JSON in UTF-8") from None
    if not isinstance(content, Mapping):
        raise CoverInvalid(field="the text", expected="an object")
    fields = attrs.fields_dict(Cover)
    for name in content:
        if name not in fields:
            raise CoverInvalid(field=str(name)[:40], expected=Phrase("only {known}", known=", ".join(fields)))
    for name, field in fields.items():
        if field.default is attrs.NOTHING and name not in content:
            raise CoverInvalid(field=name, expected=_EXPECTED[name])
        try:
            field.validator(None, field, content.get(name, ""))  # type: ignore[misc]
        except (TypeError, ValueError):
            raise CoverInvalid(field=name, expected=_EXPECTED[name]) from None
        if isinstance(content.get(name), bool):
            raise CoverInvalid(field=name, expected=_EXPECTED[name])
    return Cover(**content)


_EXPECTED: Final = {
    "sender": Phrase("the id of a sender, {expected}", expected=_SENDER_IN_WORDS),
    "number": Phrase("a whole number from 1 to {most_number}", most_number=_MOST_NUMBER),
    "format": Phrase("one of {known}", known=", ".join(FORMATS)),
    "file": "a file's name of 1 to 100 letters, digits, full stops, hyphens and underscores",
    "size": Phrase("a whole number of bytes, at most {most_bytes}", most_bytes=MOST_BYTES),
    "sha256": "64 hexadecimal digits in small letters",
    "records": Phrase("a whole number, at most {most_records}", most_records=_MOST_RECORDS),
    "amount_fen": "a whole number of fen",
    "signature": "an Ed25519 signature in base64, or nothing",
}


def sign_cover(cover: Cover, private_pem: bytes) -> Cover:
    """Sign a cover with a sender's private key, in PEM without a passphrase; raise SenderKeyInvalid."""
    try:
        key = load_pem_private_key(private_pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _no_private_key() from None
    if not isinstance(key, Ed25519PrivateKey):
        raise _no_private_key()
    return attrs.evolve(cover, signature=base64.b64encode(key.sign(cover.signed_bytes)).decode())


def read_sender_id(text: str) -> str:
    """Check the id that a sender is to have: one that a cover can name; raise SenderIdInvalid."""
    if not re.fullmatch(_SENDER, text):
        raise SenderIdInvalid(sender=text[:40], expected=_SENDER_IN_WORDS)
    return text


def read_sender_key(pem: bytes) -> str:
    """Read a public key in PEM and give it as it is kept; raise SenderKeyInvalid for all but Ed25519."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise _no_public_key() from None
    if not isinstance(key, Ed25519PublicKey):
        raise _no_public_key()
    # Whatever else stands in the file is no part of the key.
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def _no_private_key() -> SenderKeyInvalid:
    return SenderKeyInvalid(
        expected="private Ed25519 key in PEM without a passphrase",
        remedy="make one with openssl genpkey -algorithm ed25519",
    )


def _no_public_key() -> SenderKeyInvalid:
    return SenderKeyInvalid(
        expected="public Ed25519 key in PEM",
        remedy="openssl pkey -in KEY.pem -pubout writes that of a private one",
    )
