from django.db import migrations, models


def first(apps, schema_editor):
    apps.get_model("birds", "Bird").objects.create(name="Wren")


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Bird",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
            ],
        ),
        migrations.RunPython(first, migrations.RunPython.noop),
    ]
