"""Prove to anybody that the ledger answered a transfer so: its leaf, the way to a seal's root, and the seal.

A proof is a small JSON object. Whoever has the public key of seals can check it with SHA-256 and Ed25519
alone, and whoever knows the hash of the seal with SHA-256 (docs/seal.md).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, Row, Select, select

from citycard.errors import NotSealed, ProofInvalid, TransferUnknown
from citycard.ledger.chain import Key
from citycard.ledger.leaves import REFUSAL_FIELDS, TRANSFER_FIELDS, leaf, refusals_query, transfers_query
from citycard.ledger.merkle import inclusion_path, leaf_hash, path_root
from citycard.ledger.seals import NO_SEAL, Seal
from citycard.ledger.tables import request, seal, transfer

__all__ = ["Proof", "Proven", "check_proof", "prove"]

_FORMAT = "citycard-proof-1"
_FIELDS = {"transfer": TRANSFER_FIELDS, "refusal": REFUSAL_FIELDS}


@attrs.frozen(kw_only=True)
class Proof:
    """A proof that a leaf stands under a seal.

    ``leaf`` and ``seal`` are the very texts that are hashed; ``index`` of ``size`` leaves is the place, and
    ``path`` leads from there to the root, lowest first (hex). ``signature`` is hex.
    """

    leaf: str
    index: int
    size: int
    path: tuple[str, ...]
    seal: str
    signature: str
    format: str = _FORMAT


@attrs.frozen(kw_only=True)
class Proven:
    """What a proof proves: ``kind`` (transfer or refusal), its fields, the seal's number, hash and time."""

    kind: str
    says: dict[str, Any]
    seal: int
    seal_hash: str
    sealed_at: str
    key_id: str


def prove(conn: Connection, identity: UUID) -> Proof:
    """Prove the answer to a transfer; raise TransferUnknown, or NotSealed before the next seal."""
    row = conn.execute(
        select(request.c.posted_seq, request.c.first_seen).where(request.c.id == identity)
    ).one_or_none()
    if row is None:
        raise TransferUnknown(id=identity)
    if row.posted_seq is not None:
        under = select(seal).where(seal.c.last_posted_seq >= row.posted_seq)
    else:
        under = select(seal).where(seal.c.refused_until > row.first_seen)
    found = conn.execute(under.order_by(seal.c.seq).limit(1)).one_or_none()
    if found is None:
        raise NotSealed(id=identity)
    one = Seal.of(found)
    kind = "refusal" if row.posted_seq is None else "transfer"
    return _proof(conn, one, kind, identity)


def _proof(conn: Connection, one: Seal, kind: str, identity: UUID) -> Proof:
    hashes: list[bytes] = []
    mine: tuple[int, Row[Any]] | None = None
    for row in conn.execute(_under(conn, one, kind).execution_options(yield_per=2000)):
        if row.id == identity.hex:
            mine = len(hashes), row
        hashes.append(leaf_hash(leaf(kind, row)))
    if mine is None:
        raise TransferUnknown(id=identity)
    return Proof(
        leaf=leaf(kind, mine[1]).decode(),
        index=mine[0],
        size=len(hashes),
        path=tuple(one.hex() for one in inclusion_path(hashes, mine[0])),
        seal=one.content,
        signature=one.signature.hex(),
    )


def _under(conn: Connection, one: Seal, kind: str) -> Select[Any]:
    if kind == "transfer":
        within = transfer.c.posted_seq.between(one.first_posted_seq, one.last_posted_seq)
        return transfers_query(conn.dialect.name).where(within)
    before = conn.execute(select(seal.c.refused_until).where(seal.c.seq == one.seq - 1)).scalar_one_or_none()
    return refusals_query(conn.dialect.name).where(
        request.c.first_seen >= (before or NO_SEAL.refused_until), request.c.first_seen < one.refused_until
    )


def check_proof(text: str, keys: Mapping[str, Key], *, path: object = "proof", seal_hash: str = "") -> Proven:
    """Check a proof and return what it proves; raise ProofInvalid with what does not hold.

    ``keys`` are public keys by id. With ``seal_hash``, the published hash of the seal in hex, none is asked.
    """
    try:
        proof = Proof(**json.loads(text))
        sealed, said = json.loads(proof.seal), json.loads(proof.leaf)
        kind, *values = said
        root = path_root(
            leaf_hash(proof.leaf.encode()), proof.index, proof.size, map(bytes.fromhex, proof.path)
        )
        hash32 = hashlib.sha256(proof.seal.encode()).hexdigest()
        wrong = _wrong(proof, sealed, kind, root, hash32, keys, seal_hash)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ProofInvalid(path=path, reason=f"it is not a proof ({error})") from None
    if wrong:
        raise ProofInvalid(path=path, reason=wrong)
    return Proven(
        kind=kind,
        says=dict(zip(_FIELDS[kind], values, strict=True)),
        seal=sealed["seq"],
        seal_hash=hash32,
        sealed_at=sealed["sealed_at"],
        key_id=sealed["key_id"],
    )


def _wrong(
    proof: Proof,
    sealed: Mapping[str, Any],
    kind: str,
    root: bytes,
    hash32: str,
    keys: Mapping[str, Key],
    seal_hash: str,
) -> str:
    """Say what of a proof does not hold; nothing when all does."""
    if proof.format != _FORMAT or kind not in _FIELDS:
        return f"its format is {proof.format!r}, of a {kind!r}"
    if proof.size != sealed[f"{kind}s"] or root.hex() != sealed[f"{kind}s_root"]:
        return f"its leaf is not among the {kind}s of seal {sealed['seq']}"
    if seal_hash:
        return "" if seal_hash.lower() == hash32 else f"seal {sealed['seq']} has another hash: {hash32}"
    key = keys.get(sealed["key_id"])
    if key is None:
        return f"seal {sealed['seq']} is signed with key {sealed['key_id']}, which is not among those given"
    if not key.signed(proof.seal.encode(), bytes.fromhex(proof.signature)):
        return f"the signature of seal {sealed['seq']} does not fit"
    return ""
