from django.db import migrations, models


def first(apps, schema_editor):
    apps.get_model("rooms", "Room").objects.create(name="Lobby")


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Room",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
            ],
        ),
        migrations.RunPython(first, migrations.RunPython.noop),
    ]
