from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('contacts', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='contactimport',
            name='tries',
            field=models.PositiveSmallIntegerField(default=0),
        ),
    ]
