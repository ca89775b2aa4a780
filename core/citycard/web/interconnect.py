"""Other cities: the page of who takes part and who owes whom, and the endpoints that exchange their files."""

from __future__ import annotations

from datetime import date
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from citycard.city.othercities import CityView, listed_cities
from citycard.errors import PageNotFound
from citycard.exchange.filebook import NEWEST, BookedFile, MissingFile, booked_files, file_page, missing_files
from citycard.exchange.positions import CityStatement, Position, city_statement, positions
from citycard.exchange.receiving import receive
from citycard.exchange.reports import FileAccount, exchange_status
from citycard.exchange.sending import send
from citycard.exchange.settling import Settlement, settle
from citycard.store import reading
from citycard.web.bankapi import actor_name
from citycard.web.bodies import read_bytes, read_json
from citycard.web.context import city_of
from citycard.web.endpoints import Endpoint, endpoint, json_answer, read_query
from citycard.web.rendering import language_of, render
from citycard.web.words import file_state

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["ENDPOINTS"]

_READ, _KEEP = "city.read-interconnect", "city.keep-interconnect"
_LARGEST_BYTES = 256 * 2**20
_ROWS_MOST = 100
_MEDIA = "application/jsonl"


@attrs.frozen(kw_only=True)
class InterconnectView:
    """The cities on the list, positions by window, files, what is missing, and where records ended.

    ``files`` are a page, newest first, and ``accounts`` of the files of records on it; the next page is
    ``before`` the ``seq`` of its last one.
    """

    cities: tuple[CityView, ...]
    positions: tuple[Position, ...]
    files: tuple[BookedFile, ...]
    missing: tuple[MissingFile, ...]
    accounts: tuple[FileAccount, ...]


@attrs.frozen(kw_only=True)
class FilesQuery:
    """Which files: the newest ``limit`` of those booked before the one whose ``seq`` is ``before``."""

    before: int = attrs.field(default=NEWEST, metadata={"expected": "a file's seq", "range": (0, NEWEST)})
    limit: int = attrs.field(default=100, metadata={"expected": "1 to 1000", "range": (1, 1000)})


@attrs.frozen(kw_only=True)
class FileQuery:
    """What the file is called, for the book."""

    name: str = attrs.field(
        default="file.ccx", metadata={"expected": "1 to 200 characters", "range": (1, 200)}
    )


@attrs.frozen(kw_only=True)
class ExchangedFile:
    """Where a file that was handed in ended."""

    file: BookedFile


@attrs.frozen(kw_only=True)
class MadeFiles:
    """The files that were due, and are made now."""

    files: tuple[BookedFile, ...]


@attrs.frozen(kw_only=True)
class SettleWish:
    """What to settle: every window up to a day that is over, with one city by its code, or with all."""

    through: date
    city: str = ""


@attrs.frozen(kw_only=True)
class SettlementList:
    """What was settled now."""

    settlements: tuple[Settlement, ...]


async def page(request: Request) -> Response:
    say = language_of(request)
    query: FilesQuery = read_query(request, FilesQuery)
    city = city_of(request)
    cities, owed = await run_in_threadpool(lambda: (listed_cities(city), positions(city)))
    files, missing = await run_in_threadpool(_files, city, query)
    return render(
        request,
        "interconnect.html",
        cities=cities,
        positions=[one for one in owed[::-1] if one.net_fen][:_ROWS_MOST],
        own=city.code,
        files=[(file, file_state(file.state.value, say)) for file in files[: query.limit]],
        older=files[query.limit - 1].seq if len(files) > query.limit else None,
        limit=query.limit,
        missing=missing,
    )


def _files(city: City, query: FilesQuery) -> tuple[list[BookedFile], tuple[MissingFile, ...]]:
    """Read a page of files and one more, which says that it is not the last."""
    with reading(city.engine) as conn:
        return file_page(conn, before=query.before, limit=query.limit + 1), missing_files(conn)


async def overview(request: Request) -> Response:
    query: FilesQuery = read_query(request, FilesQuery)
    return json_answer(await run_in_threadpool(_view, city_of(request), query))


def _view(city: City, query: FilesQuery) -> InterconnectView:
    status = exchange_status(city, before=query.before, limit=query.limit)
    return InterconnectView(
        cities=tuple(listed_cities(city)),
        positions=tuple(positions(city)),
        files=status.files,
        missing=status.missing,
        accounts=status.accounts,
    )


async def statement(request: Request) -> Response:
    return json_answer(await run_in_threadpool(city_statement, city_of(request), request.path_params["code"]))


async def take_file(request: Request) -> Response:
    query: FileQuery = read_query(request, FileQuery)
    data = await read_bytes(request, limit=_LARGEST_BYTES)
    (ended,) = await run_in_threadpool(receive, city_of(request), [(query.name, data)])
    return json_answer(ExchangedFile(file=ended))


async def make_files(request: Request) -> Response:
    return json_answer(MadeFiles(files=tuple(await run_in_threadpool(send, city_of(request)))))


async def give_file(request: Request) -> Response:
    data = await run_in_threadpool(_sent_bytes, request)
    return Response(data, media_type=_MEDIA)


def _sent_bytes(request: Request) -> bytes:
    """Read a file that was sent: only what the book names is ever opened."""
    city, name = city_of(request), request.path_params["name"]
    with reading(city.engine) as conn:
        paths = {PurePosixPath(file.path).name: file.path for file in booked_files(conn, way="out")}
    if name not in paths:
        raise PageNotFound(thing="file", name=name[:100])
    return (city.folder / paths[name]).read_bytes()


async def settle_windows(request: Request) -> Response:
    wish = await read_json(request, SettleWish)
    actor = actor_name(request)
    done = await run_in_threadpool(
        lambda: settle(city_of(request), wish.through, city=wish.city, actor=actor)
    )
    return json_answer(SettlementList(settlements=tuple(done)))


ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(
        "/interconnect",
        page,
        permission=_READ,
        page=True,
        query=FilesQuery,
        summary="Other cities: who takes part, who owes whom, and the files between.",
    ),
    endpoint(
        "/api/interconnect",
        overview,
        permission=_READ,
        query=FilesQuery,
        response=InterconnectView,
        summary="Other cities, positions by window, and a page of the files and records exchanged.",
    ),
    endpoint(
        "/api/interconnect/cities/{code}",
        statement,
        permission=_READ,
        response=CityStatement,
        summary="What is between this city and another one, window by window.",
    ),
    endpoint(
        "/api/interconnect/files",
        take_file,
        permission=_KEEP,
        methods=("POST",),
        query=FileQuery,
        media=_MEDIA,
        response=ExchangedFile,
        summary="Take in a file of another city: the body is the file as it is. Again without harm.",
    ),
    endpoint(
        "/api/interconnect/files/{name}",
        give_file,
        permission=_READ,
        summary="A file for another city, as it was signed.",
    ),
    endpoint(
        "/api/interconnect/send",
        make_files,
        permission=_KEEP,
        methods=("POST",),
        response=MadeFiles,
        summary="Make the files that are due to other cities. Again without harm.",
    ),
    endpoint(
        "/api/interconnect/settle",
        settle_windows,
        permission=_KEEP,
        methods=("POST",),
        request=SettleWish,
        response=SettlementList,
        summary="Net and settle what is between this city and others, up to a day that is over.",
    ),
)
