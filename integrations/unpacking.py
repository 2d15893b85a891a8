"""Unpacks an answer's body piece by piece: a bomb of zeros is met by its limit, not by our memory.

RFC 9110, section 8.4: https://www.rfc-editor.org/rfc/rfc9110#section-8.4
"""

import zlib
from collections.abc import Generator, Iterable, Iterator

from integrations.errors import Garbled, TooLarge

ACCEPTED = "gzip, deflate"
_PIECE = 64 * 1024
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_RAW = -zlib.MAX_WBITS
_MALFORMED = "The answer's compressed body is damaged."


def collect(chunks: Iterable[bytes], *, encoding: str, wire_limit: int, limit: int) -> bytes:
    """The whole body: at most `wire_limit` bytes as sent and `limit` bytes unpacked."""
    body = bytearray()
    for piece in _unpack(_limited(chunks, wire_limit), encoding.strip().lower()):
        body += piece
        if len(body) > limit:
            raise TooLarge(f"The answer is larger than {limit:,} bytes once unpacked.")
    return bytes(body)


def _limited(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    sent = 0
    for chunk in chunks:
        sent += len(chunk)
        if sent > limit:
            raise TooLarge(f"The answer is larger than {limit:,} bytes.")
        yield chunk


def _unpack(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    if encoding in {"", "identity"}:
        return chunks
    if encoding in {"gzip", "x-gzip", "deflate"}:
        return _inflate(chunks, encoding)
    raise Garbled("The answer is packed as we did not ask for; we read gzip and deflate.")


def _inflate(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    inflater = None
    try:
        for chunk in chunks:
            rest = chunk
            while rest:
                inflater = inflater or _inflater(rest, encoding)
                yield inflater.decompress(rest, _PIECE)
                rest = inflater.unconsumed_tail or inflater.unused_data
                if inflater.eof:
                    inflater = None  # a gzip file may have several members
    except zlib.error:
        raise Garbled(_MALFORMED) from None
    if inflater is not None and not (yield from _drain(inflater)):
        raise Garbled("The answer's compressed body ends too early.")


def _drain(inflater: "zlib._Decompress") -> Generator[bytes, None, bool]:
    """Raw deflate can keep output back; True where the stream was whole."""
    while piece := inflater.decompress(b"", _PIECE):
        yield piece
    return inflater.eof


def _inflater(first: bytes, encoding: str) -> "zlib._Decompress":
    """Some servers say deflate and send it without the zlib header that belongs to it."""
    raw = encoding == "deflate" and first[0] & 0x0F != zlib.DEFLATED
    return zlib.decompressobj(_RAW if raw else _GZIP_OR_ZLIB)
