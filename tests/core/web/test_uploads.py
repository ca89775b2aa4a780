"""A file is handed in over a connection that breaks: it goes on where it was, and is taken in once."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import socket
import threading
import time
from datetime import timedelta

import attrs
import httpx2 as httpx
import pytest
import uvicorn
from sqlalchemy import select, update

from citycard import registry
from citycard.card.codec import encode
from citycard.clearing.converting import convert
from citycard.clearing.cover import sign_cover
from citycard.clearing.senders import close_sender, open_sender
from citycard.clearing.senttables import upload
from citycard.clearing.uploads import MOST_UNFINISHED, append, begin, look_after_uploads
from citycard.errors import UploadsTooMany, UploadUntraceable
from citycard.keys.protocol import draw_signer, public_pem
from citycard.store import writing
from citycard.terminal import RecordKind, SoftSam, TransactionRecord, write_batch
from citycard.web import create_app
from citycard.web.permissions import Role
from citycard.web.tokens import grant

TERMINAL = "344000000777"
KEY = draw_signer()
DAY = dt.date(2026, 11, 1)


@pytest.fixture
def city(empty_city):
    with writing(empty_city.engine) as conn:
        registry.add_partners(
            conn, [registry.Partner(id="ferry", name="Ferry"), registry.Partner(id="bus", name="Bus")]
        )
        registry.add_terminals(conn, [registry.Terminal(number=TERMINAL, partner="ferry", opened_on=DAY)])
    open_sender(empty_city, "ferry-office", "ferry", public_pem(KEY).encode())
    return empty_city


@pytest.fixture
def served(city):
    """A real server on a port of its own; gives its address and what makes a request a partner's."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(city), log_level="critical"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    with writing(city.engine) as conn:
        tokens = {
            name: grant(conn, role=Role.PARTNER, days=1, at=city.clock.now(), subject=name)[1]
            for name in ("ferry", "bus")
        }
    yield Served(listening.getsockname()[1], tokens)
    server.should_exit = True
    thread.join()


@attrs.frozen
class Served:
    port: int
    tokens: dict[str, str]

    def client(self, partner="ferry"):
        headers = {"authorization": f"Bearer {self.tokens[partner]}"}
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers=headers)

    def patch_and_cut(self, path, offset, data, length):
        """Promise ``length`` bytes, send some, and hang up."""
        self.opened(path, offset, data, length).close()

    def opened(self, path, offset, data, length):
        """Promise ``length`` bytes, and send some."""
        head = (
            f"PATCH {path} HTTP/1.1\r\nHost: city\r\nAuthorization: Bearer {self.tokens['ferry']}\r\n"
            f"Upload-Offset: {offset}\r\nContent-Type: application/partial-upload\r\n"
            f"Content-Length: {length}\r\n\r\n"
        )
        wire = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        wire.sendall(head.encode() + data)
        return wire


def day(city, records=2000, number=1):
    record = TransactionRecord(
        kind=RecordKind.SINGLE,
        tti=6,
        service=1,
        issuer="0101344000FFFFFF",
        asn="31044400000000000001",
        card_kind=1,
        key_version=1,
        algorithm=0,
        counter=1,
        balance_before_fen=500,
        amount_fen=200,
        balance_after_fen=300,
        terminal=TERMINAL,
        terminal_serial=1,
        tac=bytes(4),
        config=1,
        blacklist=0,
        at=dt.datetime.combine(DAY, dt.time(7)),
    )
    sam = SoftSam(TERMINAL, city.vault.sam_keys(), city.vault.terminal_key(bytes.fromhex(TERMINAL)))
    made = dt.datetime.combine(DAY, dt.time(12))
    data = write_batch(TERMINAL, number, 1, [encode(record)] * records, sam, made, DAY)
    return convert(
        [("a.ccb", data)], kind="ccb", sender="ferry-office", number=number, file="day.ccb", key_pem=KEY
    )


def begun(client, cover):
    return client.post("/api/uploads", json=attrs.asdict(cover))


def patch(client, path, offset, data, **headers):
    sent = {"upload-offset": str(offset), "content-type": "application/partial-upload"} | headers
    return client.patch(path, content=data, headers=sent)


def offset_of(client, path, wanted=None):
    """Ask how far an upload is, until it is as far as it must come."""
    for _ in range(200):
        answer = client.head(path)
        offset = int(answer.headers["upload-offset"])
        if wanted is None or offset >= wanted:
            break
        time.sleep(0.02)
    return offset


def test_a_file_that_breaks_off_again_and_again_goes_on_where_it_was_and_is_taken_in_once(served, city):
    cover, data = day(city)
    with served.client() as client:
        path = begun(client, cover).headers["location"]
        offset = 0
        for cut in (1, 65_535, 100_000, len(data) - offset - 166_000):
            served.patch_and_cut(path, offset, data[offset : offset + cut], len(data) - offset)
            offset = offset_of(client, path, offset + cut)
        assert 0 < offset < len(data)
        assert client.head(path).headers["upload-complete"] == "?0"
        last = patch(client, path, offset, data[offset:])
        assert (last.status_code, last.headers["upload-complete"]) == (200, "?1")
        answer = last.json()["answer"]
        assert (answer["file"]["state"], answer["file"]["records"], answer["quarantined"]) == (
            "accepted",
            2000,
            [],
        )
        for again in (begun(client, cover), client.get(path), patch(client, path, len(data), b"")):
            assert again.json() == last.json()
    assert list((city.folder / "uploads").glob("*.part")) == []


def test_whoever_begins_again_with_the_same_cover_goes_on(served, city):
    cover, data = day(city, 10)
    with served.client() as client:
        path = begun(client, cover).headers["location"]
        assert patch(client, path, 0, data[:500]).headers["upload-offset"] == "500"
        again = begun(client, cover)
        assert (again.headers["location"], again.headers["upload-offset"]) == (path, "500")
        wrong = patch(client, path, 400, data[400:])
        assert (wrong.status_code, wrong.json()["type"]) == (409, "/api#upload-conflict")
        assert "at offset 500, not 400" in wrong.json()["detail"]
        assert patch(client, path, 500, data[500:]).json()["complete"]


def test_a_header_that_is_missing_is_asked_for_as_it_has_to_be(served, city):
    cover, data = day(city, 10)
    with served.client() as client:
        path = begun(client, cover).headers["location"]
        patch(client, path, 0, data[:500])
        for sent, wrong in (({}, "is missing"), ({"upload-offset": "-1"}, "is '-1'")):
            answer = client.patch(path, content=data[500:], headers=sent)
            problem = answer.json()
            assert (answer.status_code, problem["type"]) == (422, "/api#header-invalid")
            assert problem["title"] == "Something that was sent cannot be read"
            assert problem["detail"] == (
                f"the header Upload-Offset {wrong}:"
                " send the header Upload-Offset: 500 (the bytes that are there)"
            )


def test_bytes_that_are_not_those_of_the_cover_are_thrown_away(served, city):
    cover, data = day(city, 10)
    spoilt = bytes([data[0] ^ 1]) + data[1:]
    with served.client() as client:
        path = begun(client, cover).headers["location"]
        digest = base64.b64encode(hashlib.sha256(spoilt).digest()).decode()
        early = patch(client, path, 0, spoilt, **{"repr-digest": f"sha-256=:{digest}:"})
        assert (early.status_code, early.json()["type"]) == (422, "/api#upload-broken")
        late = patch(client, path, 0, spoilt)
        assert (late.status_code, late.json()["type"]) == (422, "/api#upload-broken")
        assert offset_of(client, path) == 0
        assert patch(client, path, 0, data).json()["answer"]["file"]["state"] == "accepted"


def test_more_bytes_than_the_cover_says_are_refused(served, city):
    cover, data = day(city, 10)
    with served.client() as client:
        path = begun(client, cover).headers["location"]
        answer = patch(client, path, 0, data + b"x")
        assert (answer.status_code, answer.json()["type"]) == (413, "/api#body-too-large")
        huge = begun(client, attrs.evolve(cover, size=256 * 1024 * 1024)).status_code
        assert huge == 201
        content = attrs.asdict(cover) | {"size": 256 * 1024 * 1024 + 1}
        assert client.post("/api/uploads", json=content).status_code == 422


def test_a_quarantined_file_says_why(served, city):
    cover, data = day(city, 10)
    unsigned = sign_cover(attrs.evolve(cover, records=9), KEY)
    with served.client() as client:
        path = begun(client, unsigned).headers["location"]
        file = patch(client, path, 0, data).json()["answer"]["file"]
        assert (file["state"], file["code"]) == ("quarantined", "F06")


def test_nobody_hands_in_for_or_looks_at_another_partner(served, city):
    cover, data = day(city, 10)
    with served.client() as client, served.client("bus") as other:
        path = begun(client, cover).headers["location"]
        assert begun(other, cover).status_code == 403
        assert other.get(path).status_code == 404
        assert patch(other, path, 0, data).status_code == 404
        assert httpx.get(f"http://127.0.0.1:{served.port}{path}").status_code == 401


def test_an_upload_that_is_left_off_is_forgotten_after_three_days(served, city):
    cover, data = day(city, 10)
    with served.client() as client:
        path = begun(client, cover).headers["location"]
        patch(client, path, 0, data[:100])
        assert look_after_uploads(city) == 0
        before = city.clock
        city.clock = type(before)(before.now() + timedelta(days=3, seconds=1))
        assert look_after_uploads(city) == 1
        city.clock = before
        assert client.get(path).status_code == 404
    assert list((city.folder / "uploads").glob("*.part")) == []


def left_whole(city, cover, data):
    """Leave an upload as whoever was killed between its last byte and its end."""
    found = begin(city, cover)
    with append(city, found, 0) as piece:
        piece.write(data)
    return f"/api/uploads/{found.id}"


def test_a_whole_upload_whose_end_was_interrupted_is_finished_when_it_is_asked_for_again(served, city):
    cover, data = day(city, 10)
    path = left_whole(city, cover, data)
    with served.client() as client:
        asked = client.head(path)
        assert (asked.headers["upload-offset"], asked.headers["upload-complete"]) == (str(len(data)), "?0")
        assert patch(client, path, len(data), b"").json()["answer"]["file"]["state"] == "accepted"


def test_a_whole_upload_never_expires_but_is_finished(served, city):
    cover, data = day(city, 10)
    path = left_whole(city, cover, data)
    before = city.clock
    city.clock = type(before)(before.now() + timedelta(days=4))
    assert look_after_uploads(city) == 0
    city.clock = before
    with served.client() as client:
        assert client.get(path).json()["answer"]["file"]["state"] == "accepted"


def test_an_upload_that_cannot_be_read_stops_no_other(city, caplog):
    (odd, _), (cover, data) = day(city, 10), day(city, 20)
    name = begin(city, attrs.evolve(odd, number=2)).id
    (city.folder / "uploads" / f"{name}.part").mkdir(parents=True)
    left_whole(city, cover, data)
    assert look_after_uploads(city) == 0
    (line,) = caplog.messages
    assert line.startswith(f"upload {name}: ")
    assert "Is a directory" in line
    taken = begin(city, cover).answer
    assert taken is not None
    assert taken.file.state == "accepted"


def test_an_upload_to_be_judged_again_of_which_the_store_knows_nothing_says_so(city):
    cover, data = day(city, 10)
    spoilt = sign_cover(attrs.evolve(cover, records=9), KEY)
    left_whole(city, spoilt, data)
    look_after_uploads(city)
    lost = attrs.evolve(spoilt, number=2)
    other = begin(city, lost).id
    with writing(city.engine) as conn:
        told = conn.scalars(select(upload.c.answer).where(upload.c.id != other)).one()
        conn.execute(update(upload).where(upload.c.id == other).values(answer=told))
    with pytest.raises(
        UploadUntraceable, match=r"file 2 of sender ferry-office .* restore the store"
    ) as gone:
        begin(city, lost)
    assert gone.value.status == 500


def test_a_quarantined_upload_is_judged_again_when_it_is_handed_in_again(served, city):
    cover, data = day(city, 10)
    close_sender(city, "ferry-office")
    with writing(city.engine) as conn:
        registry.set_terminal_status(conn, TERMINAL, registry.TerminalStatus("revoked"))
    with served.client() as client:
        path = begun(client, cover).headers["location"]
        assert patch(client, path, 0, data).json()["answer"]["file"]["code"] == "F01"
        open_sender(city, "ferry-office", "ferry", public_pem(KEY).encode())
        answer = begun(client, cover).json()["answer"]
        assert (answer["file"]["state"], [one["code"] for one in answer["quarantined"]]) == (
            "accepted",
            ["F01"],
        )
        with writing(city.engine) as conn:
            registry.set_terminal_status(conn, TERMINAL, registry.TerminalStatus("active"))
        answer = begun(client, cover).json()["answer"]
        assert (answer["file"]["state"], answer["quarantined"]) == ("accepted", [])
        assert client.get(path).json()["answer"] == answer


def test_whoever_sends_nothing_does_not_hold_an_upload_for_ever(served, city, monkeypatch):
    monkeypatch.setattr("citycard.web.uploads.PATIENCE_S", 0.5)
    cover, data = day(city, 10)
    with served.client() as client:
        path = begun(client, cover).headers["location"]
        with served.opened(path, 0, data[:500], len(data)) as wire:
            assert wire.recv(4096).startswith(b"HTTP/1.1 408")
            assert offset_of(client, path) == 500
            assert patch(client, path, 500, data[500:]).json()["complete"]


def test_a_sender_has_so_many_unfinished_uploads_at_most(served, city):
    cover, data = day(city, 10)
    covers = [sign_cover(attrs.evolve(cover, number=number), KEY) for number in range(1, MOST_UNFINISHED + 2)]
    for one in covers[:-1]:
        begin(city, one)
    with pytest.raises(UploadsTooMany, match="more than 100 unfinished"):
        begin(city, covers[-1])
    with served.client() as client:
        path = begun(client, covers[0]).headers["location"]
        assert begun(client, covers[-1]).status_code == 429
        assert patch(client, path, 0, data).json()["complete"]
        assert begun(client, covers[-1]).status_code == 201
