"""A part of a sentence that is put into the reader's language with it."""

from collections.abc import Mapping


class Phrase:
    """A template with its values, itself a value of an error's template.

    `Phrase("submit job {name}", name=name)` reads as English by itself; a page says it
    in the reader's language.
    """

    __slots__ = ("template", "values")

    def __init__(self, template: str, **values: object) -> None:
        self.template = template
        self.values: Mapping[str, object] = values

    def __str__(self) -> str:
        return self.template.format_map(self.values) if self.values else self.template
