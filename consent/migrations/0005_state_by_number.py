import django.db.models.deletion
import tenants.owned
import tenants.scope
from django.db import migrations, models

from tenants.operations import SecureTenantTable


DERIVE = """
INSERT INTO consent_consentstate (tenant_id, number, purpose, act, since, record_id)
SELECT DISTINCT ON (tenant_id, number, purpose) tenant_id, number, purpose, act, occurred_at, id
FROM (
    SELECT r.tenant_id, r.number, r.purpose, r.act, r.occurred_at, r.id FROM consent_consentrecord r
    WHERE r.purpose <> 'all'
    UNION ALL
    SELECT stop.tenant_id, stop.number, known.purpose, stop.act, stop.occurred_at, stop.id
    FROM consent_consentrecord stop
    JOIN LATERAL (
        SELECT DISTINCT before.purpose FROM consent_consentrecord before
        WHERE before.tenant_id = stop.tenant_id AND before.number = stop.number
          AND before.purpose <> 'all' AND before.id < stop.id
    ) known ON true
    WHERE stop.purpose = 'all'
) acts
ORDER BY tenant_id, number, purpose, id DESC
"""


class Migration(migrations.Migration):

    dependencies = [
        ('consent', '0004_numbers_in_one_order'),
        ('tenants', '0007_audit_search'),
    ]

    operations = [
        # A projection: it is made anew with its natural key and derived from the records again.
        migrations.DeleteModel('ConsentState'),
        migrations.AlterField(
            model_name='consentrecord',
            name='act',
            field=models.CharField(choices=[('opt_in', 'Opted in'), ('opt_out', 'Opted out'), ('void', 'Taken back: recorded in error')], max_length=8),
        ),
        migrations.AlterField(
            model_name='consentrecord',
            name='tenant',
            field=models.ForeignKey(db_constraint=False, db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant'),
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
            },
        ),
        SecureTenantTable('consentstate'),
        migrations.RunSQL(DERIVE, migrations.RunSQL.noop),
    ]
