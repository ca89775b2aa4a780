"""The options by which a command gets at a card: a real reader, or a software card from its file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from citycard.cli.output import say

if TYPE_CHECKING:
    from citycard.terminal.reader import Reader

__all__ = ["CardAt", "card_option"]

Function = Callable[..., Any]


@attrs.frozen(kw_only=True)
class CardAt:
    """Where the card is, as the command line says it."""

    reader: str | None
    image: Path | None
    profile: str | None
    wait: float
    shared: bool
    trace: bool

    @contextmanager
    def opened(self) -> Iterator[Reader]:
        """Give the reader with the card; a software card that has changed is written back to its file."""
        at = self._image() if self.image is not None else self._pcsc()
        with _hinted(), at as reader:
            if not self.trace:
                yield reader
                return
            from citycard.pcsc import TracedReader

            yield TracedReader(reader, say)

    @contextmanager
    def _pcsc(self) -> Iterator[Reader]:
        from citycard.pcsc import PcscReader

        with PcscReader(self.reader, shared=self.shared) as reader:
            reader.wait_for_card(self.wait)
            yield reader

    @contextmanager
    def _image(self) -> Iterator[Reader]:
        from citycard.cli.cardfile import read_card_file, write_card_file
        from citycard.terminal import InProcessReader

        path = self.image
        assert path is not None
        file = read_card_file(path, self.profile)
        card = file.card()
        try:
            yield InProcessReader(card)
        finally:
            image = card.image()
            if image != file.image:
                write_card_file(path, file.holding(image))


@contextmanager
def _hinted() -> Iterator[None]:
    """Name the commands that enable a card where its refusal sends a holder to a service point."""
    from citycard.errors import CardRefused

    try:
        yield
    except CardRefused as refused:
        if refused.data["reason"] != "not-enabled":
            raise
        raise CardRefused(reason="not-enabled", explanation=_ENABLING) from refused


_ENABLING = (
    "it was not enabled yet: citycard card issue NUMBER gives it out of the stock, then citycard card "
    "activate enables it at a reader"
)


def card_option(function: Function) -> Function:
    """Add --reader, --image and what goes with them; the command gets one argument ``at``."""

    def gathered(
        *arguments: Any,
        reader: str | None,
        image: Path | None,
        image_profile: str | None,
        wait: float,
        shared: bool,
        trace: bool,
        **options: Any,
    ) -> Any:
        if reader is not None and image is not None:
            raise click.UsageError("--reader and --image: a card is in one place")
        at = CardAt(reader=reader, image=image, profile=image_profile, wait=wait, shared=shared, trace=trace)
        return function(*arguments, at=at, **options)

    gathered.__doc__ = function.__doc__
    gathered.__name__ = function.__name__
    gathered.__click_params__ = list(getattr(function, "__click_params__", ()))  # type: ignore[attr-defined]
    found: Function = gathered
    for option in reversed(_OPTIONS):
        found = option(found)
    return found


_OPTIONS = (
    click.option(
        "--reader", help="The reader: its index, name, or an expression [default: the one with a card]."
    ),
    click.option(
        "--image",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="A software card from its file, instead of a reader.",
    ),
    click.option("--image-profile", default=None, help="The make of a bare image that does not say it."),
    click.option(
        "--wait",
        type=click.FloatRange(0),
        default=10.0,
        show_default=True,
        help="Seconds for a card to come.",
    ),
    click.option("--shared", is_flag=True, help="Let other programs use the card at the same time."),
    click.option("--trace", is_flag=True, help="Show commands and answers on stderr, secrets left out."),
)
