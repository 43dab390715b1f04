import common.ids
import django.db.models.deletion
import django.utils.timezone
import tenants.scope
from django.db import migrations, models

from tenants.operations import SecureTenantTable


class Migration(migrations.Migration):

    dependencies = [
        ('consent', '0006_daily_checkpoint'),
        ('tenants', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='NumberMark',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.CharField(db_collation='C', max_length=16)),
                ('kind', models.CharField(choices=[('invalid', 'There is no such number'), ('no_texts', 'It is a landline, or gets no texts'), ('gone', 'It is out of service'), ('blocked', 'The carrier blocks texts to it')], max_length=8)),
                ('code', models.CharField(max_length=24)),
                ('message_id', models.UUIDField()),
                ('first_at', models.DateTimeField()),
                ('holds_since', models.DateTimeField(null=True)),
                ('cleared_at', models.DateTimeField(null=True)),
                ('cleared_by', models.CharField(blank=True, choices=[('staff', 'Tried again by staff'), ('wrote', 'They wrote'), ('delivered', 'A text arrived')], max_length=9)),
                ('texts_spared', models.PositiveIntegerField(default=0)),
                ('parts_spared', models.PositiveIntegerField(default=0)),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(condition=models.Q(('cleared_at', None), ('holds_since__isnull', False)), fields=['tenant', 'id'], name='number_mark_in_force'), models.Index(condition=models.Q(('parts_spared__gt', 0)), fields=['tenant', 'parts_spared'], name='number_mark_spared'), models.Index(fields=['tenant', 'number'], name='number_mark_number')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('cleared_at', None)), fields=('tenant', 'number'), name='number_mark_open_once')],
            },
        ),
        migrations.CreateModel(
            name='ChangedNumber',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.CharField(db_collation='C', max_length=16)),
                ('day', models.DateField()),
                ('counts_from', models.DateTimeField()),
                ('source', models.CharField(choices=[('list', 'A list that was uploaded'), ('provider', 'The provider')], max_length=8)),
                ('recorded_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant', 'number'), name='changed_number_once')],
            },
        ),
        SecureTenantTable('numbermark'),
        SecureTenantTable('changednumber'),
    ]
