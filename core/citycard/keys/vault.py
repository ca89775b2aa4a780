"""The vault: the one place that holds a city's keys and works with them. It answers yes, no, or a MAC."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from hmac import compare_digest
from types import MappingProxyType

from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap

from citycard.errors import KeyVersionUnknown
from citycard.keys.backend import KeyBackend, Sealing, SoftKeys
from citycard.keys.cipher import Algorithm, sized
from citycard.keys.columnvault import ColumnVault
from citycard.keys.diversify import KeyDeriver, diversify
from citycard.keys.hierarchy import KeyPurpose
from citycard.keys.line import seal
from citycard.keys.purse import TTI_LOAD_EP, load_mac1, load_mac2, load_session_key, load_tac, purchase_tac
from citycard.keys.records import CardKeys, SamKeys
from citycard.keys.sealkey import SEAL_PURPOSE, SealKey, SealSigner
from citycard.keys.suite import Suite, suite_of
from citycard.keys.versions import HONOURED, KeyStatus, KeyVersion, KeyVersions

__all__ = ["Vault"]

_CARD_PURPOSES = (
    "purchase",
    "load",
    "tac",
    "maintenance",
    "authentication",
    "internal",
    "pin-unblock",
    "pin-reload",
)
# Terminal numbers come from files: what is kept for them must stay bounded.
_TERMINALS_KEPT = 8192

_Issue = tuple[tuple[KeyDeriver, ...], Mapping[str, int], Mapping[str, Algorithm]]


class Vault(ColumnVault):
    """A city's keys, and everything that may be done with them.

    ``keys`` says where they are; the 16 bytes of a city key are kept in memory.

    Keys never show in its text or in its errors. ``FileVault`` keeps them in an encrypted file,
    ``Pkcs11Vault`` in a token. All bytes arguments have the lengths in their names; amounts and balances
    are fen.
    """

    def __init__(self, keys: KeyBackend | bytes, versions: KeyVersions) -> None:
        self._adopt(SoftKeys(keys) if isinstance(keys, bytes) else keys, versions)

    def _adopt(self, keys: KeyBackend, versions: KeyVersions) -> None:
        self._keys = keys
        self._book = versions
        self._forget()

    def _forget(self) -> None:
        self._ready: dict[tuple[str, int], tuple[KeyDeriver, Suite]] = {}
        self._issue: _Issue | None = None
        self._codes: dict[bytes, tuple[CMAC, ...]] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} with {len(self._book.purposes)} key purposes>"

    def close(self) -> None:
        """Wipe the city key and forget every derived key; afterwards every call raises ``VaultClosed``."""
        self._keys.close()
        self._forget()

    # ── versions ──

    def purposes(self) -> list[KeyPurpose]:
        """Return the key purposes in the order declared."""
        return list(self._book.purposes.values())

    def versions(self) -> list[KeyVersion]:
        """Return every key version: which there are, never what they are."""
        return self._book.rows()

    def ensure_purposes(self, purposes: Iterable[KeyPurpose]) -> None:
        """Add purposes not yet known, in version 1; raises ``KeyPurposeClash`` for a taken name."""
        if self._book.ensure(purposes):
            self._forget()

    def roll(self, purpose: str, algorithm: Algorithm | None = None) -> list[KeyVersion]:
        """Make a new current version of a purpose and its family; cards with the old one stay good.

        A version that waits, because its key was imported, becomes current; others are derived.
        """
        self._keys.require(Algorithm.TDES if algorithm is None else algorithm)
        made = self._book.roll(purpose, algorithm)
        for row in made:
            # An imported key that the token lost must be missed now, not by the first card.
            self._keys.check_value(row.purpose, row.version, row.algorithm)
        self._forget()
        return made

    def retire(self, purpose: str, version: int, *, test: bool = False) -> list[KeyVersion]:
        """Stop honouring an old version, or a test key; raises ``KeyVersionInUse`` for the current one."""
        self._keys.require(Algorithm.TDES)
        gone = self._book.retire(purpose, version, test=test)
        self._forget()
        return gone

    def put(self, purpose: str, key16: bytes, algorithm: Algorithm = Algorithm.TDES) -> KeyVersion:
        """Keep a purpose's key that came from elsewhere; its version waits until the purpose rolls over."""
        row = self._book.waiting(purpose, algorithm)
        # The key first: without its row it is nothing, while a row without its key would be another key.
        self._keys.put(purpose, row.version, key16, algorithm)
        self._book.add(row)
        self._forget()
        return row

    def check_value(self, purpose: str, version: int | None = None) -> bytes:
        """Return the 3-byte check value (KCV) of a purpose's key, current or waiting or of a version."""
        row = self._book.current(purpose) if version is None else self._book.find_any(purpose, version)
        return self._keys.check_value(purpose, row.version, row.algorithm)

    # ── keys that leave the vault ──

    def card_keys(self, asn8: bytes) -> CardKeys:
        """Return the keys of one card in the current versions, for its personalisation."""
        return self.card_keys_many([asn8])[0]

    def card_keys_many(self, asns8: Sequence[bytes]) -> list[CardKeys]:
        """Return the keys of many cards, in their order; a token is asked once per purpose."""
        if self._issue is None:
            rows = {name: self._book.current(name) for name in _CARD_PURPOSES}
            self._issue = (
                tuple(self._diversifier(name, row.version)[0] for name, row in rows.items()),
                MappingProxyType({name: row.version for name, row in rows.items()}),
                MappingProxyType({name: row.algorithm for name, row in rows.items()}),
            )
        derivers, versions, algorithms = self._issue
        columns = [one.derive_many(asns8) for one in derivers]
        return [
            CardKeys(
                purchase=purchase,
                load=load,
                tac=tac,
                maintenance=maintenance,
                authentication=authentication,
                internal=internal,
                pin_unblock=unblock,
                pin_reload=reload_,
                versions=versions,
                algorithms=algorithms,
            )
            for purchase, load, tac, maintenance, authentication, internal, unblock, reload_ in zip(
                *columns, strict=True
            )
        ]

    def card_key(self, purpose: str, asn8: bytes, version: int | None = None) -> bytes:
        """Return one card's key of any purpose, such as a plugin's, in the current version or another."""
        number = self._book.current(purpose).version if version is None else version
        return self._diversifier(purpose, number)[0].derive(asn8)

    def sam_keys(self, *, maintenance: bool = False) -> SamKeys:
        """Return the purchase keys of every usable version, for the SAMs of terminals.

        ``maintenance`` adds the current maintenance key, for makes whose records want a MAC.
        """
        rows = self._book.usable("purchase")
        keys = {row.version: self._diversifier("purchase", row.version)[0] for row in rows}
        line = None
        if maintenance:
            line = self._diversifier("maintenance", self._book.current("maintenance").version)[0]
        return SamKeys(purchase=MappingProxyType(keys), versions=tuple(sorted(keys)), maintenance=line)

    def terminal_key(self, terminal6: bytes) -> bytes:
        """Return the 16-byte AES key by which one terminal signs its records and batches."""
        return self.card_key("batch", b"\0\0" + terminal6)

    def export_under(
        self,
        transport_key16: bytes,
        purpose: str,
        version: int | None = None,
        factors: Sequence[bytes] = (),
        *,
        header: bytes = b"",
    ) -> bytes:
        """Return a purpose's key, diversified by ``factors`` (8 bytes each), sealed under a transport key.

        The form is that of WRITE KEY: 3DES-ECB over a length byte, ``header``, the key, and ``80 00…`` when
        that is not aligned. A SAM's header is its three bytes usage, version and algorithm.
        """
        sized("transport key", transport_key16, 16)
        row = self._book.current(purpose) if version is None else self._book.find(purpose, version)
        if factors:
            key = self._diversifier(purpose, row.version)[0].derive(factors[0])
            for factor in factors[1:]:
                key = diversify(key, factor, row.algorithm)
        else:
            once = os.urandom(16)
            wrapped = self._keys.wrapped(purpose, row.version, row.algorithm, once)
            key = aes_key_unwrap(once, wrapped)
        return seal(transport_key16, header + key)

    def wrap_under(self, kek: bytes, purpose: str, version: int | None = None) -> bytes:
        """Return a purpose's key wrapped by RFC 3394 under an AES key of 16, 24 or 32 bytes: 24 bytes."""
        row = self._book.current(purpose) if version is None else self._book.find(purpose, version)
        return self._keys.wrapped(purpose, row.version, row.algorithm, kek)

    # ── what the city itself does with keys ──

    def sign(self, data: bytes) -> bytes:
        """Return the city's ECDSA P-256 signature (SHA-256, DER) of data that is sent to terminals."""
        return self._keys.sign(data)

    def public_key_pem(self) -> str:
        """Return the public key by which ``citycard.keys.verify_signature`` checks ``sign``."""
        return self._keys.public_key_pem()

    def sealer(self, name: str) -> Sealing:
        """Return what seals data at rest under a key of its own, such as ``registry`` (AES-256-GCM)."""
        return self._keys.sealer(name)

    def seal_signer(self) -> SealSigner:
        """Return what signs the ledger's seals, in the current version of the purpose ``seal``."""
        return self._seal_signer(self._book.current(SEAL_PURPOSE))

    def seal_keys(self) -> list[SealKey]:
        """Return the public keys of seals, of retired versions too: what they signed was signed."""
        rows = [row for row in self._book.rows() if row.purpose == SEAL_PURPOSE]
        return [self._seal_signer(row).key for row in rows if row.status is not KeyStatus.WAITING]

    # ── what terminals are given ──

    def terminal_mac(self, terminal6: bytes, data: bytes) -> bytes:
        """Return the 16-byte AES-CMAC of ``data`` by a terminal's key, so that the terminal can check it."""
        code = CMAC(AES(self.terminal_key(terminal6)))
        code.update(data)
        return code.finalize()

    # ── what clearing asks ──

    def check_purchase_tac(
        self,
        asn8: bytes,
        key_version: int,
        amount_fen: int,
        tti: int,
        terminal6: bytes,
        serial: int,
        datetime7: bytes,
        tac4: bytes,
    ) -> bool:
        """Say whether the card made this TAC; false as well for a retired or unknown key version."""
        try:
            keys, suite = self._ready.get(("tac", key_version)) or self._diversifier("tac", key_version)
        except KeyVersionUnknown:
            return False
        made = purchase_tac(keys.derive(asn8), amount_fen, tti, terminal6, serial, datetime7, suite=suite)
        return compare_digest(made, tac4)

    def check_terminal_mac(self, terminal6: bytes, data: bytes, mac: bytes) -> bool:
        """Say whether the terminal made this MAC: 4 bytes of a record's, or all 16 of a batch's."""
        if len(mac) not in {4, 16}:
            return False
        for code in self._codes.get(terminal6) or self._terminal_codes(terminal6):
            fresh = code.copy()
            fresh.update(data)
            if compare_digest(fresh.finalize()[: len(mac)], mac):
                return True
        return False

    # ── what the load host asks ──

    def check_load_mac1(
        self,
        *,
        asn8: bytes,
        key_version: int,
        rnd4: bytes,
        online_atc: int,
        balance_fen: int,
        amount_fen: int,
        terminal6: bytes,
        mac1: bytes,
        tti: int = TTI_LOAD_EP,
    ) -> bool:
        """Say whether the card made MAC1 of a load; raises ``KeyVersionUnknown`` for a retired version."""
        session, suite = self._load_session(asn8, key_version, rnd4, online_atc)
        return compare_digest(load_mac1(session, balance_fen, amount_fen, tti, terminal6, suite=suite), mac1)

    def load_mac2(
        self,
        *,
        asn8: bytes,
        key_version: int,
        rnd4: bytes,
        online_atc: int,
        amount_fen: int,
        terminal6: bytes,
        date4_time3: bytes,
        tti: int = TTI_LOAD_EP,
    ) -> bytes:
        """Return the 4-byte MAC2 that lets the card add the money: check MAC1 first."""
        session, suite = self._load_session(asn8, key_version, rnd4, online_atc)
        return load_mac2(session, amount_fen, tti, terminal6, date4_time3, suite=suite)

    def check_load_tac(
        self,
        *,
        asn8: bytes,
        key_version: int,
        new_balance_fen: int,
        online_atc: int,
        amount_fen: int,
        terminal6: bytes,
        date4_time3: bytes,
        tac4: bytes,
        tti: int = TTI_LOAD_EP,
    ) -> bool:
        """Say whether the card proves that the load is on it; ``online_atc`` is the one before the load.

        A card that was taken away while it got new keys makes it by another version that is honoured.
        """
        self._book.find("tac", key_version)
        usable = {row.version for row in self._book.usable("tac")}
        for version in (key_version, *(usable - {key_version})):
            keys, suite = self._diversifier("tac", version)
            made = load_tac(
                keys.derive(asn8),
                new_balance_fen,
                online_atc,
                amount_fen,
                tti,
                terminal6,
                date4_time3,
                suite=suite,
            )
            if compare_digest(made, tac4):
                return True
        return False

    # ── inside ──

    def _seal_signer(self, row: KeyVersion) -> SealSigner:
        deriver = self._keys.diversifier(SEAL_PURPOSE, row.version, row.algorithm)
        return SealSigner(deriver, row.version, honoured=row.status in HONOURED)

    def _diversifier(self, purpose: str, version: int) -> tuple[KeyDeriver, Suite]:
        ready = self._ready.get((purpose, version))
        if ready is None:
            algorithm = self._book.find(purpose, version).algorithm
            ready = self._keys.diversifier(purpose, version, algorithm), suite_of(algorithm)
            self._ready[purpose, version] = ready
        return ready

    def _load_session(
        self, asn8: bytes, key_version: int, rnd4: bytes, online_atc: int
    ) -> tuple[bytes, Suite]:
        keys, suite = self._diversifier("load", key_version)
        return load_session_key(keys.derive(asn8), rnd4, online_atc, suite=suite), suite

    def _terminal_codes(self, terminal6: bytes) -> tuple[CMAC, ...]:
        if len(self._codes) >= _TERMINALS_KEPT:
            self._codes.clear()
        factor = b"\0\0" + terminal6
        usable = self._book.usable("batch")
        codes = tuple(CMAC(AES(self.card_key("batch", factor, row.version))) for row in usable)
        self._codes[terminal6] = codes
        return codes
