import common.ids
import django.core.validators
import django.db.models.deletion
import tenants.scope
from django.db import migrations, models

from tenants.operations import SecureTenantTable


class Migration(migrations.Migration):

    dependencies = [
        ('messaging', '0015_part_price'),
        ('tenants', '0002_mail_of_checkpoints'),
    ]

    operations = [
        migrations.CreateModel(
            name='MonthSpend',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('month', models.DateField()),
                ('share', models.PositiveSmallIntegerField()),
                ('parts', models.PositiveBigIntegerField(default=0)),
                ('micros', models.PositiveBigIntegerField(default=0)),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='SpendLimit',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('micros', models.PositiveBigIntegerField(validators=[django.core.validators.MinValueValidator(1000000), django.core.validators.MaxValueValidator(1000000000000000)])),
                ('changed_at', models.DateTimeField(auto_now=True)),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.AddIndex(
            model_name='batch',
            index=models.Index(fields=['tenant', 'purpose', 'created_at'], name='batch_purpose'),
        ),
        migrations.AddConstraint(
            model_name='monthspend',
            constraint=models.UniqueConstraint(fields=('tenant', 'month', 'share'), name='month_spend_once'),
        ),
        migrations.AddConstraint(
            model_name='spendlimit',
            constraint=models.UniqueConstraint(fields=('tenant',), name='spend_limit_once'),
        ),
        SecureTenantTable('monthspend'),
        SecureTenantTable('spendlimit'),
    ]
