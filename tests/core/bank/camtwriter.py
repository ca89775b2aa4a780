"""A bank's own hand: it keeps an account and writes camt.053 of it, and shares nothing with the reader."""

from __future__ import annotations

from datetime import date, datetime, time
from xml.sax.saxutils import escape

import attrs

SPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001."


@attrs.frozen(kw_only=True)
class Booked:
    """One thing that the bank booked; ``signed`` is in fen, below zero for money that left."""

    signed: int
    day: date
    end_to_end: str = ""
    reference: str = ""
    batch: str = ""
    name: str = ""
    account: str = ""
    text: str = ""
    code: tuple[str, str, str] | None = None
    why: str = ""
    status: str = "BOOK"
    parts: tuple[Booked, ...] = ()


def tag(name, text, **attributes):
    listed = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f"<{name}{listed}>{text}</{name}>"


def money(fen):
    return tag("Amt", f"{abs(fen) // 100}.{abs(fen) % 100:02d}", Ccy="CNY")


def way(fen):
    return tag("CdtDbtInd", "DBIT" if fen < 0 else "CRDT")


def balance(kind, fen, day):
    code = tag("Tp", tag("CdOrPrtry", tag("Cd", kind)))
    return tag("Bal", code + money(fen) + way(fen) + tag("Dt", tag("Dt", day)))


def party(one, version):
    who, which = ("Cdtr", "CdtrAcct") if one.signed < 0 else ("Dbtr", "DbtrAcct")
    told = ""
    if one.name:
        name = tag("Nm", escape(one.name))
        told += tag(who, name if version == "02" else tag("Pty", name))
    if one.account:
        told += tag(which, tag("Id", tag("Othr", tag("Id", one.account))))
    return tag("RltdPties", told) if told else ""


def details(one, version):
    references = tag("EndToEndId", one.end_to_end or "NOTPROVIDED")
    told = tag("Refs", references)
    if version == "02":
        told += tag("AmtDtls", tag("TxAmt", money(one.signed)))
    else:
        told += money(one.signed) + way(one.signed)
    told += party(one, version)
    if one.text:
        told += tag("RmtInf", tag("Ustrd", escape(one.text)))
    if one.why:
        told += tag("RtrInf", tag("Rsn", tag("Cd", one.why)))
    return tag("TxDtls", told)


def entry(one, version):
    told = money(one.signed) + way(one.signed)
    told += tag("Sts", one.status if version == "02" else tag("Cd", one.status))
    told += tag("BookgDt", tag("Dt", one.day))
    if one.reference:
        told += tag("AcctSvcrRef", one.reference)
    if one.code:
        domain, family, sub = one.code
        told += tag(
            "BkTxCd", tag("Domn", tag("Cd", domain) + tag("Fmly", tag("Cd", family) + tag("SubFmlyCd", sub)))
        )
    else:
        told += tag("BkTxCd", "")
    inside = "".join(details(part, version) for part in one.parts or ((one,) if not one.batch else ()))
    if one.batch:
        inside = tag("Btch", tag("PmtInfId", one.batch)) + inside
    return tag("Ntry", told + tag("NtryDtls", inside))


def statement(number, account, opening, booked, *, first, last, version="08", sequence=None, name=None):
    made = datetime.combine(last, time(23))
    closing = opening + sum(one.signed for one in booked if one.status == "BOOK")
    told = tag("Id", name or f"STMT-{number:06d}")
    told += tag("ElctrncSeqNb", sequence if sequence is not None else number)
    told += tag("CreDtTm", made.isoformat())
    told += tag("FrToDt", tag("FrDtTm", f"{first}T00:00:00") + tag("ToDtTm", f"{last}T23:59:59"))
    told += tag("Acct", tag("Id", tag("Othr", tag("Id", account))) + tag("Ccy", "CNY"))
    told += balance("OPBD", opening, first) + balance("CLBD", closing, last)
    return tag("Stmt", told + "".join(entry(one, version) for one in booked)), closing


def document(*statements, version="08"):
    head = tag("GrpHdr", tag("MsgId", "M1") + tag("CreDtTm", "2026-11-27T23:00:00"))
    body = tag("BkToCstmrStmt", head + "".join(statements))
    whole = f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{SPACE}{version}">{body}</Document>'
    return whole.encode()


class Bank:
    """The city's bank: an account that statements are written of, day after day."""

    def __init__(self, account, opening=0, version="08"):
        self.account, self.balance, self.version, self.number = account, opening, version, 0

    def day(self, day, *booked, **more):
        """Close a day and give its statement as a file."""
        self.number += 1
        written, self.balance = statement(
            self.number,
            self.account,
            self.balance,
            [attrs.evolve(one, day=day) for one in booked],
            first=day,
            last=day,
            version=self.version,
            **more,
        )
        return document(written, version=self.version)
