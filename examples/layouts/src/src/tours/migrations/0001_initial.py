from django.db import migrations, models


def first(apps, schema_editor):
    apps.get_model("tours", "Tour").objects.create(name="Harbour")


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Tour",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
            ],
        ),
        migrations.RunPython(first, migrations.RunPython.noop),
    ]
