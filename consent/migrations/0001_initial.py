import common.ids
import django.db.models.deletion
import django.utils.timezone
import tenants.owned
import tenants.scope
from django.conf import settings
from django.db import migrations, models

from tenants.operations import SecureTenantTable


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('tenants', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='ConsentRecord',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.CharField(max_length=16)),
                ('purpose', models.CharField(choices=[('marketing', 'Offers and news'), ('transactional', 'Orders and bookings'), ('reminder', 'Reminders'), ('support', 'Conversations and support'), ('verification', 'One-time codes'), ('internal', 'Own team'), ('all', 'Everything')], max_length=14)),
                ('act', models.CharField(choices=[('opt_in', 'Opted in'), ('opt_out', 'Opted out'), ('void', 'Taken back: recorded in error')], max_length=8)),
                ('source', models.CharField(choices=[('web_form', 'Web form'), ('paper', 'Signed paper form'), ('text_to_join', 'Texted a keyword to join'), ('reply', 'Reply by text'), ('verbal', 'Said so to staff'), ('existing_customer', 'Gave the number as a customer'), ('api', "Sent by the business's own system"), ('staff', 'Recorded by staff'), ('import', 'Said so in an imported file'), ('provider', 'Reported by the provider')], max_length=20)),
                ('wording', models.TextField(blank=True)),
                ('evidence', models.JSONField(default=dict)),
                ('occurred_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('recorded_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('actor', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('tenant', models.ForeignKey(db_constraint=False, db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['tenant', 'number', 'id'], name='consent_record_number')],
            },
        ),
        migrations.CreateModel(
            name='ConsentState',
            fields=[
                ('pk', models.CompositePrimaryKey('tenant_id', 'number', 'purpose', blank=True, editable=False, primary_key=True, serialize=False)),
                ('number', models.CharField(db_collation='C', max_length=16)),
                ('purpose', models.CharField(choices=[('marketing', 'Offers and news'), ('transactional', 'Orders and bookings'), ('reminder', 'Reminders'), ('support', 'Conversations and support'), ('verification', 'One-time codes'), ('internal', 'Own team')], max_length=14)),
                ('act', models.CharField(choices=[('opt_in', 'Opted in'), ('opt_out', 'Opted out'), ('void', 'Taken back: recorded in error')], max_length=8)),
                ('since', models.DateTimeField()),
                ('record', tenants.owned.TenantForeignKey(enforced=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consent.consentrecord')),
                ('tenant', models.ForeignKey(db_constraint=False, db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(condition=models.Q(('act', 'opt_out'), models.Q(('purpose', 'marketing'), _negated=True), _connector='OR'), fields=['tenant', 'purpose', 'act', 'number'], name='consent_state_rarer')],
            },
        ),
        migrations.CreateModel(
            name='PossibleOptOut',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.CharField(db_collation='C', max_length=16)),
                ('wording', models.TextField(blank=True)),
                ('evidence', models.JSONField(default=dict)),
                ('raised_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('settled_at', models.DateTimeField(null=True)),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(condition=models.Q(('settled_at', None)), fields=('tenant', 'number'), name='possible_opt_out_open_once')],
            },
        ),
        migrations.CreateModel(
            name='Suppression',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.CharField(db_collation='C', max_length=16)),
                ('reason', models.CharField(choices=[('opted_out', 'Opted out'), ('provider_block', 'The provider reports an opt-out')], max_length=16)),
                ('since', models.DateTimeField(default=django.utils.timezone.now)),
                ('lifted_at', models.DateTimeField(null=True)),
                ('record', tenants.owned.TenantForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consent.consentrecord')),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(condition=models.Q(('lifted_at', None)), fields=('tenant', 'number'), name='suppression_active_once')],
            },
        ),
        SecureTenantTable('consentrecord', append_only=True),
        SecureTenantTable('consentstate'),
        SecureTenantTable('possibleoptout'),
        SecureTenantTable('suppression'),
    ]
