import common.ids
import django.db.models.deletion
import django.utils.timezone
import tenants.scope
from django.conf import settings
from django.db import migrations, models

from tenants.operations import SecureTenantTable


class Migration(migrations.Migration):

    dependencies = [
        ('contacts', '0011_exports'),
        ('tenants', '0010_allowed_countries'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ContactFilter',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=80)),
                ('rule', models.JSONField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('created_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.AddField(
            model_name='contact',
            name='last_inbound_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(condition=models.Q(('last_inbound_at__isnull', False)), fields=['tenant', 'last_inbound_at'], name='contact_last_inbound'),
        ),
        migrations.AddConstraint(
            model_name='contactfilter',
            constraint=models.UniqueConstraint(fields=('tenant', 'name'), name='contact_filter_name_once'),
        ),
        SecureTenantTable('contactfilter'),
    ]
