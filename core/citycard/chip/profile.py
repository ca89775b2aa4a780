"""What differs from one card operating system to the next, as data (docs/chip.md, "Profiles")."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import attrs

from citycard.keys.cipher import Algorithm, encryptor
from citycard.keys.greylock import (
    TTI_GREY_LOCK_ED,
    TTI_GREY_LOCK_EP,
    TTI_ONLINE_UNLOCK_ED,
    TTI_ONLINE_UNLOCK_EP,
    TTI_UNLOCK_ED,
    TTI_UNLOCK_EP,
)
from citycard.keys.line import TDES_LINE, LineSuite
from citycard.keys.suite import Suite, suite_of

__all__ = ["ChipProfile", "GreyTypes", "contactless_atr"]


@attrs.frozen(kw_only=True)
class GreyTypes:
    """Say which transaction types a grey lock has, each for passbook and purse.

    The FMCOS manual gives the odd ones to the passbook; CJ/T 304 prints 93 for the purse.
    """

    lock: tuple[int, int] = (TTI_GREY_LOCK_ED, TTI_GREY_LOCK_EP)
    unlock: tuple[int, int] = (TTI_UNLOCK_ED, TTI_UNLOCK_EP)
    online: tuple[int, int] = (TTI_ONLINE_UNLOCK_ED, TTI_ONLINE_UNLOCK_EP)


@attrs.frozen(kw_only=True)
class ChipProfile:
    """Describe how a chip answers where the sources differ.

    ``record_id_size``: 1 for records that start with tag and length, 2 for the two-byte record ids of JT/T
    978 (``2702``), where a command names the second byte. ``log_after_increment``: the log keeps the
    counter after the transaction raised it. ``prove_offset``: GET TRANSACTION PROVE wants INITIALIZE's
    counter plus this. ``load_needs_pin``: INITIALIZE FOR LOAD needs a verified PIN. ``protected_cache``:
    records cached for a CAPP must come as their file's line protection says; without it, plain ones are
    taken too. ``application_version``: the bytes of tag ``9F08`` in the answer to SELECT, or none.
    ``issuer_data_bytes``: the most that ``9F0C`` carries of the file it shows. ``longest_data``: the most
    bytes of data in a command or an answer. ``warns_unwritten``: READ BINARY of a file that was never written
    gives ``6281`` with the data. ``t0``: the chip sits behind a T=0 interface, so answers wait for GET
    RESPONSE. ``line``: what line protection and authentication compute with. ``transport_code``: what CREATE
    FILE of the master file wants. ``grey_types``: the transaction types of the grey lock.
    ``algorithms``: the purse algorithms besides 3DES; a purse key marked with one of them computes with it,
    any other key with 3DES. AES and SM4 purses are experimental (docs/keys.md). Raises ``AlgorithmMissing``
    where the installed OpenSSL has no such cipher, so that no card meets that in the middle of a command.
    """

    name: str
    atr: bytes
    capacity: int = attrs.field(default=8192, validator=attrs.validators.in_(range(512, 65536)))
    root_name: bytes = b"1PAY.SYS.DDF01"
    transport_key: bytes = attrs.field(default=b"\xff" * 16, repr=False)
    application_version: bytes = b""
    record_id_size: int = attrs.field(default=1, validator=attrs.validators.in_((1, 2)))
    load_needs_pin: bool = False
    log_after_increment: bool = True
    prove_offset: int = attrs.field(default=1, validator=attrs.validators.in_((0, 1)))
    largest_balance_fen: int = 0x7FFFFFFF
    protected_cache: bool = False
    cache_bytes: int = 512
    issuer_data_bytes: int = 30
    longest_data: int = attrs.field(default=256, validator=attrs.validators.in_(range(32, 257)))
    warns_unwritten: bool = False
    t0: bool = False
    transport_code: bytes = attrs.field(default=b"\xff" * 10, repr=False)
    line: LineSuite = TDES_LINE
    grey_types: GreyTypes = GreyTypes()
    algorithms: tuple[Algorithm, ...] = attrs.field(
        default=(), validator=attrs.validators.deep_iterable(attrs.validators.in_(tuple(Algorithm)))
    )
    suites: Mapping[int, Suite] = attrs.field(init=False, eq=False, repr=False)
    """The suite of each of ``algorithms``, by the byte in the header of a key."""

    def __attrs_post_init__(self) -> None:
        for algorithm in self.algorithms:
            encryptor(bytes(16), algorithm)
        suites = {int(algorithm): suite_of(algorithm) for algorithm in self.algorithms}
        object.__setattr__(self, "suites", MappingProxyType(suites))

    @property
    def experimental(self) -> bool:
        """Tell whether no published card or vector backs what this profile computes."""
        return self.line.experimental or any(suite.experimental for suite in self.suites.values())


def contactless_atr(historical: bytes) -> bytes:
    """Return the answer to reset that a contactless reader makes up for a card (PC/SC part 3)."""
    body = bytes((0x80 | len(historical), 0x80, 0x01)) + historical
    check = 0
    for byte in body:
        check ^= byte
    return b"\x3b" + body + bytes((check,))
