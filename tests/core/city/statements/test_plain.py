"""A statement as text and as plain values."""

import json

from citycard.city.statements.plain import as_json, text_lines


def test_text_shows_balances_amounts_and_reasons(made):
    text = "\n".join(text_lines(made([5000, -380])))
    assert "Opening balance 期初余额" in text
    assert "Metro · 罗湖 · exit" in text
    assert text.endswith("46.20")


def test_plain_values_are_json_and_hold_every_line(made):
    plain = json.loads(json.dumps(as_json(made([5000, -380]))))
    (section,) = plain["sections"]
    assert (plain["since"], section["closing_fen"], section["cut"]) == ("2018-09-01", 4620, False)
    assert [line["balance_fen"] for line in section["lines"]] == [5000, 4620]


def test_a_limit_cuts_and_says_so(made):
    (section,) = as_json(made([1] * 5), limit=3)["sections"]
    assert (len(section["lines"]), section["cut"]) == (3, True)
    (section,) = as_json(made([1] * 3), limit=3)["sections"]
    assert (len(section["lines"]), section["cut"]) == (3, False)
