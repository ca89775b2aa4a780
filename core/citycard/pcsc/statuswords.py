"""What a status word means, in words: PBOC and FMCOS cards, SAMs, and readers of sector cards."""

from __future__ import annotations

__all__ = ["explain"]

_WORDS = {
    "9000": "done",
    "6281": "data may be damaged, or were never written",
    "6282": "fewer bytes or records than asked for",
    "6283": "the selected application or file is blocked or damaged",
    "6300": "authentication failed",
    "6400": "nothing was changed",
    "6581": "writing to memory failed",
    "6700": "wrong length",
    "6900": "the class byte and the line protection do not fit",
    "6901": "not now: no transaction is under way",
    "6981": "not for this kind of file or key",
    "6982": "not allowed: verify the PIN or authenticate first",
    "6983": "the key or PIN is locked",
    "6984": "there is no valid challenge: GET CHALLENGE comes directly before",
    "6985": "the conditions for it are not met",
    "6986": "no file is selected",
    "6987": "the MAC is missing",
    "6988": "the MAC is wrong",
    "6A80": "wrong data",
    "6A81": "not supported, or the card or application is blocked",
    "6A82": "there is no such file or application",
    "6A83": "there is no such record",
    "6A84": "there is no room for it",
    "6A86": "wrong P1 P2, or it is there already",
    "6A88": "there is no such key",
    "6B00": "the offset is beyond the end of the file",
    "6D00": "unknown instruction",
    "6E00": "unknown class",
    "6F00": "the card found no words for it",
    "9302": "a transaction MAC is wrong",
    "9303": "the application is locked for good",
    "9401": "not enough money on the purse",
    "9402": "the transaction counter is at its end",
    "9403": "there is no key of this index or version",
    "9406": "the MAC or TAC asked for is not there",
}


def explain(status: bytes) -> str:
    """Return what two status bytes say."""
    word = status.hex().upper()
    if word.startswith("61"):
        return f"{status[1]} bytes wait: GET RESPONSE"
    if word.startswith("6C"):
        return f"wrong Le: {status[1]} is right"
    if word.startswith("63C"):
        return f"wrong, {status[1] & 0x0F} tries left"
    return _WORDS.get(word, "a status word of this card alone")
