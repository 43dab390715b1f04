import common.ids
import django.core.validators
import django.db.models.deletion
import tenants.scope
from django.conf import settings
from django.db import migrations, models

from tenants.operations import SecureTenantTable


class Migration(migrations.Migration):

    dependencies = [
        ('consent', '0012_append'),
        ('tenants', '0002_mail_of_checkpoints'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='PurposeRules',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('purpose', models.CharField(choices=[('marketing', 'Offers and news'), ('transactional', 'Orders and bookings'), ('reminder', 'Reminders'), ('support', 'Conversations and support'), ('verification', 'One-time codes'), ('internal', 'Own team')], max_length=14)),
                ('agreement', models.CharField(choices=[('law', 'As the law where they live asks'), ('express', 'Spoken or in writing'), ('written', 'In writing')], default='law', max_length=8)),
                ('footer', models.CharField(choices=[('always', 'Every text'), ('chosen', 'As chosen with each campaign'), ('first', 'Only the first text to a person')], default='always', max_length=8)),
                ('repeat_hours', models.PositiveSmallIntegerField(default=0, validators=[django.core.validators.MaxValueValidator(168)])),
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
            model_name='consentrecord',
            index=models.Index(condition=models.Q(('act', 'opt_in'), ('source__in', ['verbal', 'existing_customer', 'inquiry'])), fields=['tenant', 'purpose'], name='consent_record_weak'),
        ),
        migrations.AddConstraint(
            model_name='purposerules',
            constraint=models.UniqueConstraint(fields=('tenant', 'purpose'), name='purpose_rules_once'),
        ),
        SecureTenantTable('purposerules'),
    ]
