from django.db import migrations, models


def first(apps, schema_editor):
    apps.get_model("goods", "Good").objects.create(name="Teapot")


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Good",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
            ],
        ),
        migrations.RunPython(first, migrations.RunPython.noop),
    ]
