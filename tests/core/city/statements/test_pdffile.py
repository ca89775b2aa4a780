"""The PDF of a statement says everything in both languages, on numbered pages that repeat their head."""

import io

import pytest
from pypdf import PdfReader

from citycard.city.statements import sheet
from citycard.city.statements.pdffile import write_pdf


@pytest.fixture(params=["embedded", "named"])
def font(request, monkeypatch):
    """Once with whatever font this machine has, once with none."""
    sheet.chinese_font.cache_clear()
    if request.param == "named":
        monkeypatch.setattr(sheet, "_USUAL", ())
        monkeypatch.delenv("CITYCARD_PDF_FONT", raising=False)
    yield request.param
    sheet.chinese_font.cache_clear()


def written(statement):
    file = io.BytesIO()
    write_pdf(statement, file)
    return file.getvalue()


def pages(statement):
    return [page.extract_text() for page in PdfReader(io.BytesIO(written(statement))).pages]


def test_it_says_who_what_where_and_why(made, font):
    (text,) = pages(made([5000, -380], opening_fen=123_456_00))
    for words in (
        "Haibin",
        "Statement of a card",
        "0310 9901 0000 0000 0001",
        "2018-09-01 – 2018-09-30",
        "Purchase",
        "Metro",
        "-3.80",
        "+50.00",
        "123,502.20",
        "Opening balance",
        "Closing balance",
    ):
        assert words in text
    if font == "embedded":
        for words in ("海滨市", "市民卡对账单", "消费", "罗湖", "出站", "期末余额"):
            assert words in text


def test_every_page_has_its_number_and_the_head_of_the_table(made):
    texts = pages(made([-1] * 100, opening_fen=1000))
    assert len(texts) > 2
    for number, text in enumerate(texts, 1):
        assert f"页\n {number} / \n{len(texts)}" in text
        assert "Amount ¥" in text
        assert "Haibin" in text
    assert sum(text.count("Purchase") for text in texts) == 100
    assert [("Opening balance" in text, "Closing balance" in text) for text in texts] == [
        (True, False),
        *[(False, False)] * (len(texts) - 2),
        (False, True),
    ]


def test_a_period_without_money_says_so(made):
    (text,) = pages(made([], opening_fen=700))
    assert "Nothing was booked in this period" in text
    assert text.count("7.00") == 2


def test_long_words_stay_on_the_paper(made):
    (text,) = pages(made([1], who="深" * 200, where="W" * 300))
    assert text.count("深") == 200
    assert text.count("W") >= 300


def test_the_same_statement_gives_the_same_bytes(made):
    assert written(made([1, 2, 3])) == written(made([1, 2, 3]))
