"""The real settings of the embedded stack over a data folder of this process's own.

WEDSYNC_TEST_DATABASE: unset is SQLite; `postgresql` a server of this run's own; or a server's URL.
"""

import atexit
import os
import shutil
import tempfile

from tests import ports, postgres

os.environ["WEDSYNC_EMBEDDED"] = "1"
os.environ["WEDSYNC_DATA"] = tempfile.mkdtemp(prefix="wedsync-test-")
os.environ["WEDSYNC_SECRET_KEY"] = "only-for-tests"
os.environ["WEDSYNC_VALKEY_URL"] = f"redis://127.0.0.1:{ports.keep()}/0"
os.environ.pop("WEDSYNC_CLOCK_OFFSET", None)
os.environ.pop("DATABASE_URL", None)
os.environ.pop("DATABASE_URL_FILE", None)
if os.environ.get("WEDSYNC_TEST_DATABASE") == "postgresql":
    os.environ["WEDSYNC_TEST_DATABASE"] = postgres.start()  # for xdist's workers too

from wedsync_loadtest import environment
from wedsync_loadtest.settings import *  # noqa: F403
from wedsync_loadtest.settings import DATABASES, STATIC_ROOT, STORAGES, WEDSYNC_DATA

if os.environ.get("WEDSYNC_TEST_DATABASE"):
    DATABASES["default"] = environment.database("WEDSYNC_TEST_DATABASE", default=WEDSYNC_DATA)
else:  # a file, because threads share it
    DATABASES["default"]["TEST"] = {"NAME": os.environ["WEDSYNC_DATA"] + "/test.sqlite3"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
STATIC_ROOT.mkdir()
atexit.register(shutil.rmtree, WEDSYNC_DATA, ignore_errors=True)
