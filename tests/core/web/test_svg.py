from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from citycard.web.svg import Bar, Column, Segment, bars, columns, element, strip

NAMESPACE = "{http://www.w3.org/2000/svg}"
# XML cannot hold control characters, and no name of a partner does.
TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=0xFFFD, exclude_categories=("Cs", "Cc", "Cn")))
SIZES = st.integers(0, 10**15)


def drawn(markup):
    return etree.fromstring(str(markup))


def percent(text):
    return float(text.rstrip("%"))


def test_attributes_and_text_are_escaped():
    assert element("text", '<b>&"', class_='a"b', text_anchor="end") == (
        '<text class="a&#34;b" text-anchor="end">&lt;b&gt;&amp;&#34;</text>'
    )


def test_a_chart_says_its_title_and_its_data_to_who_listens():
    picture = drawn(bars("Fares by operator", [Bar(name="Metro", size=5, words="¥0.05")]))
    said = "Fares by operator: Metro ¥0.05"
    assert (picture.get("role"), picture.get("aria-label"), picture.findtext(f"{NAMESPACE}title")) == (
        "img",
        said,
        said,
    )


def test_a_long_name_has_a_short_form_for_narrow_screens():
    name = "Shenzhen Bus Group 巴士集团"
    texts = list(drawn(bars("t", [Bar(name=name, size=1, words="¥123,456.78")])).iter(f"{NAMESPACE}text"))
    assert [(text.text, text.get("class")) for text in texts[:2]] == [
        (name, "name whole"),
        ("Shenzhen Bus Group 巴…", "name brief"),
    ]


def test_the_longer_a_sum_the_shorter_the_name_beside_it():
    def brief(words):
        picture = drawn(bars("t", [Bar(name="Shenzhen Bus Group 巴士集团", size=1, words=words)]))
        return next(
            text.text for text in picture.iter(f"{NAMESPACE}text") if text.get("class") == "name brief"
        )

    assert (brief("¥123,456.78"), brief("¥123,456,789.00")) == (
        "Shenzhen Bus Group 巴…",
        "Shenzhen Bus Grou…",
    )


def test_the_longest_bar_is_as_wide_as_the_chart_and_the_others_in_proportion():
    picture = drawn(bars("t", [Bar(name="a", size=400), Bar(name="b", size=100)]))
    widths = [
        percent(rect.get("width"))
        for rect in picture.iter(f"{NAMESPACE}rect")
        if rect.get("class") != "track"
    ]
    assert widths == [100.0, 25.0]


def test_a_bar_with_a_link_can_be_followed():
    picture = drawn(bars("t", [Bar(name="Metro", size=1, link="/partners/metro")]))
    assert [anchor.get("href") for anchor in picture.iter(f"{NAMESPACE}a")] == ["/partners/metro"]


def test_an_empty_column_chart_is_its_axis():
    picture = drawn(columns("t", []))
    assert [line.get("class") for line in picture.iter(f"{NAMESPACE}line")][:1] == ["axis"]


def test_the_peak_is_written_over_the_highest_column():
    items = [Column(name=str(size), segments=(Segment(name="x", size=size),)) for size in (1, 7, 3)]
    labels = [
        text
        for text in drawn(columns("t", items, peak="seven")).iter(f"{NAMESPACE}text")
        if text.get("class") == "peak"
    ]
    assert [(label.text, label.get("x")) for label in labels] == [("seven", "50.000%")]


@given(st.lists(st.tuples(TEXT, SIZES), max_size=8))
def test_the_pieces_of_a_strip_fill_it_and_none_vanishes(pieces):
    segments = [Segment(name=name, size=size) for name, size in pieces]
    picture = drawn(strip("t", segments))
    widths = [percent(rect.get("width")) for rect in picture.iter(f"{NAMESPACE}rect")][1:]
    assert len(widths) == sum(1 for segment in segments if segment.size)
    assert all(width > 0.4 for width in widths)
    assert not widths or abs(sum(widths) - 100) < 0.01 * len(widths)


@given(st.lists(st.lists(SIZES, max_size=3), max_size=30), st.integers(120, 400))
def test_columns_stay_inside_their_chart(stacks, height_px):
    items = [
        Column(name=str(place), segments=tuple(Segment(name="x", size=size) for size in stack))
        for place, stack in enumerate(stacks)
    ]
    picture = drawn(columns("t", items, height_px=height_px, peak="most"))
    for rect in picture.iter(f"{NAMESPACE}rect"):
        assert float(rect.get("y")) >= 0
        assert float(rect.get("y")) + float(rect.get("height")) <= height_px
        assert percent(rect.get("x")) + percent(rect.get("width")) <= 100.01


@given(TEXT, TEXT)
def test_names_from_outside_never_break_the_drawing(name, words):
    picture = drawn(bars(name, [Bar(name=name, size=1, words=words)]))
    texts = [text for text in picture.iter(f"{NAMESPACE}text") if text.get("class") != "name brief"]
    assert [name.split(), words.split()] == [(text.text or "").split() for text in texts]
