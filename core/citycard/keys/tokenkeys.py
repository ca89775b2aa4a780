"""Keys in a PKCS#11 token: what ``SoftKeys`` computes in memory, computed where the city key cannot leave.

In the token lie the city key (once as 3DES, once as AES, because purposes of both are derived from it),
the keys that were imported, and the signing key: sensitive, not extractable. Purpose keys are derived in
the token for the length of a session. What comes out are keys of cards, which a purpose key encrypts.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from typing import Any, Final

from citycard.errors import (
    AlgorithmMissing,
    KeyNotExportable,
    MechanismMissing,
    SealBroken,
    TokenOccupied,
    VaultClosed,
)
from citycard.keys.checkvalue import KCV_SIZE
from citycard.keys.cipher import Algorithm, sized
from citycard.keys.diversify import blocks
from citycard.keys.hierarchy import purpose_factor
from citycard.keys.sealer import NONCE, seal_factor
from citycard.keys.signing import point_pem, raw_to_der
from citycard.keys.token import Token
from citycard.keys.tokenobjects import TokenObjects

__all__ = ["TokenDeriver", "TokenKeys"]

NEEDED: Final = frozenset(
    {"DES3_ECB", "DES3_ECB_ENCRYPT_DATA", "AES_ECB", "AES_ECB_ENCRYPT_DATA", "AES_CBC", "ECDSA"}
)
_BOOK = b"\0" + hashlib.sha256(b"book").digest()[:15]
# 4,096 keys of 16 bytes.
_AT_ONCE = 4096 * 16
_AES_REDUCTION = 0x87
_FULL_BLOCK = (1 << 128) - 1
# An elliptic-curve point comes as an ASN.1 octet string of 65 bytes.
_POINT = 65


class TokenDeriver:
    """A purpose's key in a token; one call derives the keys of many cards."""

    def __init__(self, keys: TokenKeys, place: tuple[str, int], algorithm: Algorithm) -> None:
        self.algorithm = algorithm
        self._keys = keys
        self._place = place

    def derive(self, factor8: bytes) -> bytes:
        """Return the 16-byte key of a factor of 8 bytes."""
        return self.derive_many([factor8])[0]

    def derive_many(self, factors8: Sequence[bytes]) -> list[bytes]:
        """Return the keys of many factors, in their order, asking the token once per 4,096."""
        made = self.derive_blocks(blocks(factors8))
        return [made[place : place + 16] for place in range(0, len(made), 16)]

    def derive_blocks(self, plain: bytes) -> bytes:
        """Return the keys of the factors that ``blocks`` laid out, asking the token once per 4,096."""
        return b"".join(
            self._keys.encrypted(self._place, self.algorithm, plain[start : start + _AT_ONCE])
            for start in range(0, len(plain), _AT_ONCE)
        )


class TokenKeys:
    """The keys of one hierarchy in a token, under labels ``citycard/<hierarchy>/…``."""

    def __init__(self, token: Token, hierarchy: str, imported: Iterable[tuple[str, int]] = ()) -> None:
        self._held: Token | None = token
        self._hierarchy = hierarchy
        self._objects = TokenObjects(token, hierarchy)
        self.imported_places = set(imported)

    def __repr__(self) -> str:
        return f"<TokenKeys {self._hierarchy!r}>"

    # ── making ──

    def require_free(self) -> None:
        """Raise ``TokenOccupied`` when the token holds keys of this hierarchy."""
        if self._token.run(self._objects.objects):
            raise TokenOccupied(label=self._token.label, hierarchy=self._hierarchy)

    @classmethod
    def create(cls, token: Token, hierarchy: str, city_key16: bytes) -> TokenKeys:
        """Put the city key into a token and draw the signing key there.

        Removes what an earlier making left under this hierarchy: ``require_free`` comes first.
        """
        keys = cls(token, hierarchy)
        sized("city key", city_key16, 16)
        if missing := sorted(NEEDED - token.mechanisms()):
            raise MechanismMissing(label=token.label, mechanism=", ".join(missing))

        def make(session: Any) -> None:
            for stray in keys._objects.objects(session):
                stray.destroy()
            for algorithm in (Algorithm.TDES, Algorithm.AES):
                keys._objects.import_key(session, "city", city_key16, algorithm, encrypts=False)
            keys._objects.draw_signing_key(session)

        token.run(make)
        token.forget()
        return keys

    def put(self, purpose: str, version: int, key16: bytes, algorithm: Algorithm) -> None:
        """Put a purpose's key into the token, in place of one that waits under the same version."""
        self.require(algorithm)
        label = f"{purpose}/{version}"
        sized("key", key16, 16)

        def replace(session: Any) -> None:
            for old in self._objects.objects(session, label):
                old.destroy()
            self._objects.import_key(session, label, key16, algorithm, encrypts=True)

        self._token.run(replace)
        self._token.forget()
        self.imported_places.add((purpose, version))

    # ── what a vault asks ──

    def require(self, algorithm: Algorithm) -> None:
        """Raise ``AlgorithmMissing`` for SM4, for which PKCS#11 has no mechanism."""
        self._token.run(lambda _: None)
        if algorithm not in {Algorithm.TDES, Algorithm.AES}:
            raise AlgorithmMissing(algorithm=algorithm.name)

    def diversifier(self, purpose: str, version: int, algorithm: Algorithm) -> TokenDeriver:
        """Return a purpose's key, which derives the keys of cards."""
        return TokenDeriver(self, (purpose, version), algorithm)

    def check_value(self, purpose: str, version: int, algorithm: Algorithm) -> bytes:
        """Return the 3-byte check value (KCV) of a purpose's key."""
        place = (purpose, version)
        zeros = self.encrypted(place, algorithm, bytes(16))
        if algorithm == Algorithm.AES:
            # CMAC of one whole block: its subkey is the encrypted zeros, doubled.
            number = int.from_bytes(zeros, "big") << 1
            number = (number & _FULL_BLOCK) ^ (_AES_REDUCTION if number >> 128 else 0)
            zeros = self.encrypted(place, algorithm, number.to_bytes(16, "big"))
        return zeros[:KCV_SIZE]

    def wrapped(self, purpose: str, version: int, algorithm: Algorithm, kek: bytes) -> bytes:
        """Return a purpose's key wrapped in the token by RFC 3394.

        Raises ``KeyNotExportable`` for one that was imported.
        """
        if (purpose, version) in self.imported_places:
            raise KeyNotExportable(purpose=purpose, version=version)
        factor = blocks([purpose_factor(purpose, version)])

        def wrap(session: Any) -> bytes:
            from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass

            # As an AES key, because a 3DES key would get odd parity and be other bytes than in a file vault.
            key = self._objects.derived(session, algorithm, factor, KeyType.AES, extractable=True)
            template = {
                Attribute.CLASS: ObjectClass.SECRET_KEY,
                Attribute.KEY_TYPE: KeyType.AES,
                Attribute.VALUE: kek,
                Attribute.TOKEN: False,
                Attribute.WRAP: True,
            }
            over = session.create_object(template)
            try:
                return bytes(over.wrap_key(key, mechanism=Mechanism.AES_KEY_WRAP))
            finally:
                key.destroy()
                over.destroy()

        return self._token.run(wrap)

    def sealer(self, name: str) -> _TokenSealer:
        """Return the sealer of a name; its key never leaves the token."""
        return _TokenSealer(self, name)

    def sign(self, data: bytes) -> bytes:
        """Return the ECDSA P-256 signature of data, in DER."""
        digest = hashlib.sha256(data).digest()

        def make(session: Any) -> bytes:
            from pkcs11 import Mechanism, ObjectClass

            key = self._objects.found(session, "sign", ObjectClass.PRIVATE_KEY)
            return bytes(key.sign(digest, mechanism=Mechanism.ECDSA))

        return raw_to_der(self._token.run(make))

    def public_key_pem(self) -> str:
        """Return the public half of the signing key."""

        def read(session: Any) -> bytes:
            from pkcs11 import Attribute, ObjectClass

            return bytes(self._objects.found(session, "sign", ObjectClass.PUBLIC_KEY)[Attribute.EC_POINT])

        return point_pem(self._token.run(read)[-_POINT:])

    def book_mac(self, content: bytes) -> bytes:
        """Return the 16-byte MAC of the versions' file: AES-CBC in the token over the content's SHA-256."""
        digest = hashlib.sha256(content).digest()

        def make(session: Any) -> bytes:
            from pkcs11 import KeyType, Mechanism

            key = self._token.kept(
                (self._hierarchy, "book"),
                lambda: self._objects.derived(session, Algorithm.AES, _BOOK, KeyType.AES),
            )
            return bytes(key.encrypt(digest, mechanism=Mechanism.AES_CBC, mechanism_param=bytes(16)))

        return self._token.run(make)[-16:]

    def confirmed(self) -> int:
        """Return the number of the newest versions' file that the token confirmed."""
        return self._token.run(self._objects.counter)

    def confirm(self, number: int) -> None:
        """Let the token refuse every versions' file with a lower number from now on."""
        self._token.run(lambda session: self._objects.raise_counter(session, number))

    def close(self) -> None:
        """Log out of the token."""
        if self._held is not None:
            self._held.close()
        self._held = None

    # ── inside ──

    @property
    def _token(self) -> Token:
        if self._held is None:
            raise VaultClosed
        return self._held

    def encrypted(self, place: tuple[str, int], algorithm: Algorithm, plain: bytes) -> bytes:
        """Return whole blocks encrypted by a purpose's key, ECB, in one call."""

        def encrypt(session: Any) -> bytes:
            from pkcs11 import Mechanism

            mode = Mechanism.AES_ECB if algorithm == Algorithm.AES else Mechanism.DES3_ECB
            return bytes(self._purpose_key(session, place, algorithm).encrypt(plain, mechanism=mode))

        return self._token.run(encrypt)

    def gcm(self, name: str, data: bytes, nonce: bytes, *, sealing: bool) -> bytes:
        """Seal or open data by AES-256-GCM under the key of a name."""

        def compute(session: Any) -> bytes:
            from pkcs11 import (
                EncryptedDataInvalid,
                EncryptedDataLenRange,
                GCMParams,
                GeneralError,
                KeyType,
                Mechanism,
            )

            key = self._token.kept(
                (self._hierarchy, "seal", name),
                lambda: self._objects.derived(session, Algorithm.AES, seal_factor(name), KeyType.AES),
            )
            params = GCMParams(nonce)
            if sealing:
                return bytes(key.encrypt(data, mechanism=Mechanism.AES_GCM, mechanism_param=params))
            try:
                return bytes(key.decrypt(data, mechanism=Mechanism.AES_GCM, mechanism_param=params))
            except (EncryptedDataInvalid, EncryptedDataLenRange, GeneralError):
                # SoftHSM says GeneralError for a wrong tag.
                raise SealBroken(field="data", key="sealed bytes") from None

        return self._token.run(compute)

    def _purpose_key(self, session: Any, place: tuple[str, int], algorithm: Algorithm) -> Any:
        from pkcs11 import KeyType, ObjectClass

        def find() -> Any:
            if place in self.imported_places:
                return self._objects.found(session, f"{place[0]}/{place[1]}", ObjectClass.SECRET_KEY)
            factor = purpose_factor(*place)
            kind = KeyType.AES if algorithm == Algorithm.AES else KeyType.DES3
            data = blocks([factor])
            # K1 ‖ K2 ‖ K1: every token has three-key 3DES, not every one two-key 3DES.
            return self._objects.derived(
                session, algorithm, data if kind == KeyType.AES else data + factor, kind
            )

        return self._token.kept((self._hierarchy, place, algorithm), find)


class _TokenSealer:
    """Seals in the token, in the form of ``AesGcmSealer``."""

    def __init__(self, keys: TokenKeys, name: str) -> None:
        self._keys = keys
        self._name = name

    def seal(self, data: bytes) -> bytes:
        """Return nonce, ciphertext and tag."""
        nonce = os.urandom(NONCE)
        return nonce + self._keys.gcm(self._name, data, nonce, sealing=True)

    def open(self, sealed: bytes) -> bytes:
        """Return the data; raise SealBroken when the key is another one or a byte was changed."""
        if len(sealed) < NONCE:
            raise SealBroken(field="data", key="sealed bytes")
        return self._keys.gcm(self._name, sealed[NONCE:], sealed[:NONCE], sealing=False)
