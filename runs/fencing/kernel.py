"""Whether this kernel lets us give a tool a network of its own."""

from runs import process
from runs.host.identity import Identity
from runs.host.workdir import work_directory

_fenced: set[Identity] = set()


def can_fence(who: Identity) -> bool:
    """A "no" is asked again."""
    if who not in _fenced:
        with work_directory(who) as cwd:
            if process.run(["/bin/true"], {}, 5.0, who=who, cwd=cwd, has_network=False).code:
                return False
        _fenced.add(who)
    return True
