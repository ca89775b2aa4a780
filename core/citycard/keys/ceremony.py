"""A key ceremony: custodians bring the components of a key, and a signed protocol says who did what.

The protocol's file never holds a component or a key, only check values, so that a ceremony may be interrupted
and taken up again by whoever has the components. Nobody has two roles or two components.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

import attrs

from citycard.errors import CeremonyInvalid, CeremonyOutOfOrder, CeremonyPersonTwice, ComponentWrong
from citycard.keys.checkvalue import check_value, check_value_name
from citycard.keys.cipher import Algorithm, sized
from citycard.keys.sealed import write_private
from citycard.keys.shamir import combine_xor, value_at

__all__ = ["Ceremony", "Component", "Scheme", "Signer", "Step", "same_person"]

FORMAT = "citycard-key-ceremony-1"
_SIZE = 16
_LEAST, _MOST = 2, 16


class Scheme(Enum):
    """How components make the key: all of them by XOR, or enough of them after Shamir."""

    XOR = "xor"
    SHAMIR = "shamir"


@attrs.frozen(kw_only=True)
class Signer:
    """Somebody who answers for the ceremony, with the public key (PEM) that checks the signature."""

    role: str
    name: str
    public_key: str


@attrs.frozen(kw_only=True)
class Component:
    """A component that a custodian has: its number and its check value, never the component."""

    number: int
    custodian: str
    kcv: str


@attrs.frozen(kw_only=True)
class Step:
    """What was done, by whom, when (UTC, ISO 8601)."""

    at: str
    who: str
    what: str


@attrs.define(kw_only=True)
class Ceremony:
    """The protocol of one ceremony; every change is written to its file at once.

    ``subject`` is ``root``, or the name of a purpose whose key comes from elsewhere. ``hierarchy`` is
    empty for the city's own.
    """

    path: Path
    id: str
    subject: str
    hierarchy: str
    algorithm: Algorithm
    scheme: Scheme
    needed: int
    custodians: tuple[str, ...]
    signers: tuple[Signer, ...]
    components: tuple[Component, ...] = ()
    kcv: str = ""
    outcome: str = ""
    steps: tuple[Step, ...] = ()
    signatures: Mapping[str, str] = attrs.field(factory=dict)

    # ── the file ──

    @classmethod
    def start(
        cls,
        path: Path,
        *,
        subject: str,
        scheme: Scheme,
        needed: int,
        custodians: Sequence[str],
        signers: Sequence[Signer],
        now: dt.datetime,
        hierarchy: str = "",
        algorithm: Algorithm = Algorithm.TDES,
    ) -> Ceremony:
        """Begin a ceremony and write its file; raises ``VaultExists`` when there is one.

        ``signers`` are the officer and the witness. ``needed`` counts the custodians whose components make
        the key: all of them with XOR. Raises ``CeremonyInvalid`` or ``CeremonyPersonTwice``.
        """
        made = cls(
            path=path,
            id=secrets.token_hex(8),
            subject=subject,
            hierarchy=hierarchy,
            algorithm=algorithm,
            scheme=scheme,
            needed=needed,
            custodians=tuple(custodians),
            signers=tuple(signers),
        )
        made.check()
        made._note(now, made.signers[0].name, f"opened the ceremony for {subject}")
        made.write(replace=False)
        return made

    @classmethod
    def read(cls, path: Path) -> Ceremony:
        """Read a ceremony's file; raises ``CeremonyInvalid`` when it is none."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content.pop("format") != FORMAT:
                raise CeremonyInvalid(path=path, reason=f"it is not of format {FORMAT}")
            made = cls(
                path=path,
                algorithm=Algorithm[content.pop("algorithm").upper()],
                scheme=Scheme(content.pop("scheme")),
                custodians=tuple(content.pop("custodians")),
                signers=tuple(Signer(**one) for one in content.pop("signers")),
                components=tuple(Component(**one) for one in content.pop("components")),
                steps=tuple(Step(**one) for one in content.pop("steps")),
                **content,
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            raise CeremonyInvalid(path=path, reason="it is not the protocol of a ceremony") from None
        made.check()
        return made

    def write(self, *, replace: bool = True) -> None:
        """Write the file, whole or not at all."""
        text = json.dumps(
            {**self.content(), "signatures": dict(self.signatures)}, ensure_ascii=False, indent=1
        )
        write_private(self.path, text.encode() + b"\n", replace=replace)

    def content(self) -> dict[str, Any]:
        """Return what is signed, as JSON values."""
        skipped = {"path", "signatures", "algorithm", "scheme"}
        made = attrs.asdict(self, filter=lambda field, _: field.name not in skipped)
        return {
            "format": FORMAT,
            **made,
            "algorithm": self.algorithm.name.lower(),
            "scheme": self.scheme.value,
        }

    # ── the rules ──

    def check(self) -> None:
        """Raise when a rule of ceremonies is broken, also by somebody who wrote the file by hand."""
        count = len(self.custodians)
        if not _LEAST <= self.needed <= count <= _MOST or (
            self.scheme is Scheme.XOR and self.needed != count
        ):
            rule = "2 to 16 custodians, of whom at least 2 and with xor all are needed"
            raise CeremonyInvalid(
                path=self.path, reason=f"{self.needed} of {count} custodians: there must be {rule}"
            )
        if [one.role for one in self.signers] != ["officer", "witness"]:
            raise CeremonyInvalid(path=self.path, reason="an officer and a witness must answer for it")
        if self.signers[0].public_key == self.signers[1].public_key:
            raise CeremonyInvalid(path=self.path, reason="officer and witness have the same signing key")
        seen: set[str] = set()
        for name in (*self.custodians, *(one.name for one in self.signers)):
            if same_person(name) in seen or not same_person(name):
                raise CeremonyPersonTwice(path=self.path, person=name)
            seen.add(same_person(name))
        for one in self.components:
            if self.custodians[one.number - 1 : one.number] != (one.custodian,):
                raise CeremonyInvalid(
                    path=self.path, reason=f"component {one.number} is not {one.custodian}'s"
                )

    def number(self, custodian: str) -> int:
        """Return a custodian's number, from 1; raises ``CeremonyOutOfOrder`` for somebody else."""
        for number, name in enumerate(self.custodians, 1):
            if same_person(name) == same_person(custodian):
                return number
        raise CeremonyOutOfOrder(
            path=self.path, reason=f"{custodian} is no custodian: {', '.join(self.custodians)}"
        )

    # ── what is done ──

    def kcv_of(self, component16: bytes) -> str:
        """Return a component's check value, by 3DES whatever the key is for."""
        return check_value(sized("component", component16, _SIZE)).hex().upper()

    def contribute(self, custodian: str, component16: bytes, now: dt.datetime) -> Component:
        """Write down that a custodian has this component; the same one again changes nothing.

        Raises ``ComponentWrong`` when the custodian already had another one.
        """
        number = self.number(custodian)
        if number > self.needed:
            reason = (
                f"{custodian} gets a share when the ceremony is finished; the first {self.needed} contribute"
            )
            raise CeremonyOutOfOrder(path=self.path, reason=reason)
        known = self._component(number)
        kcv = self.kcv_of(component16)
        if known is not None:
            self._agree(known, kcv)
            return known
        self._unfinished()
        for other in self.components:
            if other.kcv == kcv:
                # By XOR the two would cancel out.
                reason = f"{custodian} has the component of {other.custodian}: each has one of their own"
                raise CeremonyOutOfOrder(path=self.path, reason=reason)
        made = Component(number=number, custodian=self.custodians[number - 1], kcv=kcv)
        self.components = tuple(sorted((*self.components, made), key=lambda one: one.number))
        self._note(now, made.custodian, f"contributed component {number}, KCV {kcv}")
        self.write()
        return made

    def require_open(self, custodian: str) -> None:
        """Raise ``CeremonyOutOfOrder`` unless this custodian may still draw a component."""
        number = self.number(custodian)
        self._unfinished()
        if number > self.needed or self._component(number) is not None:
            reason = f"{custodian} has a component already, or gets a share at its end"
            raise CeremonyOutOfOrder(path=self.path, reason=reason)

    def combine(self, components: Mapping[str, bytes], now: dt.datetime, expected_kcv: str = "") -> bytes:
        """Make the key from the custodians' components and write down its check value.

        Raises ``ComponentWrong``, which says whose check value did not agree, and ``CeremonyOutOfOrder`` when
        there are too few. With Shamir, custodians who got a further share may come in place of others.
        """
        given = {self.number(name): value for name, value in components.items()}
        for number, value in given.items():
            known = self._component(number)
            if known is None:
                raise CeremonyOutOfOrder(path=self.path, reason=f"component {number} was never contributed")
            self._agree(known, self.kcv_of(value))
        if len(given) < self.needed:
            reason = f"{len(given)} of {self.needed} needed components are here"
            raise CeremonyOutOfOrder(path=self.path, reason=reason)
        key = combine_xor(given) if self.scheme is Scheme.XOR else value_at(given, 0)
        if self.algorithm == Algorithm.TDES and _halves_equal(key):
            reason = "both halves of the key are equal, which makes it a single DES key"
            raise CeremonyOutOfOrder(path=self.path, reason=reason)
        kcv = check_value(key, self.algorithm).hex().upper()
        if (wanted := self.kcv or expected_kcv.upper()) and wanted != kcv:
            raise ComponentWrong(whose=f"the {self.subject} key", expected=wanted, found=kcv)
        if not self.kcv:
            self.kcv = kcv
            rule = check_value_name(self.algorithm)
            self._note(now, self.signers[0].name, f"combined {len(given)} components, KCV {kcv} ({rule})")
            self.write()
        return key

    def further_shares(self, components: Mapping[str, bytes], now: dt.datetime) -> dict[str, bytes]:
        """Return the shares of the custodians who did not contribute, which Shamir leaves over."""
        given = {self.number(name): value for name, value in components.items()}
        made = {}
        for number in range(self.needed + 1, len(self.custodians) + 1):
            name = self.custodians[number - 1]
            made[name] = value_at(given, number)
            if self._component(number) is None:
                kcv = self.kcv_of(made[name])
                self.components = (*self.components, Component(number=number, custodian=name, kcv=kcv))
                self._note(now, name, f"received share {number}, KCV {kcv}")
        self.write()
        return made

    def finish(self, outcome: str, now: dt.datetime) -> None:
        """Write down what the key was used for; it is gone by now. A second time changes nothing."""
        if not self.outcome:
            self.outcome = outcome
            self._note(now, self.signers[0].name, f"{outcome}; the key was not kept")
            self.write()

    def next_step(self) -> str:
        """Say what is to be done next."""
        waiting = [
            name
            for number, name in enumerate(self.custodians[: self.needed], 1)
            if not self._component(number)
        ]
        if waiting:
            return f"contribute: {', '.join(waiting)}"
        if not self.outcome:
            return f"finish, with the components of {', '.join(self.custodians[: self.needed])}"
        missing = [one.name for one in self.signers if one.name not in self.signatures]
        return f"sign: {', '.join(missing)}" if missing else "nothing, the ceremony is over"

    def _component(self, number: int) -> Component | None:
        return next((one for one in self.components if one.number == number), None)

    def _agree(self, known: Component, kcv: str) -> None:
        if known.kcv != kcv:
            whose = f"component {known.number} of {known.custodian}"
            raise ComponentWrong(whose=whose, expected=known.kcv, found=kcv)

    def _unfinished(self) -> None:
        if self.kcv:
            raise CeremonyOutOfOrder(path=self.path, reason="its components were already combined")

    def _note(self, now: dt.datetime, who: str, what: str) -> None:
        at = now.astimezone(dt.UTC).isoformat(timespec="seconds")
        self.steps = (*self.steps, Step(at=at, who=who, what=what))


def _halves_equal(key16: bytes) -> bool:
    """Say whether the halves are the same key to DES, which leaves the lowest bit of each byte out."""
    return all(one | 1 == other | 1 for one, other in zip(key16[:8], key16[8:], strict=True))


def same_person(name: str) -> str:
    """Return a name as it is compared: width, case and spaces do not make another person."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
