"""Reads a sentence from left to right and points at the character that makes no sense."""

import re


class ThresholdError(ValueError):
    """A threshold nobody can judge; `position` is the character where it stops making sense."""

    def __init__(self, text: str, position: int, sentence: str) -> None:
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
        super().__init__(f"In “{shown}”, character {position + 1}: {sentence}")
        self.text, self.position, self.sentence = text, position, sentence


_SHOWN = 120


class Cursor:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def skip_blanks(self) -> int:
        """Where the next word begins."""
        rest = self.text[self.at :]
        self.at += len(rest) - len(rest.lstrip())
        return self.at

    def maybe(self, pattern: re.Pattern[str]) -> str:
        """The next word if it is of this kind, else nothing."""
        found = pattern.match(self.text, self.skip_blanks())
        if not found:
            return ""
        self.at = found.end()
        return found.group()

    def take(self, pattern: re.Pattern[str], otherwise: str) -> str:
        """Raises ThresholdError with the sentence `otherwise`."""
        if word := self.maybe(pattern):
            return word
        raise self.error(otherwise)

    def expect_end(self) -> None:
        start = self.skip_blanks()
        if rest := self.text[start:].strip():
            raise self.error(f"Did not expect “{rest[:_SHOWN]}” here.", start)

    def error(self, sentence: str, position: int | None = None) -> ThresholdError:
        return ThresholdError(self.text, self.at if position is None else position, sentence)
