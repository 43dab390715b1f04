import django.db.models.deletion
import django.utils.timezone
import tenants.scope
from django.db import migrations, models

from tenants.operations import SecureTenantTable


class Migration(migrations.Migration):

    dependencies = [
        ('consent', '0010_preference_links'),
        ('tenants', '0002_mail_of_checkpoints'),
    ]

    operations = [
        migrations.CreateModel(
            name='GivenCheckpoint',
            fields=[
                ('pk', models.CompositePrimaryKey('tenant_id', 'size', blank=True, editable=False, primary_key=True, serialize=False)),
                ('size', models.BigIntegerField()),
                ('given_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        SecureTenantTable('givencheckpoint'),
    ]
