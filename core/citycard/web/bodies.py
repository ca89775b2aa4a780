"""The bodies of requests: never larger than they may be, and JSON as the record that an endpoint expects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from starlette.requests import Request

from citycard.errors import BodyInvalid, BodyKindRefused, BodyTooLarge, Phrase, SettingsInvalid
from citycard.kernel.settings import structure

__all__ = ["LIMIT_BYTES", "read_bytes", "read_json"]

LIMIT_BYTES = 64 * 1024
_JSON = "application/json"
_NO_OBJECT = "expected a JSON object in UTF-8"

Record = TypeVar("Record")


async def read_bytes(request: Request, *, limit: int = LIMIT_BYTES) -> bytes:
    """Read a body of at most ``limit`` bytes, as often as it is asked for; raise BodyTooLarge."""
    if not hasattr(request, "_body"):
        pieces, size = [], 0
        async for piece in request.stream():
            size += len(piece)
            if size > limit:
                raise BodyTooLarge(limit=limit)
            pieces.append(piece)
        # Who looks at the body next finds it where Starlette keeps it.
        request._body = b"".join(pieces)  # noqa: SLF001
    return await request.body()


async def read_json(request: Request, kind: type[Record], *, limit: int = LIMIT_BYTES) -> Record:
    """Read a JSON object into a frozen attrs class; the endpoint declares it as ``request=kind``.

    Days, moments and ids are text in ISO 8601. Raise BodyInvalid (422), which names each field that is
    missing, unknown or of another type with what was expected, BodyKindRefused (415) for what is not sent as
    ``application/json``, and BodyTooLarge (413) beyond ``limit`` bytes.
    """
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent != _JSON:
        how = Phrase("as {sent}", sent=sent[:40]) if sent else "without its kind"
        raise BodyKindRefused(how=how, expected=_JSON)
    content = _parsed(await read_bytes(request, limit=limit))
    try:
        return structure(kind, content, where="body", texts=True)
    except SettingsInvalid as wrong:
        raise BodyInvalid(problems=wrong.data["problems"]) from None


def _parsed(body: bytes) -> Mapping[str, Any]:
    try:
        content = json.loads(body.decode(), object_pairs_hook=_object, parse_constant=_no_number)
    except (ValueError, RecursionError) as wrong:
        raise _unreadable(str(wrong) if isinstance(wrong, _RefusedError) else _NO_OBJECT) from None
    if not isinstance(content, Mapping):
        raise _unreadable(_NO_OBJECT)
    return content


def _unreadable(problem: str) -> BodyInvalid:
    return BodyInvalid(problems=Phrase("{path}: {problem}", path="body", problem=problem))


class _RefusedError(ValueError):
    """JSON that different readers would understand differently."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise _RefusedError("expected every field once")
    return content


def _no_number(_: str) -> None:
    raise _RefusedError("expected numbers that JSON has")
