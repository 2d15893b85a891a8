from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("runs", "0003_this_machine")]

    operations = [
        migrations.AddField(
            model_name="run", name="rolled_at", field=models.DateTimeField(null=True)
        )
    ]
