"""Fetches one pinned wheel where neither pip nor ensurepip is there: from an index or from Debian.

https://packaging.python.org/en/latest/specifications/simple-repository-api/
"""

import hashlib
import json
import re
import ssl
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wedsync_cli.words import last_words

_JSON = "application/vnd.pypi.simple.v1+json"  # the media type of the specification
_CERTIFICATES = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@dataclass(frozen=True)
class Wheel:
    name: str
    url: str
    sha256: str


def newest_wheel(page: Mapping[str, Any], *, project: str, at_most: str, base: str) -> Wheel | None:
    """The highest pure-Python wheel whose version is not above `at_most`; pages are not sorted."""
    found: list[tuple[tuple[int, ...], Wheel]] = []
    for file in page.get("files", []):
        match = re.fullmatch(rf"{project}-(\d+(?:\.\d+)*)-py3-none-any\.whl", file["filename"])
        sha256 = file.get("hashes", {}).get("sha256")
        if match and sha256 and not file.get("yanked") and _version(match[1]) <= _version(at_most):
            url = urllib.parse.urljoin(base, file["url"])
            found.append((_version(match[1]), Wheel(file["filename"], url, sha256)))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def fetch_wheel(
    project: str, *, index: str, at_most: str, into: Path, env: Mapping[str, str]
) -> Path:
    """Raises OSError (urllib's own words) or ValueError with a sentence."""
    base = f"{index.rstrip('/')}/{project}/"
    page = json.loads(download(base, env=env, accept=_JSON))
    wheel = newest_wheel(page, project=project, at_most=at_most, base=base)
    if wheel is None:
        raise ValueError(f"The package index offers no wheel of {project} up to {at_most}.")
    content = download(wheel.url, env=env)
    if hashlib.sha256(content).hexdigest() != wheel.sha256:
        raise ValueError(f"{wheel.name} arrived damaged: its sha256 is not the index's.")
    path = into / wheel.name
    path.write_bytes(content)
    return path


def unpack_debian_wheel(project: str, *, into: Path) -> Path:
    """The wheel that Debian keeps for its own ensurepip, from its package of that name.

    Raises OSError or ValueError with a sentence; needs no root, but apt's lists of packages.
    """
    package = f"python3-{project}-whl"
    for argv in (["apt-get", "download", package], ["sh", "-c", "dpkg-deb -x ./*.deb ."]):
        done = subprocess.run(argv, cwd=into, capture_output=True, text=True)
        if done.returncode:
            raise ValueError(f"apt could not download {package}: {last_words(done.stderr)}")
    found = sorted(into.glob(f"usr/share/python-wheels/{project}-*.whl"))
    if not found:
        raise ValueError(f"There is no wheel of {project} in {package}.")
    return found[0]


def download(url: str, *, env: Mapping[str, str], accept: str = "*/*") -> bytes:
    certificates = next((env[name] for name in _CERTIFICATES if env.get(name)), None)
    secure = ssl.create_default_context(cafile=certificates)
    request = urllib.request.Request(url, headers={"Accept": accept, "User-Agent": "wedsync"})
    with urllib.request.urlopen(request, timeout=60, context=secure) as answer:
        content: bytes = answer.read()
    return content


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))
