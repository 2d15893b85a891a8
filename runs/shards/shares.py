"""How a whole is divided among shards: in whole numbers whose sum is the whole."""

from typing import NamedTuple


class Part(NamedTuple):
    """This one (from 0) of so many."""

    number: int
    of: int

    def share(self, whole: int) -> int:
        """The first shards carry what is left over."""
        return whole // self.of + (self.number < whole % self.of)
