"""What a script brings along, judged by its words: files, variables, names of secrets, a CA."""

import base64
import binascii
import re
import ssl
from collections.abc import Collection, Mapping
from pathlib import PurePosixPath

from runs.request import Invalid, Request
from runs.tools import Tool

MOST_BYTES = 16 << 20
LONGEST_SCRIPT = 2 << 20
MOST_FILES = 200
MOST_HOSTS = 300
BASE64 = "base64:"
OURS = "wedsync"
_REFERENCE = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.IGNORECASE)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_RESERVED = {
    *("PATH", "HOME", "LANG", "TZ", "NO_COLOR", "TARGET", "USERS", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
}
_ANY_TOOLS = ("WEDSYNC_", "K6_", "ARTILLERY_", "NODE_", "PYTHON", "GO", "LD_", "LC_")
_NOT_FOR_SCRIPTS = {"KEY", "KEY_FILE", "FOLDER"}


def check(asked: Request, tool: Tool) -> None:
    """Raise Invalid for the first word that makes no sense to this tool."""
    if len(_text("script", "The script", asked.script)) > LONGEST_SCRIPT:
        raise Invalid("script", f"The script is longer than {_mib(LONGEST_SCRIPT)}.")
    files_of(asked.files)
    if len(_mapping("hosts", asked.hosts)) > MOST_HOSTS:
        raise Invalid("hosts", f"A test maps at most {MOST_HOSTS} hosts.")
    for field in ("variables", "secrets"):
        for name, value in _mapping(field, getattr(asked, field)).items():
            if field != "variables" or name not in tool.options:
                _check_name(field, name, tool.reserved)
            _text(field, f"The value of {name}", value)
    for name, reference in asked.secrets.items():
        check_reference(name, reference)
    if twice := set(asked.variables) & set(asked.secrets):
        raise Invalid("secrets", f"{min(twice)} is a variable and a secret; choose one.")
    check_ca(asked.ca)


def files_of(files: Mapping[str, str]) -> dict[PurePosixPath, bytes]:
    """Where each file goes below the work directory, and what is in it. Raises Invalid."""
    if len(_mapping("files", files)) > MOST_FILES:
        raise Invalid("files", f"A test brings at most {MOST_FILES} files.")
    found = {_path(name): _content(name, text) for name, text in files.items()}
    if sum(map(len, found.values())) > MOST_BYTES:
        raise Invalid("files", f"The files are more than {_mib(MOST_BYTES)} together.")
    for path in found:
        if any(parent in found for parent in path.parents):
            raise Invalid("files", f"{path} lies below another file.")
    return found


def check_reference(name: str, reference: str) -> str:
    """The environment's name for a secret that is called so. Raises Invalid."""
    variable = re.sub(r"[^A-Z0-9]", "_", reference.upper())
    if not _REFERENCE.fullmatch(reference) or variable in _NOT_FOR_SCRIPTS:
        raise Invalid(
            "secrets",
            f"What stands for {name} is no name of a secret; write a name like guest-api, never "
            "the value.",
        )
    return f"WEDSYNC_SECRET_{variable}"


def check_ca(pem: str) -> None:
    if not pem:
        return
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=pem)
        known = context.get_ca_certs()
    except (ssl.SSLError, ValueError, TypeError):
        known = []
    if not known:
        raise Invalid(
            "ca",
            "The certificate authority is no PEM certificate; paste it whole, from "
            "-----BEGIN CERTIFICATE----- on, and it must be one that may sign others.",
        )


def _mapping(field: str, words: object) -> Mapping[str, str]:
    if isinstance(words, Mapping) and all(
        isinstance(word, str) for pair in words.items() for word in pair
    ):
        return words
    raise Invalid(field, f'{field} is an object of texts: {{"NAME": "value"}}.')


def _text(field: str, subject: str, text: str) -> bytes:
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        encoded = b"\0"
    if b"\0" in encoded:
        raise Invalid(field, f"{subject} is not text; a binary file goes as {BASE64}… in files.")
    return encoded


def _check_name(field: str, name: str, reserved: Collection[str]) -> None:
    if not _VARIABLE.fullmatch(name):
        raise Invalid(field, f"{name!r} is no name of a variable; use letters, digits and _.")
    upper = name.upper()
    if upper in _RESERVED or upper in reserved or upper.startswith(_ANY_TOOLS):
        raise Invalid(
            field, f"{name} is set by WedSync or read by the tool itself; choose another."
        )


def _path(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    odd = "\0" in name or "\\" in name or not name.isprintable() or not path.parts
    if odd or path.is_absolute() or ".." in path.parts or str(path) != name.removeprefix("./"):
        raise Invalid("files", f"{name!r} is no path of a file; write it like data/guests.csv.")
    if path.parts[0].lower().startswith(OURS):
        raise Invalid("files", f"{name!r}: names that begin with {OURS} are taken; choose another.")
    if len(path.parts) > 16 or any(len(part.encode()) > 200 for part in path.parts):
        raise Invalid("files", f"{name[:80]!r}… is too long for a path.")
    return path


def _content(name: str, text: str) -> bytes:
    if not text.startswith(BASE64):
        return _text("files", f"The file {name}", text)
    try:
        return base64.b64decode(text.removeprefix(BASE64), validate=True)
    except (binascii.Error, ValueError):
        raise Invalid("files", f"The file {name} begins with {BASE64} but is not base64.") from None


def _mib(number: int) -> str:
    return f"{number >> 20} MiB"
