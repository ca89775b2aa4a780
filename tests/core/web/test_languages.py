from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import HTTPConnection

from citycard.errors import CardRefused, Phrase, QueryInvalid
from citycard.web.languages import LANGUAGES, Language, chosen, language, read_catalogue

PO = """\
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

msgid "Day ticket"
msgstr "日票"

msgid "not done"
msgstr ""

msgctxt "order {order} is {state}: {reason}"
msgid "closed"
msgstr "已关闭"

#, fuzzy
msgid "unsure"
msgstr "不确定"

msgid "{number} visit"
msgid_plural "{number} visits"
msgstr[0] "{number} 次参观"
"""


def connection(query="", accept="", cookie=""):
    headers = [(b"accept-language", accept.encode("latin-1", "replace")), (b"cookie", cookie.encode())]
    return HTTPConnection({"type": "http", "query_string": query.encode(), "headers": headers})


@pytest.mark.parametrize(
    ("query", "cookie", "accept", "expected"),
    [
        ("", "", "", "en"),
        ("", "", "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("", "", "en;q=0.5, zh;q=0.6", "zh"),
        ("", "", "fr, de;q=0.7", "en"),
        ("", "", "zh;q=0", "en"),
        ("", "citycard_lang=zh", "en", "zh"),
        ("lang=en", "citycard_lang=zh", "zh", "en"),
        ("lang=xx", "citycard_lang=zh", "", "zh"),
    ],
)
def test_the_language_is_the_query_then_the_cookie_then_what_the_browser_wants(
    query, cookie, accept, expected
):
    assert chosen(connection(query, accept, cookie)) == expected


@given(st.text(), st.text(st.characters(codec="ascii")))
def test_no_header_makes_the_choice_fail(accept, query):
    assert chosen(connection(query, accept)) in LANGUAGES


def test_a_catalogue_gives_finished_translations_only(tmp_path):
    (tmp_path / "zoo.po").write_text(PO, encoding="utf-8")
    expected = {
        "Day ticket": "日票",
        "{number} visit": ("{number} 次参观",),
        "order {order} is {state}: {reason}\x04closed": "已关闭",
    }
    assert read_catalogue(tmp_path / "zoo.po") == expected


def test_a_plugins_folder_adds_its_words_and_the_core_keeps_its_own(tmp_path):
    folder = tmp_path / "zh" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "zoo.po").write_text(PO + '\nmsgid "Partners"\nmsgstr "动物"\n', encoding="utf-8")
    say = language("zh", (tmp_path,))
    assert (say("Day ticket"), say("Partners"), say("nobody knows this")) == (
        "日票",
        "合作方",
        "nobody knows this",
    )


def test_on_its_own_pages_a_plugins_words_come_first(tmp_path):
    folder = tmp_path / "zh" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "shop.po").write_text(PO + '\nmsgid "Product"\nmsgstr "商品"\n', encoding="utf-8")
    assert language("zh", (tmp_path,))("Product") == "卡种"
    assert language("zh", (tmp_path,), own=tmp_path)("Product") == "商品"


def test_a_heading_is_translated_as_it_is_written_or_by_its_words():
    say = Language(code="zh", messages={"due_on": "缴费期限", "paid": "已付", "changed at": "更改时间"})
    assert [say.heading(field) for field in ("due_on", "paid_fen", "changed_at", "given_up")] == [
        "缴费期限",
        "已付",
        "更改时间",
        "given up",
    ]


def test_a_note_is_said_and_the_number_that_it_is_about_stays():
    say = Language(
        code="zh", messages={"note\x04visit": "就诊", "visit": "访客", "note\x04retail-online": "线上消费"}
    )
    assert [say.noted(note) for note in ("visit 5", "retail-online", "visit by Li", "visit", "")] == [
        "就诊 5",
        "线上消费",
        "visit by Li",
        "就诊",
        "",
    ]


def test_numbers_choose_the_form_and_carry_marks():
    english = Language(code="en")
    said = [english.count("{number} tap", "{number} taps", number) for number in (0, 1, 37000)]
    assert said == ["0 taps", "1 tap", "37,000 taps"]


def test_a_language_without_plurals_uses_its_one_form():
    chinese = Language(code="zh", messages={"{number} tap": ("{number} 次",)})
    assert chinese.count("{number} tap", "{number} taps", 1200) == "1,200 次"


WORDS = {
    "{field} {text!r} is not valid: expected {expected}": "{field} {text!r} 无效，应为：{expected}",
    "a day": "日期",
    "at most {number} letters": "最多 {number} 个字母",
    "late by {minutes} minutes": "迟到 {hours} 小时",
    "card refused ({reason!s}): {explanation}": "拒绝受理此卡（{reason!s}）：{explanation}",
    "expired": "已过期",
}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (QueryInvalid(field="at", text="a day", expected="a day").phrase, "at 'a day' 无效，应为：日期"),
        (
            QueryInvalid(field="at", text="x", expected=Phrase("at most {number} letters", number=3)).phrase,
            "at 'x' 无效，应为：最多 3 个字母",
        ),
        (QueryInvalid(field="at", text="x", expected="a cat").phrase, "at 'x' 无效，应为：a cat"),
        (CardRefused(reason="expired", explanation="expired").phrase, "拒绝受理此卡（expired）：已过期"),
        ("expired", "已过期"),
        ("a cat", "a cat"),
    ],
)
def test_what_an_error_says_is_told_with_the_words_inside_it_and_data_stays_as_it_is(words, expected):
    assert Language(code="zh", messages=WORDS).told(words) == expected


@pytest.mark.parametrize(
    "words",
    [
        Phrase("nobody knows {reason}", reason="a day"),
        Phrase("late by {minutes} minutes", minutes=5),
    ],
)
def test_a_phrase_without_a_fitting_translation_stays_english_as_a_whole(words):
    assert Language(code="zh", messages=WORDS).told(words) == str(words)


def test_a_word_that_means_something_else_in_a_sentence_is_said_as_the_sentence_has_it():
    order, account = "order {order} is {state}: {reason}", "account {number} is {state}"
    say = Language(
        code="zh",
        messages={
            order: "订单 {order} 的状态为“{state}”：{reason}",
            account: "账户 {number} 的状态为“{state}”",
            "closed": "已销户",
            f"{order}\x04closed": "已关闭",
        },
    )
    assert say.told(Phrase(order, order=1, state="closed", reason="x")) == "订单 1 的状态为“已关闭”：x"
    assert say.told(Phrase(account, number=1, state="closed")) == "账户 1 的状态为“已销户”"


def test_english_says_what_the_error_says():
    error = QueryInvalid(field="at", text="x", expected="a day")
    assert Language(code="en").told(error.phrase) == str(error)


@given(st.integers(-(10**15), 10**15))
def test_money_reads_back_to_the_fen(amount_fen):
    text = Language(code="en").money(amount_fen).replace("¥", "").replace(",", "")
    assert (
        round(float(text.replace(".", "")) if abs(amount_fen) < 10**12 else int(text.replace(".", "")))
        == amount_fen
    )
