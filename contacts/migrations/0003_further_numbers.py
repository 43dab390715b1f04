import common.ids
import django.db.models.deletion
import django.utils.timezone
import tenants.owned
import tenants.scope
from django.db import migrations, models

from tenants.operations import SecureTenantTable


class Migration(migrations.Migration):

    dependencies = [
        ('contacts', '0002_contactimport_tries'),
        ('tenants', '0003_audit_log'),
    ]

    operations = [
        migrations.CreateModel(
            name='ContactNumber',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.CharField(db_collation='C', max_length=16)),
                ('label', models.CharField(blank=True, max_length=40)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('contact', tenants.owned.TenantForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='contacts.contact')),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['tenant', 'contact'], name='further_number_contact')],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'number'), name='further_number_once')],
            },
        ),
        SecureTenantTable('contactnumber'),
    ]
