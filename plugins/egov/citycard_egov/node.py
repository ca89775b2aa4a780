"""A node of the exchange: a department's or a partner's own data and key, and how it answers queries.

It lives in a folder of its own and knows nothing of a city but the parties in its ``node.json``: their public
keys, for which departments they ask, and whether they keep consents. It has its own database, whose log is
chained as the city's is. A query is answered once, and every one is written down, also what is refused.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import hmac
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    delete,
    insert,
    select,
)

from citycard.clock import Clock, SystemClock
from citycard.ids import new_id
from citycard.kernel.settings import structure
from citycard.store import NAMING_CONVENTION, UtcTime, open_store, reading, writing
from citycard.store.guarding import append_only
from citycard_egov import chain
from citycard_egov.errors import (
    EgovFileInvalid,
    EgovInvalid,
    ExchangeFailed,
    ExchangeRefused,
    NodeFolderInvalid,
)
from citycard_egov.messages import Envelope, KeySigner, fresh, opened, sha256, signed, verified
from citycard_egov.office import checked_number
from citycard_egov.queries import WITHIN, Party, QueryRefused, check_sent, reply, send_query

__all__ = ["ExchangeNode", "NodeConfig", "Peer"]

_CONFIG, _KEY, _DATA = "node.json", "node.key", "node.sqlite"

_metadata = MetaData(naming_convention=NAMING_CONVENTION)
_person = Table(
    "person",
    _metadata,
    Column("id_number", String(18), primary_key=True),
    Column("fields", JSON, nullable=False),
)
_seen = Table(
    "seen", _metadata, Column("id", String(36), primary_key=True), Column("at", UtcTime, nullable=False)
)
_log = Table(
    "log",
    _metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("content", JSON, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
)
append_only(_log)


@attrs.frozen(kw_only=True)
class Peer:
    """A party that may ask: its public key, the departments it asks for, and whether it keeps consents."""

    key: str = attrs.field(validator=attrs.validators.matches_re(r"[0-9a-f]{64}"))
    asks_for: tuple[str, ...] = ()
    keeps_consents: bool = False


@attrs.frozen(kw_only=True)
class NodeConfig:
    """``node.json``: who the node is, and whom it knows."""

    id: str = attrs.field(validator=attrs.validators.matches_re(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?"))
    peers: Mapping[str, Peer] = attrs.field(factory=dict)


class ExchangeNode:
    """A node that is open. ``create`` makes one in a folder, ``open`` opens it; ``close`` lets go of it."""

    def __init__(
        self, folder: Path, config: NodeConfig, signer: KeySigner, clock: Clock | None = None
    ) -> None:
        self.folder, self.config, self._signer = folder, config, signer
        self._clock = clock or SystemClock()
        self._engine = open_store(f"sqlite:///{folder / _DATA}")
        _metadata.create_all(self._engine)

    @classmethod
    def create(cls, folder: Path, node_id: str) -> ExchangeNode:
        """Make a node with a key that is drawn; raise NodeFolderInvalid when there is one."""
        config = _structured({"id": node_id}, folder)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if (folder / _CONFIG).exists():
            raise NodeFolderInvalid(folder=folder, reason="there is a node already")
        secret = Ed25519PrivateKey.generate().private_bytes_raw()
        (folder / _KEY).touch(mode=0o600)
        (folder / _KEY).write_text(secret.hex(), encoding="ascii")
        _save(folder, config)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path, clock: Clock | None = None) -> ExchangeNode:
        """Open the node in a folder; raise NodeFolderInvalid."""
        config = _read(folder)
        try:
            secret = bytes.fromhex((folder / _KEY).read_text(encoding="ascii"))
            signer = KeySigner(Ed25519PrivateKey.from_private_bytes(secret))
        except (OSError, ValueError) as wrong:
            reason = f"{_KEY} cannot be read: {type(wrong).__name__}"
            raise NodeFolderInvalid(folder=folder, reason=reason) from None
        return cls(folder, config, signer, clock)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @property
    def public_key(self) -> str:
        """Give the node's public key, 64 hexadecimal digits."""
        return self._signer.public

    def add_peer(self, peer_id: str, peer: Peer) -> None:
        """Know another party from now on; its entry is replaced."""
        self.config = attrs.evolve(self.config, peers={**self.config.peers, peer_id: peer})
        _save(self.folder, self.config)

    def import_people(self, text: str, *, file: str) -> int:
        """Take a CSV with a column ``id_number`` and one for each field; all of it or nothing.

        Return how many persons it has. Raise EgovFileInvalid, which names the line.
        """
        rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=None), skipinitialspace=True)
        names = [name.strip().lower() for name in rows.fieldnames or ()]
        if "id_number" not in names:
            raise EgovFileInvalid(file=file, reason="its first line names no column id_number")
        rows.fieldnames = names
        people: dict[str, dict[str, str]] = {}
        try:
            for row in rows:
                if None in row or None in row.values():
                    raise EgovFileInvalid(
                        file=file, reason=f"line {rows.line_num} has another number of columns"
                    )
                number = checked_number(row.pop("id_number"))
                people[number] = {name: value.strip() for name, value in row.items() if value.strip()}
        except (csv.Error, EgovInvalid) as wrong:
            raise EgovFileInvalid(file=file, reason=f"line {rows.line_num}: {wrong}") from wrong
        with writing(self._engine) as conn:
            for number, fields in people.items():
                conn.execute(delete(_person).where(_person.c.id_number == number))
                conn.execute(insert(_person), {"id_number": number, "fields": fields})
        return len(people)

    def answer(self, text: str) -> tuple[int, Envelope]:
        """Answer a query as it came: an HTTP status and the signed message, an answer or a refusal."""
        now = self._clock.now()
        self.config = _read(self.folder)  # parties may have been added while this one serves
        content: dict[str, Any] = {}
        query: Envelope | None = None
        with writing(self._engine) as conn:
            try:
                query = opened(text)
                content = query.content
                given = self._given(conn, query, content, now)
            except EgovInvalid as wrong:
                no = QueryRefused("malformed", str(wrong))
                return 400, self._close(conn, text, query, content, now, no=no)
            except QueryRefused as no:
                return 403, self._close(conn, text, query, content, now, no=no)
            return 200, self._close(conn, text, query, content, now, given=given)

    def ask(
        self,
        party: Party,
        id_number: str,
        fields: Sequence[str],
        *,
        asker: str,
        purpose: str,
        receipt: Envelope | None = None,
    ) -> Mapping[str, Any]:
        """Ask another party, and give what it answered: ``known`` and ``values``; both sides write it down.

        ``receipt`` is the city's, of the citizen's consent; the city hall itself needs none. Raise
        ExchangeRefused or ExchangeFailed.
        """
        shared = {"asker": asker, "fields": sorted(fields), "purpose": purpose}
        person = checked_number(id_number)
        with writing(self._engine) as conn:
            content = shared | {
                "kind": "query",
                "id": str(new_id()),
                "from": self.config.id,
                "to": party.id,
                "person": person,
                "consent": attrs.asdict(receipt) if receipt else {},
                "at": self._clock.now(),
                "head": chain.head(conn, _log).as_json(),
            }
            query = signed(content, self.config.id, self._signer)
            told = {"query": content["id"], "node": party.id, "person": self._pseudonym(person)}
            chain.append(conn, _log, shared | told | {"event": "asked", **self._proof(query)})
        try:
            answer = send_query(party, query, self._clock)
        except (ExchangeFailed, ExchangeRefused) as wrong:
            self._append(told | {"event": "failed", "reason": str(wrong), **self._proof(query)})
            raise
        given = answer.content
        self._append(told | {"event": "heard", "head": given["head"], **self._proof(answer)})
        return {"query": content["id"], "known": given["known"], "values": given["values"]}

    def log(self, limit: int = 1000) -> list[tuple[int, dict[str, Any]]]:
        """Give the newest rows of the log, newest first."""
        with reading(self._engine) as conn:
            return chain.entries(conn, _log, limit=limit)

    def broken(self, seen: chain.Head | None = None) -> str | None:
        """Say where the log is not what was written; None when it is whole."""
        with reading(self._engine) as conn:
            return chain.broken(conn, _log, seen=seen)

    # ── inside ───────────────────────────────────────────────────────────────────────────────────

    def _given(
        self, conn: Connection, query: Envelope, content: Mapping[str, Any], now: dt.datetime
    ) -> dict[str, str] | None:
        peer = self.config.peers.get(query.signer)
        key, asks_for = (None, ()) if peer is None else (peer.key, peer.asks_for)
        person, fields = check_sent(query, me=self.config.id, key=key, asks_for=asks_for, now=now)
        # Within the window every id is remembered; beyond it the moment is refused.
        conn.execute(delete(_seen).where(_seen.c.at < now - 3 * WITHIN))
        if conn.scalar(select(_seen.c.id).where(_seen.c.id == content["id"])) is not None:
            raise QueryRefused("replay", "a query of this id came before")
        conn.execute(insert(_seen), {"id": content["id"], "at": now})
        self._check_consent(content, person, fields, now)
        found: dict[str, str] | None = conn.scalar(
            select(_person.c.fields).where(_person.c.id_number == person)
        )
        return None if found is None else {name: found[name] for name in fields if name in found}

    def _check_consent(
        self, content: Mapping[str, Any], person: str, fields: list[str], now: dt.datetime
    ) -> None:
        try:
            receipt = opened(content.get("consent") or {})
            said = receipt.content
        except EgovInvalid:
            raise QueryRefused("consent", "the query brings no consent of the citizen") from None
        keeper = self.config.peers.get(receipt.signer)
        if keeper is None or not keeper.keeps_consents or not verified(receipt, keeper.key):
            raise QueryRefused("consent", "the consent is not signed by who keeps consents")
        if not fresh(said, now, WITHIN):
            raise QueryRefused("consent", "the receipt is older than five minutes: it may be withdrawn")
        same = {
            "kind": "consent",
            "person": person,
            "asker": content["asker"],
            "node": self.config.id,
            "purpose": content["purpose"],
        }
        if any(said.get(name) != value for name, value in same.items()):
            raise QueryRefused("consent", "the consent is of another person, asker, party or purpose")
        if not set(fields) <= set(said.get("fields") or ()):
            raise QueryRefused("consent", "the consent does not name every field")
        if str(said.get("until")) < now.date().isoformat():
            raise QueryRefused("consent", f"the consent ended on {said.get('until')}")

    def _close(
        self,
        conn: Connection,
        text: str,
        query: Envelope | None,
        content: Mapping[str, Any],
        now: dt.datetime,
        *,
        given: Mapping[str, str] | None = None,
        no: QueryRefused | None = None,
    ) -> Envelope:
        request = sha256(query.payload if query else text)
        person = content.get("person")
        row = {
            "event": f"refused: {no.code}" if no else "answered",
            "query": str(content.get("id", ""))[:36],
            "signer": query.signer if query else "",
            "asker": str(content.get("asker", ""))[:40],
            "person": self._pseudonym(person) if isinstance(person, str) else "",
            "fields": sorted(map(str, content.get("fields") or ()))[:50] if no is None else [],
            "purpose": str(content.get("purpose", ""))[:200],
            "request": request,
            "signature": query.signature if query else "",
            "head": content.get("head") if no is None else None,
            "at": now.isoformat(),
        }
        head = chain.append(conn, _log, row)
        return reply(
            self.config.id,
            self._signer,
            request,
            head,
            now,
            query=str(content.get("id", "")),
            values=given,
            refused=no,
        )

    def _proof(self, message: Envelope) -> dict[str, str]:
        at = self._clock.now().isoformat()
        return {"message": sha256(message.payload), "signature": message.signature, "at": at}

    def _append(self, row: Mapping[str, Any]) -> None:
        with writing(self._engine) as conn:
            chain.append(conn, _log, row)

    def _pseudonym(self, person: str) -> str:
        # The log is kept for longer than the data, and says who was asked about only to who has the number.
        key = self._signer.sign(b"pseudonyms of the log")
        return hmac.digest(key, person.encode(errors="replace"), hashlib.sha256).hex()


def _read(folder: Path) -> NodeConfig:
    try:
        content = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as wrong:
        reason = f"it holds no node: citycard egov node init makes one ({type(wrong).__name__})"
        raise NodeFolderInvalid(folder=folder, reason=reason) from None
    return _structured(content, folder)


def _structured(content: object, folder: Path) -> NodeConfig:
    if not isinstance(content, dict):
        raise NodeFolderInvalid(folder=folder, reason=f"{_CONFIG} is no JSON object")
    return structure(NodeConfig, content, where=_CONFIG)


def _save(folder: Path, config: NodeConfig) -> None:
    text = json.dumps(attrs.asdict(config), indent=2)
    kept = folder / f"{_CONFIG}.new"
    kept.write_text(text, encoding="utf-8")
    kept.replace(folder / _CONFIG)
