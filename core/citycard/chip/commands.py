"""Which command of the chip answers which class and instruction byte."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from citycard.chip.authenticate import (
    external_authenticate,
    get_challenge,
    internal_authenticate,
)
from citycard.chip.binary_commands import (
    read_binary,
    read_binary_protected,
    update_binary,
    update_binary_protected,
    write_binary_protected,
)
from citycard.chip.blocking import block_application, block_card, unblock_application
from citycard.chip.capp import update_cache, update_cache_protected
from citycard.chip.issuing import create_file, erase_directory
from citycard.chip.key_writing import write_key, write_key_protected
from citycard.chip.load import credit_for_load, initialize_for_load
from citycard.chip.pin import change_or_reload_pin, unblock_pin, verify_pin
from citycard.chip.prove import get_transaction_prove
from citycard.chip.purchase import debit, initialize_for_purchase
from citycard.chip.purse import get_balance
from citycard.chip.record_commands import (
    append_record,
    append_record_protected,
    read_record,
    read_record_protected,
    update_record,
    update_record_protected,
)
from citycard.chip.selection import select
from citycard.chip.state import CardState
from citycard.chip.status import WRONG_PARAMETERS, RefusedError
from citycard.keys.purse import TTI_CAPP, TTI_PURCHASE_EP

__all__ = ["COMMANDS", "KEEP_PENDING", "Command"]

Command = Callable[[CardState, int, int, bytes, int | None], bytes]
"""Take the card, P1, P2, the data and Le (256 for 00, none when absent); return data and status word."""


def _initialize(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    if p1 == 1:
        return initialize_for_purchase(card, p2, data, le, TTI_PURCHASE_EP)
    if p1 == 3:  # noqa: PLR2004  # INITIALIZE FOR CAPP PURCHASE
        return initialize_for_purchase(card, p2, data, le, TTI_CAPP)
    if p1 == 0:
        return initialize_for_load(card, p2, data, le)
    raise RefusedError(WRONG_PARAMETERS)


COMMANDS: Mapping[bytes, Command] = {
    b"\x00\x20": verify_pin,
    b"\x00\x82": external_authenticate,
    b"\x00\x84": get_challenge,
    b"\x00\x88": internal_authenticate,
    b"\x00\xa4": select,
    b"\x00\xb0": read_binary,
    b"\x04\xb0": read_binary_protected,
    b"\x00\xb2": read_record,
    b"\x04\xb2": read_record_protected,
    b"\x00\xd0": update_binary,
    b"\x00\xd6": update_binary,
    b"\x04\xd0": write_binary_protected,
    b"\x04\xd6": update_binary_protected,
    b"\x00\xdc": update_record,
    b"\x04\xdc": update_record_protected,
    b"\x00\xe2": append_record,
    b"\x04\xe2": append_record_protected,
    b"\x80\x0e": erase_directory,
    b"\x80\x50": _initialize,
    b"\x80\x52": credit_for_load,
    b"\x80\x54": debit,
    b"\x80\x5a": get_transaction_prove,
    b"\x80\x5c": get_balance,
    b"\x80\x5e": change_or_reload_pin,
    b"\x80\xd4": write_key,
    b"\x84\x16": block_card,
    b"\x84\x18": unblock_application,
    b"\x84\x1e": block_application,
    b"\x84\x24": unblock_pin,
    b"\x84\xd4": write_key_protected,
    b"\x80\xdc": update_cache,
    b"\x84\xdc": update_cache_protected,
    b"\x80\xe0": create_file,
}

KEEP_PENDING = frozenset({b"\x80\xdc", b"\x84\xdc", b"\x00\x84", b"\x80\x52", b"\x80\x54"})
"""The only commands that may stand between INITIALIZE and its second command, and that one itself."""
