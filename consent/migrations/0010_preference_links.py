import common.ids
import django.db.models.deletion
import tenants.scope
from django.db import migrations, models

from tenants.operations import SecureTenantTable


class Migration(migrations.Migration):

    dependencies = [
        ('consent', '0009_double_opt_in'),
        ('tenants', '0002_mail_of_checkpoints'),
    ]

    operations = [
        migrations.AlterField(
            model_name='consentrecord',
            name='source',
            field=models.CharField(choices=[('web_form', 'Web form'), ('paper', 'Signed paper form'), ('text_to_join', 'Texted a keyword to join'), ('reply', 'Reply by text'), ('verbal', 'Said so to staff'), ('existing_customer', 'Gave the number as a customer'), ('inquiry', 'Asked or applied for something'), ('api', "Sent by the business's own system"), ('staff', 'Recorded by staff'), ('import', 'Said so in an imported file'), ('provider', 'Reported by the provider'), ('preferences', 'Chosen on their own page')], max_length=20),
        ),
        migrations.AlterField(
            model_name='impliedconsentlaw',
            name='basis',
            field=models.CharField(choices=[('web_form', 'Web form'), ('paper', 'Signed paper form'), ('text_to_join', 'Texted a keyword to join'), ('reply', 'Reply by text'), ('verbal', 'Said so to staff'), ('existing_customer', 'Gave the number as a customer'), ('inquiry', 'Asked or applied for something'), ('api', "Sent by the business's own system"), ('staff', 'Recorded by staff'), ('import', 'Said so in an imported file'), ('provider', 'Reported by the provider'), ('preferences', 'Chosen on their own page')], max_length=20, verbose_name='inferred from'),
        ),
        migrations.CreateModel(
            name='PreferenceLink',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.CharField(db_collation='C', max_length=16)),
                ('token_hash', models.CharField(db_collation='C', max_length=64)),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['token_hash'], name='preference_link_by_token'), models.Index(fields=['tenant', 'number'], name='preference_link_by_number')],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'token_hash'), name='preference_link_once')],
            },
        ),
        SecureTenantTable("preferencelink"),
    ]
