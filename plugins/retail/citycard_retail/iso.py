"""Messages of POS: ISO 8583:1987 in ASCII, with a MAC in the last field (docs/retail.md).

The codec is pyiso8583's; what is here is which fields we take, and the MAC: the first 8 bytes of an AES-CMAC
over everything before it. It stands in field 64, or in field 128 where a field above 64 is present.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hmac import compare_digest
from typing import Final

import attrs
import iso8583
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from iso8583.specs import default_ascii

from citycard_retail.errors import MessageInvalid

__all__ = [
    "FORMAT_ERROR",
    "MAC_WRONG",
    "Message",
    "check_mac",
    "message_mac",
    "read_message",
    "write_message",
]

FORMAT_ERROR, MAC_WRONG = "30", "A0"

_MAC_DIGITS = 16
_MIDDLE = 64
_MOST = 2048

#: What each field that we take looks like.
_FORMS: Final = {
    number: re.compile(form)
    for number, form in {
        "3": r"[0-9]{6}",
        "4": r"[0-9]{12}",
        "11": r"[0-9]{6}",
        "12": r"([01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]",
        "13": r"(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])",
        "37": r"[0-9A-Za-z]{12}",
        "38": r"[0-9A-Za-z]{6}",
        "39": r"[0-9A-Z]{2}",
        "41": r"[0-9]{8}",
        "42": r"[0-9]{15}",
        "49": r"156",
        "60": r"[0-9]{1,9}",
        "66": r"[0-9]",
        "74": r"[0-9]{10}",
        "76": r"[0-9]{10}",
        "86": r"[0-9]{16}",
        "88": r"[0-9]{16}",
        "90": r"[0-9]{42}",
        "97": r"[CD][0-9]{16}",
        "102": r"[0-9]{20}",
    }.items()
}


@attrs.frozen(kw_only=True)
class Message:
    """A message: its type (``0200``) and its fields by number, without bitmaps and MAC.

    Amounts are digits of fen, as field 4 of ISO 8583 has them with currency 156.
    """

    mti: str
    fields: Mapping[str, str]

    def get(self, field: int) -> str:
        """Give a field; raise MessageInvalid with code 30 when it is missing."""
        value = self.fields.get(str(field))
        if value is None:
            raise MessageInvalid(reason="it is missing", field=field, code=FORMAT_ERROR)
        return value

    def number(self, field: int) -> int:
        """Give a field of digits as a number."""
        return int(self.get(field))

    @property
    def plain(self) -> dict[str, str]:
        """Give what must be the same when the message is repeated: repeats (0201) count as the first."""
        return {"t": f"{self.mti[:3]}0", **self.fields}


def read_message(data: bytes) -> tuple[Message, bytes, bytes]:
    """Read a message, and give it with the bytes that its MAC covers and its 8 bytes of MAC.

    Raise MessageInvalid with code 30, which names the field, for anything that is no message of ours.
    """
    if len(data) > _MOST:
        raise MessageInvalid(reason=f"it has {len(data)} bytes, at most {_MOST} do", field="all", code="30")
    try:
        decoded, _ = iso8583.decode(data, default_ascii)
    except iso8583.DecodeError as wrong:
        raise MessageInvalid(reason=wrong.msg, field=wrong.field, code=FORMAT_ERROR) from None
    fields = {name: value for name, value in decoded.items() if name.isdigit() and name != "1"}
    mac = fields.pop("128", None) or fields.pop("64", None) or ""
    if not re.fullmatch(r"[0-9A-F]{16}", mac) or not data.endswith(mac.encode()):
        raise MessageInvalid(reason="a MAC of 16 digits has to be the last field", field=_MIDDLE, code="30")
    for name, value in fields.items():
        form = _FORMS.get(name)
        if form is None or not form.fullmatch(value):
            raise MessageInvalid(
                reason="it is not known here" if form is None else f"it is {value[:40]!r}, not of its form",
                field=name,
                code=FORMAT_ERROR,
            )
    return Message(mti=decoded["t"], fields=fields), data[:-_MAC_DIGITS], bytes.fromhex(mac)


def write_message(message: Message, key16: bytes) -> bytes:
    """Write a message with its MAC under a terminal's key."""
    last = "128" if any(int(name) > _MIDDLE for name in message.fields) else "64"
    content = {"t": message.mti, **message.fields, last: "0" * _MAC_DIGITS}
    try:
        raw, _ = iso8583.encode(content, default_ascii)
    except iso8583.EncodeError as wrong:
        raise MessageInvalid(reason=wrong.msg, field=wrong.field, code=FORMAT_ERROR) from None
    covered = bytes(raw[:-_MAC_DIGITS])
    return covered + message_mac(key16, covered).hex().upper().encode()


def message_mac(key16: bytes, covered: bytes) -> bytes:
    """Compute the 8 bytes of a message's MAC."""
    mac = CMAC(AES(key16))
    mac.update(covered)
    return mac.finalize()[:8]


def check_mac(key16: bytes, covered: bytes, mac8: bytes) -> None:
    """Raise MessageInvalid with code A0 unless the MAC is that of the bytes."""
    if not compare_digest(message_mac(key16, covered), mac8):
        raise MessageInvalid(reason="the MAC is wrong", field=_MIDDLE, code=MAC_WRONG)
