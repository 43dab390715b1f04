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
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ConsentRecord',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.CharField(max_length=16)),
                ('purpose', models.CharField(choices=[('marketing', 'Offers and news'), ('transactional', 'Orders and bookings'), ('reminder', 'Reminders'), ('support', 'Conversations and support'), ('verification', 'One-time codes'), ('internal', 'Own team'), ('all', 'Everything')], max_length=14)),
                ('act', models.CharField(choices=[('opt_in', 'Opted in'), ('opt_out', 'Opted out')], max_length=8)),
                ('source', models.CharField(choices=[('web_form', 'Web form'), ('paper', 'Signed paper form'), ('text_to_join', 'Texted a keyword to join'), ('reply', 'Reply by text'), ('verbal', 'Said so to staff'), ('existing_customer', 'Gave the number as a customer'), ('api', "Sent by the business's own system"), ('staff', 'Recorded by staff'), ('provider', 'Reported by the provider')], max_length=20)),
                ('wording', models.TextField(blank=True)),
                ('evidence', models.JSONField(default=dict)),
                ('occurred_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('recorded_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('actor', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='ConsentState',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.CharField(max_length=16)),
                ('purpose', models.CharField(choices=[('marketing', 'Offers and news'), ('transactional', 'Orders and bookings'), ('reminder', 'Reminders'), ('support', 'Conversations and support'), ('verification', 'One-time codes'), ('internal', 'Own team')], max_length=14)),
                ('act', models.CharField(choices=[('opt_in', 'Opted in'), ('opt_out', 'Opted out')], max_length=8)),
                ('since', models.DateTimeField()),
                ('record', tenants.owned.TenantForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consent.consentrecord')),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='Suppression',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.CharField(max_length=16)),
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
            },
        ),
        migrations.AddIndex(
            model_name='consentrecord',
            index=models.Index(fields=['tenant', 'number', 'id'], name='consent_record_number'),
        ),
        migrations.AddConstraint(
            model_name='consentstate',
            constraint=models.UniqueConstraint(fields=('tenant', 'number', 'purpose'), name='consent_state_once'),
        ),
        migrations.AddConstraint(
            model_name='suppression',
            constraint=models.UniqueConstraint(condition=models.Q(('lifted_at', None)), fields=('tenant', 'number'), name='suppression_active_once'),
        ),
        SecureTenantTable('consentrecord', append_only=True),
        SecureTenantTable('consentstate'),
        SecureTenantTable('suppression'),
    ]
