"""The objects of one hierarchy in a PKCS#11 token: how they are named, made, found and derived."""

from __future__ import annotations

import ctypes
from typing import Any

from citycard.errors import TokenKeyMissing
from citycard.keys.cipher import Algorithm
from citycard.keys.token import Token

__all__ = ["TokenObjects"]


_COUNTER = "book"
_COUNTER_SIZE = 4


class _StringData(ctypes.Structure):
    """CK_KEY_DERIVATION_STRING_DATA: python-pkcs11 packs it for AES only."""

    _fields_ = (("data", ctypes.c_void_p), ("size", ctypes.c_ulong))


class TokenObjects:
    """The objects labelled ``citycard/<hierarchy>/…``; each method takes the session of ``Token.run``."""

    def __init__(self, token: Token, hierarchy: str) -> None:
        self._token = token
        self._hierarchy = hierarchy

    def derived(
        self, session: Any, algorithm: Algorithm, data: bytes, kind: Any, *, extractable: bool = False
    ) -> Any:
        """Derive a key for this session from the city key of an algorithm, by encrypting ``data`` with it."""
        from pkcs11 import DEFAULT, Attribute, KeyType, Mechanism, ObjectClass

        city = self.found(session, "city", ObjectClass.SECRET_KEY, algorithm)
        template: dict[Any, Any] = {
            Attribute.TOKEN: False,
            Attribute.SENSITIVE: True,
            Attribute.EXTRACTABLE: extractable,
            Attribute.ENCRYPT: not extractable,
            Attribute.DECRYPT: not extractable,
            Attribute.DERIVE: False,
        }
        if kind != KeyType.AES:
            template[Attribute.VALUE_LEN] = DEFAULT  # a 3DES key has but one length
        if algorithm == Algorithm.AES:
            mechanism, parameter = Mechanism.AES_ECB_ENCRYPT_DATA, data
        else:
            buffer = ctypes.create_string_buffer(data, len(data))
            mechanism = Mechanism.DES3_ECB_ENCRYPT_DATA
            parameter = bytes(_StringData(ctypes.addressof(buffer), len(data)))
        return city.derive_key(
            kind, len(data) * 8, mechanism=mechanism, mechanism_param=parameter, template=template
        )

    def label(self, name: str) -> str:
        """Return the label of an object."""
        return f"citycard/{self._hierarchy}/{name}"

    def objects(self, session: Any, name: str | None = None) -> list[Any]:
        """Return the objects of a name, or all of this hierarchy."""
        from pkcs11 import Attribute, ObjectClass

        kinds = (ObjectClass.SECRET_KEY, ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY, ObjectClass.DATA)
        found = [one for kind in kinds for one in session.get_objects({Attribute.CLASS: kind})]
        start, whole = self.label(name or ""), name is not None
        labels = [str(one[Attribute.LABEL]) for one in found]
        return [
            one
            for one, label in zip(found, labels, strict=True)
            if label == start or (not whole and label.startswith(start))
        ]

    def counter(self, session: Any) -> int:
        """Return the number of the newest versions' file that was confirmed; 0 when none was."""
        return max((number for number, _ in self._counters(session)), default=0)

    def raise_counter(self, session: Any, number: int) -> None:
        """Confirm a versions' file by its number; a higher one that is there stays."""
        from pkcs11 import Attribute, ObjectClass

        older = self._counters(session)
        if all(known < number for known, _ in older):
            # Made before the older goes, as no token changes the value of an object: the highest one counts.
            session.create_object(
                {
                    Attribute.CLASS: ObjectClass.DATA,
                    Attribute.LABEL: self.label(_COUNTER),
                    Attribute.VALUE: number.to_bytes(_COUNTER_SIZE, "big"),
                    Attribute.TOKEN: True,
                    Attribute.PRIVATE: True,
                }
            )
        for known, one in older:
            if known < number:
                one.destroy()

    def _counters(self, session: Any) -> list[tuple[int, Any]]:
        from pkcs11 import Attribute, ObjectClass

        wanted = {Attribute.CLASS: ObjectClass.DATA, Attribute.LABEL: self.label(_COUNTER)}
        found = list(session.get_objects(wanted))
        return [(int.from_bytes(one[Attribute.VALUE], "big"), one) for one in found]

    def found(self, session: Any, name: str, kind: Any, algorithm: Algorithm | None = None) -> Any:
        """Return one object; raises ``TokenKeyMissing``."""
        from pkcs11 import Attribute, KeyType

        wanted = {Attribute.CLASS: kind, Attribute.LABEL: self.label(name)}
        if algorithm is not None:
            wanted[Attribute.KEY_TYPE] = KeyType.AES if algorithm == Algorithm.AES else KeyType.DES3

        def look() -> Any:
            for one in session.get_objects(wanted):
                return one
            raise TokenKeyMissing(label=self._token.label, key=self.label(name))

        return self._token.kept((self._hierarchy, name, int(kind), algorithm), look)

    def import_key(
        self, session: Any, name: str, key16: bytes, algorithm: Algorithm, *, encrypts: bool
    ) -> None:
        from pkcs11 import Attribute, KeyType, ObjectClass

        aes = algorithm == Algorithm.AES
        session.create_object(
            {
                Attribute.CLASS: ObjectClass.SECRET_KEY,
                Attribute.KEY_TYPE: KeyType.AES if aes else KeyType.DES3,
                Attribute.VALUE: key16 if aes else key16 + key16[:8],
                Attribute.LABEL: self.label(name),
                Attribute.TOKEN: True,
                Attribute.PRIVATE: True,
                Attribute.SENSITIVE: True,
                Attribute.EXTRACTABLE: False,
                Attribute.MODIFIABLE: False,
                Attribute.COPYABLE: False,
                # The city key only derives: what it could encrypt would be a purpose key in the clear.
                Attribute.ENCRYPT: encrypts,
                Attribute.DECRYPT: False,
                Attribute.DERIVE: not encrypts,
            }
        )

    def draw_signing_key(self, session: Any) -> None:
        """Draw the signing key on P-256 in the token."""
        from pkcs11 import Attribute, KeyType
        from pkcs11.util.ec import encode_named_curve_parameters

        curve = {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
        parameters = session.create_domain_parameters(KeyType.EC, curve, local=True)
        parameters.generate_keypair(
            store=True,
            label=self.label("sign"),
            private_template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
        )
