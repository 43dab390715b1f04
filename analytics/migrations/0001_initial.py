import common.ids
import django.db.models.deletion
import tenants.scope
from django.db import migrations, models

from tenants.operations import SecureTenantTable


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('tenants', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='DailyFigure',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('metric', models.CharField(choices=[('sent', 'Sent'), ('delivered', 'Delivered'), ('replies', 'Replies'), ('opt_outs', 'Opt-outs')], max_length=10)),
                ('value', models.PositiveIntegerField(default=0)),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant', 'day', 'metric'), name='daily_figure_once')],
            },
        ),
        SecureTenantTable('dailyfigure'),
    ]
