from __future__ import annotations

import logging

import pytest

from citycard.errors import CitycardError, PageNotFound, PluginStarting
from citycard.web.permissions import Role
from citycard.web.problems import MEDIA_TYPE, kinds, slug

PROBLEM = {"type", "title", "status", "detail"}


def test_an_error_is_named_as_addresses_are():
    assert [slug(PageNotFound), slug(CitycardError)] == ["page-not-found", "citycard-error"]


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/nowhere", 404, "there is no page at /nowhere"),
        ("GET", "/api/nowhere", 404, "/api/nowhere"),
        ("DELETE", "/api/day", 405, "use GET"),
        ("PUT", "/sign-in", 405, "POST"),
        ("POST", "/park", 405, "use GET"),
        (
            "GET",
            "/api/day?day=tomorrow",
            422,
            "day 'tomorrow' is not valid: expected a day such as 2018-09-01",
        ),
        ("GET", "/api/cards/123", 401, "city.read-cards"),
        ("GET", "/park/shut", 409, "gate north is shut"),
        ("GET", "/static/nothing.css", 404, "/static/nothing.css"),
    ],
)
def test_every_error_is_a_problem_document(client, method, path, status, words):
    answer = client.request(method, path)
    problem = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (status, MEDIA_TYPE)
    assert set(problem) == PROBLEM
    assert (problem["status"], words in problem["detail"]) == (status, True)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/cards/00000000000000000000", 404),
        ("/api/cards/12345", 404),
        ("/api/cards/②②②②②②②②②②②②②②②②②②②②", 404),
        ("/api/partners/nobody/statement", 404),
        ("/api/cards/03109901000000000001/records/990100000001-1-99", 404),
        ("/api/cards/03109901000000000001/records/nonsense", 404),
        ("/cards?q=abc", 422),
        ("/cards?q=" + "1" * 21, 422),
        ("/?day=2018-13-01", 422),
    ],
)
def test_what_is_not_there_or_cannot_be_read_says_so(client, operator, path, status):
    answer = client.get(path, headers=operator)
    assert (answer.status_code, answer.headers["content-type"]) == (status, MEDIA_TYPE)


def test_a_type_leads_to_its_description(client, operator):
    problem = client.get("/api/cards/00000000000000000000", headers=operator).json()
    page = client.get("/api").text
    assert problem["type"].startswith("/api#")
    assert f'id="{problem["type"].removeprefix("/api#")}"' in page
    assert len({name for name, _, _ in kinds()}) == len(kinds()) > 10


def test_a_person_gets_a_friendly_page_in_their_language(browser):
    answer = browser.get("/nowhere", headers={"accept-language": "zh"})
    assert (answer.status_code, answer.headers["content-language"]) == (404, "zh")
    assert "这里什么也没有" in answer.text


CHINESE = {"accept-language": "zh-CN,zh;q=0.9"}


@pytest.mark.parametrize(
    ("role", "path", "status", "title", "words"),
    [
        (Role.PUBLIC, "/api/cards/123", 401, "请先登录", "此操作需要权限 city.read-cards：请先登录"),
        (Role.PUBLIC, "/api/nowhere", 404, "这里什么也没有", "/api/nowhere 处没有页面"),
        (Role.CITIZEN, "/api/partners", 403, "您无权查看", "在这里没有权限 city.read-partners"),
        (Role.PARTNER, "/api/partners/park-gates/statement", 403, "您无权查看", "city.read-statements"),
        (Role.CLERK, "/cards?q=abc", 422, "提交的内容中有无法识别的部分", "q 'abc' 无效，应为："),
    ],
)
def test_a_problem_document_is_told_in_the_readers_language(client, bearer, role, path, status, title, words):
    answer = client.get(path, headers=CHINESE | bearer.get(role, {}))
    problem = answer.json()
    assert (answer.status_code, answer.headers["content-language"]) == (status, "zh")
    assert (set(problem), problem["title"], words in problem["detail"]) == (PROBLEM, title, True)


@pytest.mark.parametrize(
    ("role", "path", "words"),
    [
        (Role.CITIZEN, "/partners", "在这里没有权限 city.read-partners"),
        (Role.CLERK, "/cards?q=abc", "q &#39;abc&#39; 无效，应为："),
        (Role.OPERATOR, "/partners/nobody", "没有登记"),
    ],
)
def test_an_error_page_is_told_in_the_readers_language(browser, bearer, role, path, words):
    page = browser.get(path, headers=CHINESE | bearer[role])
    assert (page.headers["content-type"], page.headers["content-language"]) == (
        "text/html; charset=utf-8",
        "zh",
    )
    assert words in page.text


def test_what_a_program_reads_of_a_problem_is_the_same_in_every_language(client, bearer):
    english, chinese = (
        client.get("/api/partners/nobody/statement", headers=bearer[Role.OPERATOR] | language).json()
        for language in ({}, CHINESE)
    )
    assert english["detail"] == "partner 'nobody' is not registered: add it first with citycard partner add"
    assert chinese["detail"] != english["detail"]
    assert (chinese["type"], chinese["status"]) == (english["type"], english["status"])


def test_an_incident_is_told_in_the_readers_language(client):
    problem = client.get("/park/broken", headers=CHINESE).json()
    assert (problem["title"], problem["incident"] in problem["detail"]) == ("我们这边出了问题", True)
    assert "服务器无法应答" in problem["detail"]


def test_a_problem_of_a_plugin_without_words_for_it_is_told_in_english_under_a_chinese_title(client):
    answer = client.get("/park/shut", headers={"accept-language": "zh"})
    assert (answer.status_code, answer.headers["content-language"]) == (409, "zh")
    assert (answer.json()["title"], answer.json()["detail"]) == (
        "与现有内容冲突",
        "gate north is shut: try the next one",
    )


def test_a_program_is_never_given_a_page(browser):
    assert browser.get("/api/nowhere").headers["content-type"] == MEDIA_TYPE


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_an_unexpected_error_tells_an_incident_and_logs_it(client, caplog, accept):
    caplog.set_level(logging.ERROR, logger="citycard.web")
    answer = client.get("/park/wrong", headers={"accept": accept})
    logged = [record for record in caplog.records if record.name == "citycard.web"]
    incident = logged[-1].getMessage().split()[1].rstrip(":")
    assert (answer.status_code, incident in answer.text, "Traceback" in answer.text) == (500, True, False)
    assert logged[-1].exc_info


def test_what_broke_is_not_told_to_the_reader(client):
    answer = client.get("/park/broken")
    assert (answer.status_code, set(answer.json())) == (500, PROBLEM | {"incident"})
    assert "duck pond" not in answer.text


def test_a_crash_outside_any_endpoint_is_a_problem_with_all_headers(empty_city):
    from starlette.testclient import TestClient

    from citycard.web import create_app

    app = create_app(empty_city)
    with TestClient(app, raise_server_exceptions=False) as client:
        # The store goes away under the running server with its folder, so that the rounds, which open it at
        # any moment, make no empty one in its place; and then every connection that still has it.
        away = empty_city.folder.rename(empty_city.folder.with_name("away"))
        try:
            empty_city.engine.dispose()
            day, health = client.get("/api/day"), client.get("/api/health")
        finally:
            away.rename(empty_city.folder)
    assert (day.status_code, "incident" in day.json()) == (500, True)
    assert day.headers["x-content-type-options"] == "nosniff"
    assert (health.status_code, health.json()["well"]) == (503, False)


def test_what_is_being_started_says_when_to_come_again():
    assert (PluginStarting.status, slug(PluginStarting)) == (503, "plugin-starting")
