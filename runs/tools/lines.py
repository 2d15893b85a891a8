"""Cuts a tool's output into whole lines, and names what it requested."""

LONGEST_LINE = 1 << 20
LONGEST_NAME = 120


class Lines:
    """Keeps half a line until its rest arrives; a line over 1 MiB is left out and counted."""

    def __init__(self) -> None:
        self.oversized = 0
        self._rest = bytearray()
        self._skipping = False

    def cut(self, chunk: bytes) -> bytes:
        """The whole lines that are there now, each with its end."""
        if self._skipping:
            end = chunk.find(b"\n")
            if end < 0:
                return b""
            chunk, self._skipping = chunk[end + 1 :], False
        end = chunk.rfind(b"\n") + 1
        block = b""
        if end:
            block = self._without_long(bytes(self._rest) + chunk[:end])
            self._rest.clear()
        self._rest += chunk[end:]
        if len(self._rest) > LONGEST_LINE:
            self.oversized += 1
            self._skipping = True
            self._rest.clear()
        return block

    def _without_long(self, block: bytes) -> bytes:
        kept, start, at = [], 0, 0
        while len(block) - at > LONGEST_LINE:
            end = block.rfind(b"\n", at, at + LONGEST_LINE + 1) + 1
            if not end:
                self.oversized += 1
                kept.append(block[start:at])
                start = end = block.index(b"\n", at) + 1
            at = end
        return b"".join([*kept, block[start:]]) if kept else block


def endpoint(method: str | None, name: str | None) -> str:
    """A name somebody chose stays; an address loses its query and gets its method in front."""
    if not name:
        return method or "(unnamed)"
    if name.startswith(("/", "http://", "https://")):
        name = name.partition("?")[0].partition("#")[0]
        if method:
            name = f"{method} {name}"
    return name[:LONGEST_NAME]
