from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("board", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="note",
            name="changed",
            field=models.DateTimeField(auto_now=True),
        ),
        migrations.AlterModelOptions(name="note", options={"ordering": ["-changed", "-pk"]}),
    ]
