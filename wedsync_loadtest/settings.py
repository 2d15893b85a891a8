"""Composition only. The embedded stack sets WEDSYNC_EMBEDDED=1; everything else is explicit."""

import os
import zoneinfo
from pathlib import Path

import clock
from wedsync_loadtest import environment, guard

BASE_DIR = Path(__file__).resolve().parent.parent

WEDSYNC_EMBEDDED = environment.flag("WEDSYNC_EMBEDDED")
WEDSYNC_DATA = Path(os.environ.get("WEDSYNC_DATA", BASE_DIR / ".wedsync" / "data")).resolve()
WEDSYNC_VALKEY_URL = os.environ.get("WEDSYNC_VALKEY_URL", "redis://127.0.0.1:6379/0")
WEDSYNC_CLOCK_OFFSET = clock.offset().total_seconds()
environment.refuse_a_moved_clock(embedded=WEDSYNC_EMBEDDED, offset_s=WEDSYNC_CLOCK_OFFSET)
# Zones come from the wheel tzdata, so that every machine and process judges by the same data.
zoneinfo.reset_tzpath(to=())
WEDSYNC_GUARD = guard.policy()
# Calendar feeds: private networks that they may be read from, and folders for file: addresses.
WEDSYNC_FEED_NETWORKS = environment.networks("WEDSYNC_FEED_NETWORKS", "")
WEDSYNC_FEED_FOLDERS = environment.listing("WEDSYNC_FEED_FOLDERS")
# Networks that a load tool may reach, checked on the resolved address.
_LOOPBACK = "127.0.0.0/8,::1/128"
WEDSYNC_TARGET_NETWORKS = environment.networks("WEDSYNC_TARGET_NETWORKS", _LOOPBACK)
if WEDSYNC_CLOCK_OFFSET:  # a calendar that is not today's may open this machine only
    WEDSYNC_TARGET_NETWORKS = _LOOPBACK.split(",")
# How long what was measured is kept, by the seconds that one row spans; minutes are kept for good.
WEDSYNC_KEEP = {
    1: environment.duration("WEDSYNC_KEEP_SECONDS", "P7D"),
    10: environment.duration("WEDSYNC_KEEP_TEN_SECONDS", "P90D"),
}

SECRET_KEY = environment.secret("WEDSYNC_SECRET_KEY")
DEBUG = False
ALLOWED_HOSTS = environment.listing("WEDSYNC_HOSTS", "localhost,127.0.0.1,[::1]")
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"

ROOT_URLCONF = "wedsync_loadtest.urls"
ASGI_APPLICATION = "wedsync_loadtest.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "audit",
    "access",
    "calendar_guard",
    "streaming",
    "runs",
    "dashboard",
    "wedsync_loadtest",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {
    "default": environment.database("DATABASE_URL", default=WEDSYNC_DATA / "wedsync.sqlite3")
}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not WEDSYNC_EMBEDDED

STATIC_URL = "/static/"
STATIC_ROOT = WEDSYNC_DATA / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "wedsync_loadtest.static.ModuleManifestStorage"},
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "access.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
        "access.authentication.EmbeddedReader",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["wedsync_loadtest.parsing.BoundedJSONParser"],
    "EXCEPTION_HANDLER": "wedsync_loadtest.problems.handle",
}

# socket_timeout is explicit: the layer blocks for five seconds at a time by design.
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {
            "hosts": [{"address": WEDSYNC_VALKEY_URL, "socket_timeout": None}],
            "capacity": 1500,
            "expiry": 30,
        },
    }
}

CELERY_BROKER_URL = WEDSYNC_VALKEY_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 43200}
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_ROUTES = {
    "runs.execute": {"queue": "run"},
    "runs.execute_shard": {"queue": "run"},
}
CELERY_BEAT_SCHEDULE = {
    "sweep runs": {"task": "runs.sweep", "schedule": 1.0, "options": {"expires": 5}},
    "roll seconds up": {"task": "runs.roll_up", "schedule": 60.0, "options": {"expires": 60}},
    "forget old seconds": {"task": "runs.forget", "schedule": 3600.0, "options": {"expires": 600}},
    "tend the calendar": {
        "task": "calendar_guard.tick",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "runs": {"level": os.environ.get("WEDSYNC_LOG_LEVEL", "INFO")},
        "httpx": {"level": "WARNING"},
    },
}
