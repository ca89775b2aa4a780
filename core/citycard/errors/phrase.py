"""Words that remember how they were put together, so that they can be said in another language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, reduce
from string import Formatter
from typing import Any, Self

__all__ = ["WORDS", "Phrase"]

# The fields of sentences in which words of the product stand, and never a name or what somebody typed.
WORDS = frozenset(
    {
        "advice",
        "during",
        "element",
        "ended",
        "expected",
        "explanation",
        "hint",
        "how",
        "instead",
        "kind",
        "meaning",
        "mend",
        "missing",
        "problem",
        "problems",
        "reason",
        "record",
        "remedy",
        "state",
        "status",
        "thing",
        "wanted",
        "what",
        "what_then",
        "whose",
        "wrong",
    }
)


class Phrase(str):
    """English words made of a template and what fills it in: a ``str`` like any other that remembers both.

    ``template`` is a format string over the keyword arguments, ``parts`` what each of its fields became, by
    the field as it stands there (``number``, ``text!r``). A part is a Phrase where one was put in, or an
    error.
    """

    __slots__ = ("parts", "template")

    template: str
    parts: Mapping[str, str]

    def __new__(cls, template: str, /, **values: object) -> Self:
        """Fill a template in; raise KeyError when a field has no value."""
        return cls.of(template, {field: _part(field, values) for _, field in _split(template) if field})

    @classmethod
    def of(cls, template: str, parts: Mapping[str, str]) -> Self:
        """Put a phrase together of its template and its parts, as it was before."""
        words = "".join(literal + (parts[field] if field else "") for literal, field in _split(template))
        phrase = super().__new__(cls, words)
        phrase.template, phrase.parts = template, parts
        return phrase

    @staticmethod
    def joined(phrases: Sequence[str]) -> str:
        """Put one or more phrases one behind the other, with a semicolon between any two."""
        return reduce(
            lambda one, other: Phrase("{problem}; {problems}", problem=one, problems=other), phrases
        )

    def filled(self, template: str, say: Callable[[str], str]) -> str:
        """Fill another template in with the same parts; ``say`` says those that are words.

        Raise KeyError when the template has a field that this phrase has not, ValueError when it is none.
        """
        said = []
        for words, field in _split(template):
            said.append(words)
            if field:
                part = self.parts[field]
                said.append(say(part) if field in WORDS or isinstance(part, Phrase) else part)
        return "".join(said)

    def __reduce__(self) -> tuple[Any, ...]:
        # Parts are text, whatever the values were, so that it reaches another process.
        return type(self).of, (self.template, self.parts)


def _part(field: str, values: Mapping[str, object]) -> str:
    """Write one field's value as the template wants it; a phrase stays one, and so does an error's."""
    value = values.get(field)
    value = getattr(value, "phrase", value)
    return value if isinstance(value, Phrase) else f"{{{field}}}".format(**values)


@cache
def _split(template: str) -> tuple[tuple[str, str], ...]:
    """Cut a template into words and the field behind them, which is empty where none stands."""
    return tuple(
        (words, "".join([field or "", f"!{conversion}" if conversion else "", f":{spec}" if spec else ""]))
        for words, field, spec, conversion in Formatter().parse(template)
    )
