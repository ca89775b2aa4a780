"""Late files wait on a page: the city's people see them, and operators let them through."""

from __future__ import annotations

from datetime import timedelta

import pytest
from lxml import html
from starlette.testclient import TestClient

from citycard.city import City
from citycard.clearing.late import late_files
from citycard.clearing.run import clear
from citycard.clock import FixedClock
from citycard.store import writing
from citycard.web import create_app
from citycard.web.permissions import Role
from citycard.web.tokens import grant


@pytest.fixture
def late_city(empty_city, played):
    """A city that waits seven days for files, and got those of a morning ten days later."""
    settings = empty_city.folder / "city.toml"
    settings.write_text(settings.read_text().replace("fee_bp = 100", "fee_bp = 100\nlate_days = 7"))
    city = City.open(empty_city.folder, clock=FixedClock(empty_city.clock.now() + timedelta(days=10)))
    played(city)
    yield city
    city.close()


@pytest.fixture
def signed_in(late_city):
    app, clients = create_app(late_city), []

    def enter(role, subject=""):
        with writing(late_city.engine) as conn:
            secret = grant(conn, role=role, days=1, at=late_city.clock.now(), subject=subject)[1]
        client = TestClient(app, base_url="https://testserver", follow_redirects=False)
        clients.append(client)
        client.__enter__()
        client.get(f"/sign-in?token={secret}")
        return client

    yield enter
    for client in clients:
        client.__exit__(None, None, None)


def page(client, path, lang="en"):
    answer = client.get(path, headers={"accept": "text/html", "accept-language": lang})
    assert (path, answer.status_code) == (path, 200)
    return html.fromstring(answer.text)


def words(found):
    return " ".join(found.xpath("//main")[0].text_content().split())


def test_an_operator_lets_a_late_file_through_and_the_next_run_clears_it(signed_in, late_city):
    client = signed_in(Role.OPERATOR)
    assert page(client, "/disputes").xpath("//a[@href='/late-files']/text()") == ["2 late files wait"]
    first, _ = late_files(late_city)
    shown = page(client, "/late-files")
    (form,) = shown.xpath(f"//form[@action='/late-files/{first.digest}/release']")
    assert "990100000001.ccb" in words(shown)
    fields = dict(form.form_values())
    assert client.post(form.action, data=fields | {"reason": " "}).status_code == 422
    sent = client.post(form.action, data=fields | {"reason": "the boat was in repair"})
    assert (sent.status_code, sent.headers["location"]) == (303, "/late-files")
    assert [one.terminal for one in late_files(late_city)] == ["990100000002"]
    assert client.post(form.action, data=fields | {"reason": "again"}).status_code == 404
    assert clear(late_city).records == first.records


def test_a_clerk_sees_what_waits_and_lets_nothing_through(signed_in, late_city):
    client = signed_in(Role.CLERK)
    assert page(client, "/late-files").xpath("//form[contains(@action, '/release')]") == []
    assert "迟到文件" in words(page(client, "/late-files", "zh"))
    digest = late_files(late_city)[0].digest
    assert client.post(f"/late-files/{digest}/release", data={"reason": "x"}).status_code == 403


def test_a_partner_sees_no_file_of_others(signed_in):
    client = signed_in(Role.PARTNER, "harbour-ferry")
    assert client.get("/late-files", headers={"accept": "text/html"}).status_code == 403
    assert client.get("/api/late-files").status_code == 403
    assert "late file" not in words(page(client, "/disputes"))


def test_programs_do_the_same(signed_in, late_city):
    with writing(late_city.engine) as conn:
        secret = grant(conn, role=Role.OPERATOR, days=1, at=late_city.clock.now())[1]
    client, bearer = signed_in(Role.PUBLIC, ""), {"authorization": f"Bearer {secret}"}
    files = client.get("/api/late-files", headers=bearer).json()["files"]
    assert [one["terminal"] for one in files] == ["990100000001", "990100000002"]
    at = f"/api/late-files/{files[0]['digest']}/release"
    assert client.post(at, json={"reason": ""}, headers=bearer).status_code == 422
    left = client.post(at, json={"reason": "agreed"}, headers=bearer).json()["files"]
    assert [one["terminal"] for one in left] == ["990100000002"]


def test_a_file_with_something_else_wrong_says_what(signed_in, late_city):
    client = signed_in(Role.OPERATOR)
    digest = late_files(late_city)[0].digest
    (form,) = page(client, "/late-files").xpath(f"//form[@action='/late-files/{digest}/release']")
    with writing(late_city.engine) as conn:
        conn.exec_driver_sql("DELETE FROM terminal WHERE number = '990100000001'")
    answer = client.post(form.action, data=dict(form.form_values()) | {"reason": "agreed"})
    assert (answer.status_code, "quarantined all the same" in answer.text) == (409, True)
