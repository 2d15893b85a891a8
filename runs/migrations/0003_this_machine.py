from datetime import timedelta

from django.db import migrations

HERE = {
    "hosts": ["localhost", "127.0.0.0/8", "::1"],
    "environment": "local",
    "max_duration": timedelta(hours=24),
}


def add_this_machine(apps, schema_editor):
    apps.get_model("runs", "Target").objects.get_or_create(name="This machine", defaults=HERE)


class Migration(migrations.Migration):
    dependencies = [("runs", "0002_targets_schedules_and_keys")]

    operations = [migrations.RunPython(add_this_machine, migrations.RunPython.noop)]
