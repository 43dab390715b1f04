from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='campaign',
            name='plan_failures',
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='campaign',
            name='plan_again_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name='campaign',
            index=models.Index(condition=models.Q(('launched_at__isnull', False), ('planned_at', None), ('status', 'cancelled')), fields=['launched_at'], name='campaign_cancelled_early'),
        ),
    ]
