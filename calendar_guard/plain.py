"""Text from outside that may enter: no longer than its place, and nothing that cannot be written.

Zero bytes and lone surrogates are legal JSON, but no database and no answer can hold them.
"""

import unicodedata

_SHOWN = 60
_LINES = "\n\t"


def clean(value: object, *, longest: int, lines: bool = False) -> str:
    """Text without blanks around it; ValueError with a sentence. `lines` lets it have several."""
    if not isinstance(value, str):
        raise ValueError("This is text, in quotation marks.")
    text = value.replace("\r\n", "\n").strip()
    if len(text) > longest:
        raise ValueError(f"At most {longest:,} characters, please; these are {len(text):,}.")
    if any(_strange(sign) and not (lines and sign in _LINES) for sign in text):
        raise ValueError("There is a sign in it that no text can hold, such as a zero byte.")
    return text


def some(value: object, *, longest: int) -> str:
    if text := clean(value, longest=longest):
        return text
    raise ValueError("This cannot be empty.")


def shown(value: object) -> str:
    """Whatever came, short and printable, to be named in a sentence."""
    text = str(value)
    cut = text[:_SHOWN] + ("…" if len(text) > _SHOWN else "")
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in cut)


def _strange(sign: str) -> bool:
    return unicodedata.category(sign) in {"Cc", "Cs"}
