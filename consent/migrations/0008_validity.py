import common.ids
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import tenants.scope
from django.db import migrations, models

from consent.validity import store_carried_windows
from tenants.operations import SecureTenantTable

MONTHS = [django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(120)]
SOURCES = [('web_form', 'Web form'), ('paper', 'Signed paper form'), ('text_to_join', 'Texted a keyword to join'), ('reply', 'Reply by text'), ('verbal', 'Said so to staff'), ('existing_customer', 'Gave the number as a customer'), ('inquiry', 'Asked or applied for something'), ('api', "Sent by the business's own system"), ('staff', 'Recorded by staff'), ('import', 'Said so in an imported file'), ('provider', 'Reported by the provider')]


def store(apps, schema_editor):
    store_carried_windows(apps.get_model('consent', 'ImpliedConsentLaw'))


class Migration(migrations.Migration):

    dependencies = [
        ('consent', '0007_numbers'),
        ('tenants', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='consentrecord',
            name='source',
            field=models.CharField(choices=SOURCES, max_length=20),
        ),
        migrations.CreateModel(
            name='ImpliedConsentLaw',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('jurisdiction', models.CharField(help_text='A country, such as CA.', max_length=2)),
                ('name', models.CharField(max_length=80)),
                ('law', models.TextField()),
                ('basis', models.CharField(choices=SOURCES, max_length=20, verbose_name='inferred from')),
                ('months', models.PositiveSmallIntegerField(validators=MONTHS, verbose_name='counts for so many months')),
                ('certainty', models.CharField(max_length=40)),
                ('sources', models.TextField()),
                ('notes', models.TextField(blank=True)),
                ('effective_from', models.DateField(blank=True, help_text='The first day; empty: always.', null=True)),
                ('effective_until', models.DateField(blank=True, help_text='The first day without it; empty: for ever.', null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('changed_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'ordering': ['jurisdiction', 'basis', 'effective_from', 'id'],
                'constraints': [models.UniqueConstraint(fields=('jurisdiction', 'basis', 'effective_from'), name='implied_consent_law_once', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='ConsentExpiry',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('purpose', models.CharField(choices=[('marketing', 'Offers and news'), ('transactional', 'Orders and bookings'), ('reminder', 'Reminders'), ('support', 'Conversations and support'), ('verification', 'One-time codes'), ('internal', 'Own team')], max_length=14)),
                ('months', models.PositiveSmallIntegerField(validators=MONTHS)),
                ('changed_at', models.DateTimeField(auto_now=True)),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant', 'purpose'), name='consent_expiry_once')],
            },
        ),
        SecureTenantTable('consentexpiry'),
        migrations.RunPython(store, migrations.RunPython.noop),
    ]
