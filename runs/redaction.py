"""Keeps secrets out of whatever a run leaves behind: its log, its names, its sentences."""

import base64
import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from urllib.parse import quote, quote_plus

from runs.samples import Batch, Key
from runs.tools import Finished

HIDDEN = "[secret]"
# Colours and cursors (ECMA-48), and every control character but the end of a line and a tab.
_STEERING = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
SHORTEST = 4  # anything shorter would be found in every other word
_LEAST_PART = 4
_MOST_KNOWN = 20_000
_URL_SAFE = str.maketrans("+/", "-_")


class Redactor:
    """Knows the values, also as they look in an address, in JSON and in base64."""

    def __init__(self, values: Iterable[str]) -> None:
        forms = {form for value in values for form in _forms(value)}
        self._forms = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, self._forms))) if forms else None
        self._parts = {part for form in self._forms for part in _parts(form)}
        self._sound: set[Key | str] = set()

    def text(self, text: str) -> str:
        """Without the secrets, also those that were cut in two at its beginning or its end.

        Nothing in it steers the terminal of whoever reads it.
        """
        text = _STEERING.sub("", text)
        if self._pattern is None:
            return text
        text = self._pattern.sub(HIDDEN, text)
        if self._parts.isdisjoint((text[:_LEAST_PART], text[-_LEAST_PART:])):
            return text  # most are: a long key has too many parts to try each on every name
        for form in self._forms:
            for length in range(min(len(form) - 1, len(text)), _LEAST_PART - 1, -1):
                if text.startswith(form[-length:]):
                    text = HIDDEN + text[length:]
                if text.endswith(form[:length]):
                    text = text[:-length] + HIDDEN
        return text

    def finished(self, said: Finished) -> Finished:
        return Finished(said.code, self.text(said.stdout), self.text(said.stderr))

    def batch(self, batch: Batch) -> Batch:
        """With clean names; in place, but for the names of metrics."""
        for second, key in [place for place in batch.cells if place[1] not in self._sound]:
            if (clean := Key(*map(self.text, key))) == key:
                self._remember(key)
                continue
            cell = batch.cells.pop((second, key))
            if earlier := batch.cells.get((second, clean)):
                earlier.add(cell)
            else:
                batch.cells[second, clean] = cell
        if batch.kinds.keys() <= self._sound:
            return batch
        kinds = {self.text(name): kind for name, kind in batch.kinds.items()}
        for name in kinds:
            self._remember(name)
        return replace(batch, kinds=kinds)

    def _remember(self, sound: Key | str) -> None:
        if len(self._sound) > _MOST_KNOWN:
            self._sound.clear()
        self._sound.add(sound)


def _parts(form: str) -> set[str]:
    """With one of these begins or ends whatever a cut can leave of it."""
    return {form[at : at + _LEAST_PART] for at in range(len(form) - _LEAST_PART + 1)}


def _forms(value: str) -> set[str]:
    whole = {value, *(line for line in value.splitlines() if len(line) >= 2 * SHORTEST)}
    found = set()
    for text in filter(None, whole):
        found |= {text, quote(text), quote(text, safe=""), quote_plus(text)}
        found |= {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
        for encoded in _in_base64(text.encode()):
            plain = encoded.rstrip("=")
            found |= {encoded, plain, plain.translate(_URL_SAFE), quote(encoded, safe="")}
    return found


def _in_base64(value: bytes) -> Iterator[str]:
    """Alone, and within something longer, such as Basic's `user:password`: there only those letters
    are its own that hold none of what stands before it or behind it.
    """
    yield base64.b64encode(value).decode()
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + value)
        own = slice(math.ceil(before * 8 / 6), (before + len(value)) * 8 // 6)
        if len(within := encoded[own].decode()) >= SHORTEST:
            yield within
