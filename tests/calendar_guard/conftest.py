"""HYPOTHESIS_PROFILE=slow compares judge and reference ten thousand times instead of 300."""

import hypothesis
import pytest
from pytest_django.fixtures import Settings

for name, examples in (("usual", 300), ("slow", 10_000)):
    hypothesis.settings.register_profile(
        name,
        max_examples=examples,
        deadline=None,  # a busy machine is no error
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )


@pytest.fixture
def plain_static_files(settings: Settings) -> None:
    """No collected files: pages name them as they are, and nothing serves them."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]
