"""The real settings of the embedded stack over a data folder of this process's own."""

import os
import tempfile

os.environ["WEDSYNC_EMBEDDED"] = "1"
os.environ["WEDSYNC_DATA"] = tempfile.mkdtemp(prefix="wedsync-test-")
os.environ["WEDSYNC_SECRET_KEY"] = "only-for-tests"
os.environ.pop("WEDSYNC_CLOCK_OFFSET", None)

from wedsync_loadtest.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
