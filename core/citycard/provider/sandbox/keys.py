"""The keys of a sandbox: one pair for the provider, one for the merchant, made when they are first needed."""

from __future__ import annotations

from pathlib import Path

import attrs
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from citycard.files import write_whole
from citycard.provider.signing import read_private_key

__all__ = ["MERCHANT", "PROVIDER_KEY", "SandboxKeys"]

#: The only merchant of a sandbox.
MERCHANT = "city"
#: The name of the provider's own key.
PROVIDER_KEY = "sandbox"
_BITS, _EXPONENT = 2048, 65537


@attrs.frozen(kw_only=True)
class SandboxKeys:
    """The files of a folder: the city gets ``merchant`` and ``provider_public``."""

    merchant: Path
    provider: Path
    provider_public: Path

    @classmethod
    def of(cls, folder: Path) -> SandboxKeys:
        """Give the keys in a folder; they are made when it has none."""
        keys = cls(
            merchant=folder / "merchant.pem",
            provider=folder / "provider.pem",
            provider_public=folder / "provider.pub.pem",
        )
        for path in (keys.merchant, keys.provider):
            if not path.exists():
                _make(path)
        public = read_private_key(keys.provider).public_key()
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        write_whole(keys.provider_public, public.public_bytes(serialization.Encoding.PEM, form))
        return keys


def _make(path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=_EXPONENT, key_size=_BITS)
    content = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_whole(path, content, mode=0o600)
