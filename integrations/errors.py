"""Why an outside call gave no answer, in sentences. None of them can hold a secret of a URL."""


class CallFailed(Exception):
    """There is no answer; the text is a whole sentence that a person may read."""


class Refused(CallFailed):
    """We did not call: no web address, or one that this caller may not reach."""


class Forbidden(Refused):
    """The address is not public, and this caller allows no such network."""


class Unreachable(CallFailed):
    """No connection, or one that broke before the answer was whole."""


class TooSlow(CallFailed):
    """The answer was not whole in time. The other side may have acted all the same."""


class TooLarge(CallFailed):
    """The answer is larger than its limit, as sent or unpacked."""


class Garbled(CallFailed):
    """The answer is no HTTP, or is packed in a way that we cannot undo."""
