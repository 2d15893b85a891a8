"""A second's cells, or a longer span's, as bytes and back: what history keeps of every key."""

import zlib
from collections.abc import Iterable, Mapping

import msgspec

from runs.samples import Key, Tally
from runs.samples.sketch import Sketch

_VERSION = b"\x01"
_QUICKLY = 1


class _Packed(msgspec.Struct, array_like=True, forbid_unknown_fields=True, gc=False):
    count: int
    errors: int
    total: float
    sketch: bytes


_Tree = dict[str, dict[str, dict[str, _Packed]]]  # metric, name, status: each word once
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Tree).decode


def pack(cells: Mapping[Key, Tally]) -> bytes:
    """A version byte, then compressed msgpack: a busy second of 60 keys takes about 15 KB."""
    tree: _Tree = {}
    for (metric, name, status), tally in cells.items():
        packed = _Packed(tally.count, tally.errors, tally.total, tally.sketch.to_bytes())
        tree.setdefault(metric, {}).setdefault(name, {})[status] = packed
    return _VERSION + zlib.compress(_encode(tree), _QUICKLY)


def unpack(data: bytes) -> dict[Key, Tally]:
    """Raises ValueError on bytes that `pack` did not write."""
    if data[:1] != _VERSION:
        raise ValueError("not cells of a known version")
    try:
        tree = _decode(zlib.decompress(data[1:]))
    except zlib.error as error:
        raise ValueError("cells that were cut short or spoiled") from error
    return {
        Key(metric, name, status): _tally(packed)
        for metric, names in tree.items()
        for name, statuses in names.items()
        for status, packed in statuses.items()
    }


def merge(many: Iterable[Mapping[Key, Tally]]) -> dict[Key, Tally]:
    """The cells of several spans, or of several shards, as one; what was given stays as it was."""
    merged: dict[Key, Tally] = {}
    for cells in many:
        for key, tally in cells.items():
            merged.setdefault(key, Tally()).add(tally)
    return merged


def _tally(packed: _Packed) -> Tally:
    sketch = Sketch.from_bytes(packed.sketch)
    if not 0 <= packed.errors <= packed.count or sketch.count > packed.count:
        raise ValueError("cells whose numbers make no sense")
    return Tally(packed.count, packed.errors, packed.total, sketch)
