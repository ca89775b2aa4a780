"""The pages' languages: gettext catalogues read as they are, chosen per request.

English is the language of the source. A catalogue lies at ``locale/<code>/LC_MESSAGES/*.po`` beside the code;
the core has one, and every plugin may have its own. Nothing is compiled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType

import attrs
from starlette.requests import HTTPConnection

from citycard.errors import Phrase
from citycard.money import yuan

__all__ = [
    "CONTEXT",
    "COOKIE",
    "CORE_LOCALE",
    "LANGUAGES",
    "Language",
    "chosen",
    "language",
    "mark",
    "read_catalogue",
]

CORE_LOCALE = Path(__file__).parent.parent / "locale"
COOKIE = "citycard_lang"

# What stands between a message's context and the message, as in gettext's own files.
CONTEXT = "\x04"

# Code -> the language's own name, in the order in which they are offered.
LANGUAGES: Mapping[str, str] = MappingProxyType({"en": "English", "zh": "中文"})

_Message = str | tuple[str, ...]


def mark(message: str) -> str:
    """Mark words for translation where they are written down, to be said later."""
    return message


@attrs.frozen(kw_only=True)
class Language:
    """One language: its code and what it knows. Words it does not know stay English."""

    code: str
    messages: Mapping[str, _Message] = attrs.field(factory=dict, repr=False)

    def __call__(self, message: str, **values: object) -> str:
        """Say a message, filling ``{names}`` with values."""
        found = self.messages.get(message) or message
        words = found if isinstance(found, str) else found[0]
        return words.format(**values) if values else words

    def heading(self, field: str) -> str:
        """Name a record's field as people do: by a translation of it, or of its words without the unit."""
        return self(field if field in self.messages else field.removesuffix("_fen").replace("_", " "))

    def noted(self, note: str) -> str:
        """Say a payment's note, or its words before a number: catalogues have it in the context ``note``."""
        words, space, about = note.rpartition(" ")
        if not any(sign.isdigit() for sign in about):
            words, space, about = note, "", ""
        known = self.messages.get(f"note{CONTEXT}{words}")
        return f"{known}{space}{about}" if isinstance(known, str) else note

    def told(self, words: str) -> str:
        """Say what an error says, its template looked up like any other message, and so the words inside it.

        A phrase whose template is not known, or is translated with other fields, stays English as a whole.
        """
        if not isinstance(words, Phrase):
            return self(words)
        known = self.messages.get(words.template)
        try:
            return (
                words.filled(known, partial(self._part, words.template))
                if isinstance(known, str)
                else str(words)
            )
        except (KeyError, ValueError):
            return str(words)

    def _part(self, template: str, words: str) -> str:
        """Say words inside a phrase: as its template's context has them, or as they are said anywhere."""
        found = self.messages.get(f"{template}{CONTEXT}{words}")
        return found if isinstance(found, str) else self.told(words)

    def count(self, one: str, many: str, number: int, **values: object) -> str:
        """Say a message that depends on a number; ``{number}`` in it is written with thousands marked."""
        found = self.messages.get(one)
        if isinstance(found, tuple):
            words = found[0] if len(found) == 1 or number == 1 else found[1]
        else:
            words = one if number == 1 else many
        return words.format(number=f"{number:,}", **values)

    def money(self, amount_fen: int) -> str:
        """Write fen as yuan with thousands marked: ``¥1,234.50``."""
        whole, _, fen = yuan(abs(amount_fen)).partition(".")
        return f"{'-' if amount_fen < 0 else ''}¥{int(whole):,}.{fen}"

    def day(self, day: date) -> str:
        """Write a date as this language does."""
        from babel.dates import format_date

        return str(format_date(day, format="long", locale=self.code))

    def moment(self, moment: datetime) -> str:
        """Write a moment to the second, in the order that sorts."""
        return moment.strftime("%Y-%m-%d %H:%M:%S")


def read_catalogue(path: Path) -> dict[str, _Message]:
    """Read one ``.po`` file into message -> translation; untranslated and fuzzy messages are left out.

    A message with a context (``msgctxt``) stands behind it and ``CONTEXT``.
    """
    from babel.messages.pofile import read_po

    with path.open("rb") as file:
        catalogue = read_po(file)
    messages: dict[str, _Message] = {}
    for message in catalogue:
        if not message.id or message.fuzzy or not message.string:
            continue
        key = message.id if isinstance(message.id, str) else message.id[0]
        key = f"{message.context}{CONTEXT}{key}" if message.context else key
        messages[key] = message.string if isinstance(message.string, str) else tuple(message.string)
    return messages


def language(code: str, folders: Iterable[Path] = (), *, own: Path | None = None) -> Language:
    """Put a language together from the core's catalogue and more locale folders, whose words come second.

    ``own`` is the folder of the plugin whose page is shown: its words come first, because a product of a shop
    is not a product of the card company.
    """
    messages: dict[str, _Message] = {}
    for folder in (*folders, CORE_LOCALE, *([own] if own else ())):
        for path in sorted(folder.glob(f"{code}/LC_MESSAGES/*.po")):
            messages |= _catalogue(path)
    return Language(code=code, messages=MappingProxyType(messages))


@cache
def _catalogue(path: Path) -> dict[str, _Message]:
    return read_catalogue(path)


def chosen(connection: HTTPConnection) -> str:
    """Choose a language's code: ``?lang=``, then the cookie, then Accept-Language, then English."""
    wishes = [connection.query_params.get("lang", ""), connection.cookies.get(COOKIE, "")]
    wishes += _wishes(connection.headers.get("accept-language", ""))
    return next((wish for wish in wishes if wish in LANGUAGES), "en")


def _wishes(header: str) -> list[str]:
    weighed = []
    for place, part in enumerate(header.split(",")[:20]):
        tag, _, weight = part.partition(";q=")
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            continue
        if quality > 0:
            weighed.append((-quality, place, tag.strip().lower().partition("-")[0]))
    return [code for _, _, code in sorted(weighed)]
