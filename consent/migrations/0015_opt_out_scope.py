import common.ids
import django.db.models.deletion
import django.utils.timezone
import tenants.owned
import tenants.scope
from django.db import migrations, models

from tenants.operations import SecureTenantTable


class Migration(migrations.Migration):

    dependencies = [
        ('consent', '0014_evidence_retention'),
        ('tenants', '0002_mail_of_checkpoints'),
    ]

    operations = [
        migrations.CreateModel(
            name='EndedPurpose',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.CharField(db_collation='C', max_length=16)),
                ('purpose', models.CharField(choices=[('marketing', 'Offers and news'), ('transactional', 'Orders and bookings'), ('reminder', 'Reminders'), ('support', 'Conversations and support'), ('verification', 'One-time codes'), ('internal', 'Own team')], max_length=14)),
                ('since', models.DateTimeField(default=django.utils.timezone.now)),
                ('record', tenants.owned.TenantForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consent.consentrecord')),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['tenant', 'id'], name='ended_purpose_to_follow')],
            },
        ),
        migrations.CreateModel(
            name='OptOutQuestion',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.CharField(db_collation='C', max_length=16)),
                ('purpose', models.CharField(choices=[('marketing', 'Offers and news'), ('transactional', 'Orders and bookings'), ('reminder', 'Reminders'), ('support', 'Conversations and support'), ('verification', 'One-time codes'), ('internal', 'Own team')], max_length=14)),
                ('language', models.CharField(blank=True, default='', max_length=5)),
                ('asked_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('answered_at', models.DateTimeField(null=True)),
                ('record', tenants.owned.TenantForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consent.consentrecord')),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['tenant', 'number', 'id'], name='opt_out_question_number')],
            },
        ),
        migrations.CreateModel(
            name='OptOutRules',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('keep', models.CharField(blank=True, choices=[('', 'Nothing: every text ends'), ('reminder', 'Appointment reminders'), ('transactional', 'News about orders and bookings')], default='', max_length=14)),
                ('offers_alone', models.BooleanField(default=False)),
                ('changed_at', models.DateTimeField(auto_now=True)),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant',), name='opt_out_rules_once')],
            },
        ),
        SecureTenantTable('endedpurpose'),
        SecureTenantTable('optoutquestion'),
        SecureTenantTable('optoutrules'),
    ]
