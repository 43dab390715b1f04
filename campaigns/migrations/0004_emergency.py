from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0003_pool'),
    ]

    operations = [
        migrations.AddField(
            model_name='campaign',
            name='emergency_reason',
            field=models.CharField(blank=True, db_default='', default='', max_length=300),
        ),
    ]
