import common.ids
import django.db.models.deletion
import django.utils.timezone
import tenants.owned
import tenants.scope
from django.db import migrations, models

from tenants.operations import SecureTenantTable


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('contacts', '0001_initial'),
        ('tenants', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Conversation',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.CharField(max_length=16)),
                ('unread_count', models.PositiveIntegerField(default=0)),
                ('needs_review', models.BooleanField(default=False)),
                ('preview', models.CharField(blank=True, max_length=120)),
                ('last_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('closed_at', models.DateTimeField(null=True)),
                ('assigned_to', tenants.owned.TenantForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='tenants.membership')),
                ('contact', tenants.owned.TenantForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='contacts.contact')),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['tenant', '-last_at'], name='conversation_newest'), models.Index(fields=['tenant', 'assigned_to', '-last_at'], name='conversation_assigned'), models.Index(condition=models.Q(('unread_count__gt', 0)), fields=['tenant'], name='conversation_unread')],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'number'), name='conversation_once_per_number')],
            },
        ),
        SecureTenantTable('conversation'),
    ]
