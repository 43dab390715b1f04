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
        ('contacts', '0001_initial'),
        ('tenants', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Batch',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('lane', models.CharField(choices=[('verification', 'verification'), ('conversation', 'conversation'), ('transactional', 'transactional'), ('reminder', 'reminder'), ('marketing', 'marketing')], max_length=14)),
                ('purpose', models.CharField(choices=[('marketing', 'Offers and news'), ('transactional', 'Orders and bookings'), ('reminder', 'Reminders'), ('support', 'Conversations and support'), ('verification', 'One-time codes'), ('internal', 'Own team')], max_length=14)),
                ('state', models.CharField(choices=[('queued', 'Queued'), ('leased', 'Being handed over'), ('done', 'Done'), ('cancelled', 'Cancelled')], default='queued', max_length=10)),
                ('held', models.BooleanField(default=False)),
                ('cause_kind', models.CharField(max_length=20)),
                ('cause_id', models.UUIDField(null=True)),
                ('exemption', models.CharField(blank=True, max_length=24)),
                ('not_before', models.DateTimeField(default=django.utils.timezone.now)),
                ('leased_until', models.DateTimeField(null=True)),
                ('lease', models.UUIDField(null=True)),
                ('tally', models.JSONField(default=dict)),
                ('part_count', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='InboundMessage',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('provider_message_id', models.CharField(max_length=64)),
                ('number', models.CharField(max_length=16)),
                ('body', models.TextField(blank=True)),
                ('media_count', models.PositiveSmallIntegerField(default=0)),
                ('intent', models.CharField(choices=[('opt_out', 'Opt-out'), ('opt_in', 'Opt-in'), ('help', 'Help'), ('other', 'Message')], default='other', max_length=8)),
                ('certain', models.BooleanField(default=True)),
                ('payload', models.JSONField(default=dict)),
                ('received_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('handled_at', models.DateTimeField(null=True)),
                ('contact', tenants.owned.TenantForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='contacts.contact')),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='Message',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.CharField(max_length=16)),
                ('body', models.TextField()),
                ('encoding', models.CharField(max_length=5)),
                ('part_count', models.PositiveSmallIntegerField()),
                ('status', models.CharField(choices=[('queued', 'Queued'), ('deferred', 'Waits'), ('submitting', 'Being handed over'), ('accepted', 'Accepted by the provider'), ('sent', 'Sent'), ('delivered', 'Delivered'), ('undelivered', 'Undelivered'), ('failed', 'Failed'), ('unknown', 'Not known yet'), ('unconfirmed', 'Never confirmed'), ('blocked', 'Not sent'), ('cancelled', 'Cancelled'), ('expired', 'Expired')], default='queued', max_length=12)),
                ('error_code', models.CharField(blank=True, max_length=24)),
                ('decision', models.JSONField(default=dict)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('status_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('batch', tenants.owned.TenantForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='messaging.batch')),
                ('contact', tenants.owned.TenantForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='contacts.contact')),
                ('in_reply_to', tenants.owned.TenantForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='messaging.inboundmessage')),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
                ('written_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='ProviderAccount',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('twilio', 'Twilio'), ('simulator', 'Simulated phone network')], max_length=12)),
                ('name', models.CharField(max_length=80)),
                ('status', models.CharField(choices=[('active', 'Active'), ('paused', 'Paused')], default='active', max_length=8)),
                ('encrypted_credentials', models.BinaryField()),
                ('account_reference', models.CharField(blank=True, max_length=64)),
                ('max_in_flight', models.PositiveIntegerField(default=256)),
                ('answers_keywords', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant', 'name'), name='provider_account_name_once')],
            },
        ),
        migrations.AddField(
            model_name='inboundmessage',
            name='provider_account',
            field=tenants.owned.TenantForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='messaging.provideraccount'),
        ),
        migrations.CreateModel(
            name='DeliveryReceipt',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('attempt_id', models.UUIDField(null=True)),
                ('provider_message_id', models.CharField(max_length=64)),
                ('provider_status', models.CharField(max_length=24)),
                ('status', models.CharField(blank=True, max_length=12)),
                ('number_opted_out', models.BooleanField(default=False)),
                ('error_code', models.CharField(blank=True, max_length=24)),
                ('payload', models.JSONField(default=dict)),
                ('received_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('applied_at', models.DateTimeField(null=True)),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
                ('provider_account', tenants.owned.TenantForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='messaging.provideraccount')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(condition=models.Q(('applied_at', None)), fields=['tenant', 'id'], name='receipt_to_apply')],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'provider_account', 'provider_message_id', 'provider_status', 'error_code'), name='receipt_once')],
            },
        ),
        migrations.CreateModel(
            name='Attempt',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('n', models.PositiveSmallIntegerField(default=1)),
                ('state', models.CharField(choices=[('submitting', 'Being handed over'), ('accepted', 'Accepted'), ('rejected', 'Refused'), ('unknown', 'Not known'), ('absent', 'Proven not to have arrived')], default='submitting', max_length=10)),
                ('provider_message_id', models.CharField(blank=True, max_length=64)),
                ('error_code', models.CharField(blank=True, max_length=24)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('deadline', models.DateTimeField()),
                ('resolved_at', models.DateTimeField(null=True)),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
                ('message', tenants.owned.TenantForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='messaging.message')),
                ('provider_account', tenants.owned.TenantForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='messaging.provideraccount')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['tenant', 'message', 'n'], name='attempt_message'), models.Index(condition=models.Q(('state__in', ['submitting', 'unknown'])), fields=['deadline'], name='attempt_in_doubt')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ['submitting', 'unknown', 'accepted'])), fields=('tenant', 'message'), name='attempt_one_live')],
            },
        ),
        migrations.CreateModel(
            name='Sender',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('value', models.CharField(max_length=16, verbose_name='number')),
                ('label', models.CharField(blank=True, max_length=60)),
                ('kind', models.CharField(choices=[('long_code', 'Local number'), ('toll_free', 'Toll-free number'), ('short_code', 'Short code')], default='long_code', max_length=12)),
                ('country', models.CharField(default='US', max_length=2)),
                ('status', models.CharField(choices=[('active', 'Active'), ('paused', 'Paused')], default='active', max_length=8)),
                ('is_default', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('provider_account', tenants.owned.TenantForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='messaging.provideraccount')),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant', 'provider_account', 'value'), name='sender_once'), models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('tenant',), name='sender_one_default')],
            },
        ),
        migrations.AddField(
            model_name='message',
            name='sender',
            field=tenants.owned.TenantForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='messaging.sender'),
        ),
        migrations.AddField(
            model_name='inboundmessage',
            name='sender',
            field=tenants.owned.TenantForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='messaging.sender'),
        ),
        migrations.AddField(
            model_name='batch',
            name='sender',
            field=tenants.owned.TenantForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='messaging.sender'),
        ),
        migrations.CreateModel(
            name='SenderRegistration',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('brand', 'Brand (10DLC)'), ('campaign', 'Campaign (10DLC)'), ('toll_free', 'Toll-free verification'), ('short_code', 'Short code')], max_length=12)),
                ('status', models.CharField(choices=[('draft', 'Being prepared'), ('submitted', 'Submitted'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('expired', 'Expired')], default='draft', max_length=10)),
                ('reference', models.CharField(blank=True, max_length=80)),
                ('reason', models.CharField(blank=True, max_length=300, verbose_name='reason for a rejection')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('sender', tenants.owned.TenantForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='messaging.sender')),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['tenant', 'sender'], name='registration_sender')],
            },
        ),
        migrations.CreateModel(
            name='MessageTemplate',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=80)),
                ('purpose', models.CharField(choices=[('marketing', 'Offers and news'), ('transactional', 'Orders and bookings'), ('reminder', 'Reminders'), ('support', 'Conversations and support'), ('verification', 'One-time codes'), ('internal', 'Own team')], default='marketing', max_length=14)),
                ('body', models.TextField(max_length=1600, verbose_name='text')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant', 'name'), name='template_name_once')],
            },
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(fields=['tenant', 'batch'], name='message_batch'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(fields=['tenant', 'number', 'created_at'], name='message_thread'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.UniqueConstraint(condition=models.Q(('in_reply_to__isnull', False), ('written_by', None)), fields=('tenant', 'in_reply_to'), name='message_one_auto_reply'),
        ),
        migrations.AddIndex(
            model_name='inboundmessage',
            index=models.Index(fields=['tenant', 'number', 'received_at'], name='inbound_thread'),
        ),
        migrations.AddIndex(
            model_name='inboundmessage',
            index=models.Index(fields=['tenant', 'received_at'], name='inbound_newest'),
        ),
        migrations.AddIndex(
            model_name='inboundmessage',
            index=models.Index(condition=models.Q(('handled_at', None)), fields=['received_at'], name='inbound_to_handle'),
        ),
        migrations.AddConstraint(
            model_name='inboundmessage',
            constraint=models.UniqueConstraint(fields=('tenant', 'provider_account', 'provider_message_id'), name='inbound_once'),
        ),
        migrations.AddIndex(
            model_name='batch',
            index=models.Index(condition=models.Q(('held', False), ('state', 'queued')), fields=['lane', 'not_before'], name='batch_due'),
        ),
        migrations.AddIndex(
            model_name='batch',
            index=models.Index(condition=models.Q(('state', 'leased')), fields=['leased_until'], name='batch_leased'),
        ),
        migrations.AddIndex(
            model_name='batch',
            index=models.Index(fields=['tenant', 'cause_id'], name='batch_cause'),
        ),
        migrations.AddIndex(
            model_name='batch',
            index=models.Index(fields=['tenant', 'created_at'], name='batch_created'),
        ),
        SecureTenantTable('batch'),
        SecureTenantTable('inboundmessage'),
        SecureTenantTable('message'),
        SecureTenantTable('provideraccount'),
        SecureTenantTable('deliveryreceipt'),
        SecureTenantTable('attempt'),
        SecureTenantTable('sender'),
        SecureTenantTable('senderregistration'),
        SecureTenantTable('messagetemplate'),
    ]
