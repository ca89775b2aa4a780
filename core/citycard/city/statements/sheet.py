"""Paper for statements: words in two scripts, lines, page after page with a foot."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import IO, Any

__all__ = ["FAINT", "INK", "SOFT", "Sheet", "chinese_font"]

INK, SOFT, FAINT = 0x1A2230, 0x586272, 0xDAD5C9

_WIDE, _HIGH = 595.28, 841.89
_TOP, _BOTTOM = _HIGH - 56, 62.0
_LEFT, _RIGHT = 40.0, 555.0
_LATIN, _LATIN_BOLD = "Helvetica", "Helvetica-Bold"
_TOTAL = "total"
_EXACT = 1e-6  # of a point, which adding widths up may be wrong by

#: A font with Chinese letters for PDF; without one the usual places are looked at.
FONT_VARIABLE = "CITYCARD_PDF_FONT"
_USUAL = (
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts-droid-fallback/truetype/DroidSansFallbackFull.ttf",
    "/System/Library/Fonts/STHeiti Light.ttc",
    "C:/Windows/Fonts/simhei.ttf",
)
_STANDARD = "STSong-Light"


@cache
def chinese_font() -> str:
    """Give the name of a font with Chinese letters, known to reportlab from now on.

    The TrueType font that ``CITYCARD_PDF_FONT`` names, or one from the usual places, is put into the file as
    far as it is used. Without any, the file names Adobe's STSong-Light, which PDF readers bring or replace.
    """
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfbase.ttfonts import TTFError, TTFont

    named = os.environ.get(FONT_VARIABLE)
    for file in [named] if named else [one for one in _USUAL if Path(one).exists()]:
        try:
            pdfmetrics.registerFont(TTFont("Chinese", file))
        except TTFError:
            if named:
                raise
            continue
        return "Chinese"
    pdfmetrics.registerFont(UnicodeCIDFont(_STANDARD))
    return _STANDARD


class Sheet:
    """A4 pages that are filled from the top; whoever writes says how far to go down."""

    def __init__(self, file: IO[bytes], *, title: str, author: str, foot: str) -> None:
        from reportlab.pdfgen.canvas import Canvas

        self._canvas: Any = Canvas(file, pagesize=(_WIDE, _HIGH), invariant=1, pageCompression=1)
        self._canvas.setTitle(title)
        self._canvas.setAuthor(author)
        self._chinese = chinese_font()
        self._widths: dict[tuple[str, bool], float] = {}
        self._foot = foot
        self._page = 1
        self._y = _TOP
        self._head: Callable[[], None] | None = None

    def text(
        self, x: float, words: str, size: float, *, bold: bool = False, right: bool = False, color: int = INK
    ) -> None:
        """Write words at the height reached, from ``x`` on or up to it."""
        from reportlab.lib.colors import HexColor

        x -= self.width(words, size, bold=bold) if right else 0
        self._canvas.setFillColor(HexColor(color))
        for font, run in self._runs(words, bold=bold):
            self._canvas.setFont(font, size)
            self._canvas.drawString(x, self._y, run)
            x += self.width(run, size, bold=bold)

    def width(self, words: str, size: float, *, bold: bool = False) -> float:
        """Measure words in points; letters stand side by side, so that each is measured once."""
        return size * sum(self._letter(letter, bold=bold) for letter in words)

    def wrapped(self, words: str, size: float, width: float) -> list[str]:
        """Cut words into lines that are not wider: at spaces, and Chinese between any two letters."""
        lines: list[str] = []
        line, room = "", width
        for piece in _pieces(words):
            # A word that is wider than a line is cut anywhere.
            for part in piece if self.width(piece.rstrip(), size) > width else (piece,):
                if line and self.width(part.rstrip(), size) > room + _EXACT:
                    lines.append(line.rstrip())
                    line, room = "", width
                line, room = line + part, room - self.width(part, size)
        return [*lines, line.rstrip()] if line.strip() else lines

    def rule(self, left: float, right: float, *, below: float, color: int) -> None:
        """Draw a thin line, so far below the height reached."""
        from reportlab.lib.colors import HexColor

        self._canvas.setStrokeColor(HexColor(color))
        self._canvas.setLineWidth(0.6)
        self._canvas.line(left, self._y - below, right, self._y - below)

    def down(self, points: float) -> None:
        """Go down."""
        self._y -= points

    def keep(self, points: float) -> None:
        """Begin a new page unless so much room is left on this one."""
        if self._y - points < _BOTTOM:
            self._turn()
            if self._head is not None:
                self._head()

    def repeat(self, head: Callable[[], None] | None) -> None:
        """Write this at the top of every page from now on; nothing with None."""
        self._head = head

    def end(self) -> None:
        """Finish the last page and write the file."""
        self._finish_page()
        self._canvas.beginForm(_TOTAL)
        self._y = 0.0
        self.text(0, str(self._page), 8, color=SOFT)
        self._canvas.endForm()
        self._canvas.save()

    def _turn(self) -> None:
        self._finish_page()
        self._page += 1
        self._y = _TOP

    def _finish_page(self) -> None:
        self._y = 34.0
        self.rule(_LEFT, _RIGHT, below=-14, color=FAINT)
        self.text(_LEFT, self._foot, 8, color=SOFT)
        number = f"Page 页 {self._page} / "
        self.text(_RIGHT - 18 - self.width(number, 8), number, 8, color=SOFT)
        # How many pages there are is known at the end: the form is filled in then.
        self._canvas.saveState()
        self._canvas.translate(_RIGHT - 18, self._y)
        self._canvas.doForm(_TOTAL)
        self._canvas.restoreState()
        self._canvas.showPage()

    def _letter(self, letter: str, *, bold: bool) -> float:
        key = (letter, bold)
        if key not in self._widths:
            font = _latin(bold=bold) if _is_latin(letter) else self._chinese
            self._widths[key] = float(self._canvas.stringWidth(letter, font, 1))
        return self._widths[key]

    def _runs(self, words: str, *, bold: bool) -> Iterator[tuple[str, str]]:
        latin = _latin(bold=bold)
        run, font = "", latin
        for letter in words:
            wanted = latin if _is_latin(letter) else self._chinese
            if run and wanted != font:
                yield font, run
                run = ""
            run, font = run + letter, wanted
        if run:
            yield font, run


def _latin(*, bold: bool) -> str:
    return _LATIN_BOLD if bold else _LATIN


@cache
def _is_latin(letter: str) -> bool:
    try:
        letter.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def _pieces(words: str) -> Iterator[str]:
    """Give what must stay together: Latin words with the space after them, and single other letters."""
    word = ""
    for letter in words:
        if _is_latin(letter):
            word += letter
            if letter == " ":
                yield word
                word = ""
            continue
        if word:
            yield word
            word = ""
        yield letter
    if word:
        yield word
