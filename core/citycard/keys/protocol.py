"""Signing the protocol of a key ceremony, checking the signatures, and printing it."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from citycard.errors import CeremonyInvalid, CeremonyOutOfOrder, SigningKeyInvalid, SigningKeyLocked
from citycard.keys.ceremony import Ceremony

__all__ = ["draw_signer", "protocol_text", "public_pem", "sign_protocol", "verify_protocol"]

_RAW = serialization.PublicFormat.SubjectPublicKeyInfo


def draw_signer() -> bytes:
    """Draw an Ed25519 key for an officer or a witness; return it as PEM."""
    form = serialization.PrivateFormat.PKCS8
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def public_pem(pem: bytes, password: str | None = None) -> str:
    """Return the public half of a signing key, private or public; raises ``SigningKeyInvalid``."""
    try:
        key = serialization.load_pem_public_key(pem)
    except ValueError:
        key = _private(pem, password).public_key()
    if not isinstance(key, (Ed25519PublicKey, EllipticCurvePublicKey)):
        raise SigningKeyInvalid(reason="it is neither Ed25519 nor ECDSA")
    return key.public_bytes(serialization.Encoding.PEM, _RAW).decode()


def sign_protocol(ceremony: Ceremony, pem: bytes, password: str | None = None) -> str:
    """Sign a finished ceremony by the private key of the officer or the witness; return who signed.

    Raises ``CeremonyOutOfOrder`` before the end, and ``SigningKeyInvalid`` for a key of somebody else.
    """
    if not ceremony.outcome:
        raise CeremonyOutOfOrder(path=ceremony.path, reason="it is signed when it is finished")
    key = _private(pem, password)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, _RAW).decode()
    for signer in ceremony.signers:
        if signer.public_key == public:
            data = _signed(ceremony)
            made = (
                key.sign(data, ECDSA(SHA256()))
                if isinstance(key, EllipticCurvePrivateKey)
                else key.sign(data)
            )
            ceremony.signatures = {**ceremony.signatures, signer.name: base64.b64encode(made).decode()}
            ceremony.write()
            return signer.name
    raise SigningKeyInvalid(reason="it is neither the officer's nor the witness's")


def verify_protocol(ceremony: Ceremony, trusted: Sequence[str] = ()) -> None:
    """Check a ceremony from its beginning to its signatures; raise ``CeremonyInvalid`` for what is wrong.

    ``trusted`` are the public keys (PEM) of the people who should have signed: without them only the keys in
    the file are asked, and those may be anybody's.
    """
    ceremony.check()
    for signer in ceremony.signers:
        if trusted and signer.public_key not in trusted:
            reason = f"the key of {signer.role} {signer.name} is none of those that were given"
            raise CeremonyInvalid(path=ceremony.path, reason=reason)
    if not ceremony.outcome or len(ceremony.components) < ceremony.needed:
        raise CeremonyInvalid(path=ceremony.path, reason=f"it is not finished: {ceremony.next_step()}")
    for signer in ceremony.signers:
        made = ceremony.signatures.get(signer.name)
        if made is None:
            raise CeremonyInvalid(path=ceremony.path, reason=f"{signer.role} {signer.name} has not signed it")
        if not _holds(signer.public_key, made, _signed(ceremony)):
            reason = f"the signature of {signer.role} {signer.name} does not hold"
            raise CeremonyInvalid(path=ceremony.path, reason=reason)


def protocol_text(ceremony: Ceremony) -> str:
    """Return the protocol in words, to be printed and filed."""
    rule = "all components by XOR" if ceremony.scheme.value == "xor" else "Shamir's shares over GF(256)"
    lines = [
        f"Key ceremony {ceremony.id}",
        f"Key: {ceremony.subject} of {ceremony.hierarchy or 'the city'}, {ceremony.algorithm.name}",
        f"Made from: {ceremony.needed} of {len(ceremony.custodians)} custodians, {rule}",
        *(f"{signer.role.capitalize()}: {signer.name}" for signer in ceremony.signers),
        *(f"Component {one.number}: {one.custodian}, KCV {one.kcv}" for one in ceremony.components),
        f"KCV of the key: {ceremony.kcv or 'not yet made'}",
        f"Outcome: {ceremony.outcome or 'none yet'}",
        "Steps:",
        *(f"  {step.at}  {step.who}: {step.what}" for step in ceremony.steps),
        *(f"Signed by {name}: {made}" for name, made in ceremony.signatures.items()),
    ]
    return "\n".join(lines) + "\n"


def _signed(ceremony: Ceremony) -> bytes:
    return json.dumps(ceremony.content(), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _holds(pem: str, signature: str, data: bytes) -> bool:
    try:
        key = serialization.load_pem_public_key(pem.encode())
        made = base64.b64decode(signature, validate=True)
        if isinstance(key, Ed25519PublicKey):
            key.verify(made, data)
        elif isinstance(key, EllipticCurvePublicKey):
            key.verify(made, data, ECDSA(SHA256()))
        else:
            return False
    except (InvalidSignature, ValueError):
        return False
    return True


def _private(pem: bytes, password: str | None) -> Ed25519PrivateKey | EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, password.encode() if password else None)
    except TypeError:
        raise SigningKeyLocked from None
    except ValueError:
        raise SigningKeyInvalid(reason="it is no PEM file of a key, or its passphrase is wrong") from None
    if not isinstance(key, (Ed25519PrivateKey, EllipticCurvePrivateKey)):
        raise SigningKeyInvalid(reason="it is neither Ed25519 nor ECDSA")
    return key
