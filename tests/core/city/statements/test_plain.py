"""A statement as text and as plain values."""

from citycard.city.statements.plain import plain_statement, text_lines


def test_text_shows_balances_amounts_and_reasons(made):
    text = "\n".join(text_lines(made([5000, -380])))
    assert "Opening balance 期初余额" in text
    assert "Metro · 罗湖 · exit" in text
    assert text.endswith("46.20")


def test_plain_values_hold_every_line(made):
    plain = plain_statement(made([5000, -380]))
    (section,) = plain.sections
    assert (plain.since.isoformat(), section.closing_fen, section.cut) == ("2018-09-01", 4620, False)
    assert [line.balance_fen for line in section.lines] == [5000, 4620]
    assert (section.lines[0].what_zh, section.lines[0].why_zh) == ("消费", "出站")


def test_a_limit_cuts_and_says_so(made):
    (section,) = plain_statement(made([1] * 5), limit=3).sections
    assert (len(section.lines), section.cut) == (3, True)
    (section,) = plain_statement(made([1] * 3), limit=3).sections
    assert (len(section.lines), section.cut) == (3, False)
