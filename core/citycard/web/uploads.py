"""Uploads of senders' files: begin with the cover, append from the offset, ask for the offset after a cut.

The headers are those of "Resumable Uploads for HTTP" (IETF draft) and of RFC 9530 for digests.
"""

from __future__ import annotations

import asyncio
import base64
import re
from http import HTTPStatus
from time import monotonic
from typing import Final
from uuid import UUID

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from citycard.clearing.cover import Cover, read_cover
from citycard.clearing.senders import find_sender
from citycard.clearing.uploads import Appending, Upload, UploadAnswer, append, begin, find_upload, finish
from citycard.errors import HeaderInvalid, Phrase, UploadBroken, UploadStalled, UploadUnknown
from citycard.web.bodies import read_json
from citycard.web.context import actor_of, city_of
from citycard.web.endpoints import Endpoint, endpoint, json_answer
from citycard.web.sessions import require

__all__ = ["ENDPOINTS"]

_PERMISSION = "city.hand-in-files"
_MEDIA = "application/partial-upload"
PATIENCE_S: Final = 30.0
LONGEST_S: Final = 900.0
_SHA256 = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")


@attrs.frozen(kw_only=True)
class UploadView:
    """How far an upload is, in bytes of ``size``, and what came of it once it is complete."""

    id: UUID
    offset: int
    size: int
    complete: bool
    answer: UploadAnswer | None


async def begin_upload(request: Request) -> Response:
    cover = read_cover(attrs.asdict(await read_json(request, Cover)))
    city, actor = city_of(request), actor_of(request)
    require(actor, _PERMISSION, (await run_in_threadpool(find_sender, city, cover.sender)).partner)
    found = await run_in_threadpool(begin, city, cover)
    # A file without bytes is whole at once.
    answer = _said(await run_in_threadpool(finish, city, found.id), status=201)
    answer.headers["location"] = f"/api/uploads/{found.id}"
    return answer


async def look(request: Request) -> Response:
    return _said(await _mine(request))


async def go_on(request: Request) -> Response:
    found, city = await _mine(request), city_of(request)
    offset = _offset(request, found)
    _check_digest(request, found)
    if found.complete and offset == found.offset:
        return _said(found)
    appending = append(city, found, offset)
    piece = await run_in_threadpool(appending.__enter__)
    try:
        await _read(request, piece)
    except ClientDisconnect:
        # Nobody hears this answer. Whoever comes back is told the offset.
        return Response(status_code=HTTPStatus.NO_CONTENT)
    finally:
        await run_in_threadpool(appending.__exit__, None, None, None)
    return _said(await run_in_threadpool(finish, city, found.id))


async def _read(request: Request, piece: Appending) -> None:
    """Write what comes; nobody may hold an upload for ever by sending nothing, or next to nothing."""
    pieces = request.stream()
    until = monotonic() + LONGEST_S
    while monotonic() < until:
        try:
            async with asyncio.timeout(PATIENCE_S):
                data = await anext(pieces)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise UploadStalled(
                reason=Phrase("nothing came for {patience_s:g} seconds", patience_s=PATIENCE_S)
            ) from None
        await run_in_threadpool(piece.write, data)
    raise UploadStalled(reason=Phrase("one request may send for {longest_s:g} seconds", longest_s=LONGEST_S))


async def _mine(request: Request) -> Upload:
    name = request.path_params["upload"]
    try:
        found = await run_in_threadpool(find_upload, city_of(request), UUID(name))
    except ValueError:
        raise UploadUnknown(upload=name[:40]) from None
    if not actor_of(request).may(_PERMISSION, found.partner):
        raise UploadUnknown(upload=name[:40])
    return found


def _offset(request: Request, found: Upload) -> int:
    text = request.headers.get("upload-offset", "")
    if not re.fullmatch(r"[0-9]{1,12}", text):
        wrong = Phrase("is {text!r}", text=text[:40]) if text else "is missing"
        told = {"value": found.offset, "meaning": "the bytes that are there"}
        raise HeaderInvalid(header="Upload-Offset", wrong=wrong, **told)
    return int(text)


def _check_digest(request: Request, found: Upload) -> None:
    """Refuse to go on with other bytes than those of the cover, where a client says so beforehand."""
    said = _SHA256.search(request.headers.get("repr-digest", ""))
    if said and base64.b64decode(said[1]).hex() != found.cover.sha256:
        raise UploadBroken(found=base64.b64decode(said[1]).hex(), expected=found.cover.sha256)


def _said(found: Upload, *, status: int = 200) -> Response:
    view = UploadView(
        id=found.id,
        offset=found.offset,
        size=found.cover.size,
        complete=found.complete,
        answer=found.answer,
    )
    answer = json_answer(view, status=status)
    answer.headers["upload-offset"] = str(found.offset)
    answer.headers["upload-length"] = str(found.cover.size)
    answer.headers["upload-complete"] = "?1" if found.complete else "?0"
    answer.headers["cache-control"] = "no-store"
    return answer


ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(
        "/api/uploads",
        begin_upload,
        permission=_PERMISSION,
        methods=("POST",),
        request=Cover,
        response=UploadView,
        summary="Begin to hand in a file by its cover, or find what the same cover began.",
    ),
    endpoint(
        "/api/uploads/{upload}",
        look,
        permission=_PERMISSION,
        response=UploadView,
        summary="Say how far an upload is, and what came of it.",
    ),
    endpoint(
        "/api/uploads/{upload}",
        go_on,
        permission=_PERMISSION,
        methods=("PATCH",),
        media=_MEDIA,
        response=UploadView,
        summary="Append bytes at Upload-Offset; with the last one the file is taken in.",
    ),
)
