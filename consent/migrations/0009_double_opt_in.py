import common.ids
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import tenants.owned
import tenants.scope
from django.db import migrations, models

from tenants.operations import SecureTenantTable


class Migration(migrations.Migration):

    dependencies = [
        ('consent', '0008_validity'),
        ('tenants', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='DoubleOptIn',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('doors', models.JSONField(blank=True, default=list)),
                ('days', models.PositiveSmallIntegerField(default=7, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(90)])),
                ('changed_at', models.DateTimeField(auto_now=True)),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant',), name='double_opt_in_once')],
            },
        ),
        migrations.CreateModel(
            name='PendingOptIn',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.CharField(db_collation='C', max_length=16)),
                ('since', models.DateTimeField(default=django.utils.timezone.now)),
                ('asked_at', models.DateTimeField(null=True)),
                ('confirmed_at', models.DateTimeField(null=True)),
                ('record', tenants.owned.TenantForeignKey(enforced=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consent.consentrecord')),
                ('tenant', models.ForeignKey(db_constraint=False, db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(condition=models.Q(('asked_at', None), ('confirmed_at', None)), fields=['tenant', 'id'], name='pending_opt_in_to_ask'), models.Index(fields=['tenant', 'number'], name='pending_opt_in_number')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('confirmed_at', None)), fields=('tenant', 'number'), name='pending_opt_in_open_once')],
            },
        ),
        SecureTenantTable('doubleoptin'),
        SecureTenantTable('pendingoptin'),
    ]
