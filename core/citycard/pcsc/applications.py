"""Which applications Chinese city cards have, and in which order a reader looks for them (docs/pcsc.md).

The order matters: some cards break later selections after an application that they do not have. Sources are
published readers of such cards; none of this needs a key.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from citycard.errors import CardRemoved
from citycard.terminal.reader import Reader

__all__ = ["APPLICATIONS", "Application", "find_applications", "reset_selection"]

_OK = b"\x90\x00"
_SELECT = b"\x00\xa4\x04\x00"
_SELECT_ROOT = bytes.fromhex("00A40000023F00")
_BEIJING_NUMBER = bytes.fromhex("00B0840020")
_BEIJING_PURSE = bytes.fromhex("00A40000021001")
_BEIJING_MARK = b"\x10\x00"


@attrs.frozen(kw_only=True)
class Application:
    """A purse application: its name for people, its AID, and the layout its files follow."""

    name: str
    name_zh: str
    aid: bytes
    layout: str


def _application(layout: str, aid: str | bytes, name: str, name_zh: str) -> Application:
    raw = bytes.fromhex(aid) if isinstance(aid, str) else aid
    return Application(name=name, name_zh=name_zh, aid=raw, layout=layout)


BEIJING = _application("beijing", b"", "Beijing BMAC", "北京一卡通")
APPLICATIONS = (
    _application("shenzhen", b"PAY.SZT", "Shenzhen Tong", "深圳通"),
    _application("wuhan", b"AP1.WHCTC", "Wuhan Tong", "武汉通"),
    _application("pboc", b"PAY.APPY", "Lingnan Tong", "岭南通"),
    _application("pboc", b"PAY.TICL", "Yangcheng Tong", "羊城通"),
    _application("suzhou", b"SUXIN.DDF01", "Suzhou citizen card", "苏州市民卡"),
    _application("macau", "B0C4C3C5CDA8C7AEB0FC", "Macau Pass", "澳门通"),
    _application("city-union", "A00000000386980701", "City Union", "城市一卡通"),
    _application("t-union", "A000000632010105", "T-Union purse", "交通联合 电子钱包"),
    _application("t-union", "A000000632010106", "T-Union electronic cash", "交通联合 电子现金"),
)
"""In the order in which they are tried; the directory of payment applications is not needed for them."""


def find_applications(reader: Reader) -> Iterator[tuple[Application, bytes]]:
    """Select every application that the card has, one after the other, and give it with its answer (FCI).

    The application stays selected while the caller looks at it.
    """
    if reset_selection(reader) and _is_beijing(reader):
        yield BEIJING, b""
    for application in APPLICATIONS:
        reset_selection(reader)
        answer = _send(reader, _SELECT + bytes((len(application.aid),)) + application.aid + b"\x00")
        if answer[-2:] == _OK:
            yield application, answer[:-2]


def reset_selection(reader: Reader) -> bool:
    """Select the master file, as a clean place to start from; return whether the card did it."""
    return _send(reader, _SELECT_ROOT)[-2:] == _OK


def _is_beijing(reader: Reader) -> bool:
    # Readable without anything selected but the master file, and beginning with the city's code.
    answer = _send(reader, _BEIJING_NUMBER)
    if answer[-2:] != _OK or not answer.startswith(_BEIJING_MARK):
        return False
    return _send(reader, _BEIJING_PURSE)[-2:] == _OK


def _send(reader: Reader, apdu: bytes) -> bytes:
    answer = reader.transmit(apdu)
    if len(answer) < len(_OK):
        raise CardRemoved(during=f"command {apdu[:4].hex().upper()}")
    return answer
