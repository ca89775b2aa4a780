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
from citycard.chip.issuing import create_file, erase_directory
from citycard.chip.key_writing import write_key, write_key_protected
from citycard.chip.pin import change_or_reload_pin, unblock_pin, verify_pin
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
from citycard.chip.transactions import PURSE_COMMANDS, PURSE_KEEP_PENDING

__all__ = ["COMMANDS", "KEEP_PENDING", "Command"]

Command = Callable[[CardState, int, int, bytes, int | None], bytes]
"""Take the card, P1, P2, the data and Le (256 for 00, none when absent); return data and status word."""


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
    b"\x80\x5e": change_or_reload_pin,
    b"\x80\xd4": write_key,
    b"\x84\x16": block_card,
    b"\x84\x18": unblock_application,
    b"\x84\x1e": block_application,
    b"\x84\x24": unblock_pin,
    b"\x84\xd4": write_key_protected,
    b"\x80\xe0": create_file,
    **PURSE_COMMANDS,
}

KEEP_PENDING = PURSE_KEEP_PENDING | {b"\x00\x84"}
"""The only commands that may stand between INITIALIZE and its second command, and that one itself."""
