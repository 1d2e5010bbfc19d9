from django.db import migrations


def make(apps, schema_editor):
    apps.get_model("tasks", "Turn").objects.get_or_create(pk=1)


class Migration(migrations.Migration):
    dependencies = [("tasks", "0001_initial")]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
