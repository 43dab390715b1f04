import common.ids
import django.core.validators
import django.db.models.deletion
import tenants.scope
from django.db import migrations, models

from tenants.operations import SecureTenantTable


class Migration(migrations.Migration):

    dependencies = [
        ('consent', '0013_purpose_rules'),
        ('tenants', '0002_mail_of_checkpoints'),
    ]

    operations = [
        migrations.CreateModel(
            name='EvidenceRetention',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('years', models.PositiveSmallIntegerField(default=5, validators=[django.core.validators.MinValueValidator(5), django.core.validators.MaxValueValidator(30)])),
                ('swept_on', models.DateField(blank=True, editable=False, null=True)),
                ('swept_to', models.UUIDField(blank=True, editable=False, null=True)),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant',), name='evidence_retention_once')],
            },
        ),
        SecureTenantTable('evidenceretention'),
    ]
