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
        ('messaging', '0001_initial'),
        ('tenants', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Campaign',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=120)),
                ('purpose', models.CharField(choices=[('marketing', 'Offers and news'), ('transactional', 'Orders and bookings')], default='marketing', max_length=14)),
                ('body', models.TextField(blank=True, max_length=1600, verbose_name='text')),
                ('stop_footer', models.BooleanField(default=True, verbose_name='end with “Reply STOP to opt out”')),
                ('everyone', models.BooleanField(default=False, verbose_name='all contacts')),
                ('status', models.CharField(choices=[('draft', 'Draft'), ('scheduled', 'Scheduled'), ('launching', 'Starting'), ('sending', 'Sending'), ('paused', 'Paused'), ('completed', 'Completed'), ('cancelled', 'Cancelled')], default='draft', max_length=10)),
                ('scheduled_at', models.DateTimeField(blank=True, null=True)),
                ('launched_at', models.DateTimeField(null=True)),
                ('planned_at', models.DateTimeField(null=True)),
                ('plan_failures', models.PositiveSmallIntegerField(default=0)),
                ('plan_again_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('audience_count', models.PositiveIntegerField(default=0)),
                ('reply_count', models.PositiveIntegerField(default=0)),
                ('opt_out_count', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('created_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('sender', tenants.owned.TenantForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='messaging.sender')),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['tenant', '-created_at'], name='campaign_newest'), models.Index(condition=models.Q(('status__in', ['scheduled', 'launching', 'sending'])), fields=['status', 'scheduled_at'], name='campaign_at_work'), models.Index(condition=models.Q(('launched_at__isnull', False), ('planned_at', None), ('status', 'cancelled')), fields=['launched_at'], name='campaign_cancelled_early')],
            },
        ),
        migrations.CreateModel(
            name='AudienceChoice',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('excluded', models.BooleanField(default=False)),
                ('contact_filter', tenants.owned.TenantForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='contacts.contactfilter')),
                ('contact_list', tenants.owned.TenantForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='contacts.contactlist')),
                ('tag', tenants.owned.TenantForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='contacts.tag')),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
                ('campaign', tenants.owned.TenantForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='campaigns.campaign')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant', 'campaign', 'contact_list', 'tag', 'contact_filter'), name='audience_choice_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(models.Q(('contact_filter', None), ('contact_list__isnull', False), ('tag', None)), models.Q(('contact_filter', None), ('contact_list', None), ('tag__isnull', False)), models.Q(('contact_filter__isnull', False), ('contact_list', None), ('tag', None)), _connector='OR'), name='audience_choice_one_thing')],
            },
        ),
        migrations.CreateModel(
            name='CampaignRecipient',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.CharField(max_length=16)),
                ('replied_at', models.DateTimeField(null=True)),
                ('opted_out_at', models.DateTimeField(null=True)),
                ('campaign', tenants.owned.TenantForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='campaigns.campaign')),
                ('contact', tenants.owned.TenantForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='contacts.contact')),
                ('message', tenants.owned.TenantForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='messaging.message')),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(condition=models.Q(('message', None)), fields=['tenant', 'campaign', 'id'], name='recipient_to_plan'), models.Index(fields=['tenant', 'campaign', 'number'], name='recipient_number'), models.Index(fields=['tenant', 'message'], name='recipient_message')],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'campaign', 'contact'), name='campaign_recipient_once')],
            },
        ),
        SecureTenantTable('campaign'),
        SecureTenantTable('audiencechoice'),
        SecureTenantTable('campaignrecipient'),
    ]
