"""The city's signature on what terminals are sent: ECDSA on P-256 with SHA-256, in DER."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

__all__ = ["SigningKey", "point_pem", "raw_to_der", "verify_signature"]

_ECDSA = ec.ECDSA(SHA256())
_HALF = 32


class SigningKey:
    """A private key on P-256 in memory; it signs and shows only its public half."""

    __slots__ = ("_key",)

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key

    @classmethod
    def draw(cls) -> SigningKey:
        """Draw a new key."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def from_secret(cls, secret32: bytes) -> SigningKey:
        """Take the key up again from ``secret``; raises ValueError when it is none."""
        return cls(ec.derive_private_key(int.from_bytes(secret32, "big"), ec.SECP256R1()))

    def secret(self) -> bytes:
        """Return the private number in 32 bytes, for the vault's file and for nothing else."""
        return self._key.private_numbers().private_value.to_bytes(_HALF, "big")

    def sign(self, data: bytes) -> bytes:
        """Return the signature of data, in DER."""
        return self._key.sign(data, _ECDSA)

    def public_key_pem(self) -> str:
        """Return the public key, to be given to terminals."""
        return _pem(self._key.public_key())


def verify_signature(pem: str, data: bytes, signature: bytes) -> bool:
    """Say whether the city with this public key signed the data; raises ValueError for no P-256 key."""
    key = serialization.load_pem_public_key(pem.encode())
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        msg = "the public key is not one on P-256"
        raise ValueError(msg)
    try:
        key.verify(signature, data, _ECDSA)
    except InvalidSignature:
        return False
    return True


def raw_to_der(signature64: bytes) -> bytes:
    """Turn a token's signature, r and s side by side, into DER."""
    r, s = signature64[:_HALF], signature64[_HALF:]
    return encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))


def point_pem(point65: bytes) -> str:
    """Return the PEM of an uncompressed point, as a token gives its public key."""
    return _pem(ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point65))


def _pem(key: ec.EllipticCurvePublicKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, form).decode()
