import common.ids
import django.db.models.deletion
import django.utils.timezone
import tenants.owned
import tenants.scope
from django.db import migrations, models

from tenants.operations import SecureTenantForeignKey, SecureTenantTable


def _drop(field):
    """The index of values is derived, and its keys are not looked up for each value."""
    name = f'contacts_contactvalue_{field}_id_wall'
    return migrations.RunSQL(
        f'ALTER TABLE contacts_contactvalue DROP CONSTRAINT "{name}"',
        f'ALTER TABLE contacts_contactvalue ADD CONSTRAINT "{name}" FOREIGN KEY (tenant_id, {field}_id) '
        f'REFERENCES contacts_contact{"" if field == "contact" else "field"} (tenant_id, id) DEFERRABLE INITIALLY DEFERRED',
    )


FORGET = """
UPDATE contacts_contactimport SET status = 'failed', finished_at = now(),
    problem = 'Files are kept in another way since an update of the platform, and this one was not imported before.'
WHERE status IN ('uploaded', 'queued', 'running')
"""


class Migration(migrations.Migration):

    dependencies = [
        ('contacts', '0013_duplicates'),
        ('tenants', '0007_audit_search'),
    ]

    operations = [
        # What is known of each row of earlier imports goes; what they did stays.
        migrations.DeleteModel('ImportRow'),
        migrations.DeleteModel('ImportFile'),
        migrations.RunSQL(FORGET, migrations.RunSQL.noop),
        *(_drop(field) for field in ('contact', 'field')),
        migrations.AddField(
            model_name='contactimport',
            name='columns_remembered',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='contactimport',
            name='corrects',
            field=tenants.owned.TenantForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='contacts.contactimport'),
        ),
        migrations.AddField(
            model_name='contactimport',
            name='encoding',
            field=models.CharField(default='utf-8', max_length=10),
        ),
        migrations.AddField(
            model_name='contactimport',
            name='header',
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name='contactimport',
            name='last_row',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='contactimport',
            name='rows_before',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='contactimport',
            name='rows_deleted_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='contactimport',
            name='sheet',
            field=models.CharField(blank=True, max_length=100),
        ),
        migrations.AddField(
            model_name='contactimport',
            name='undone_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='contactimport',
            name='warnings',
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name='contactimport',
            name='without_asking',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='contactimport',
            name='work_began_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name='contact',
            name='tenant',
            field=models.ForeignKey(db_constraint=False, db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant'),
        ),
        migrations.AlterField(
            model_name='contactimport',
            name='status',
            field=models.CharField(choices=[('uploaded', 'Waiting for your choices'), ('checking', 'Checking'), ('checked', 'Checked, waiting for your yes'), ('importing', 'Importing'), ('done', 'Done'), ('failed', 'Failed'), ('undoing', 'Undoing'), ('undone', 'Undone')], default='uploaded', max_length=10),
        ),
        migrations.AlterField(
            model_name='contactvalue',
            name='contact',
            field=tenants.owned.TenantForeignKey(enforced=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='contacts.contact'),
        ),
        migrations.AlterField(
            model_name='contactvalue',
            name='field',
            field=tenants.owned.TenantForeignKey(enforced=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='contacts.contactfield'),
        ),
        migrations.AlterField(
            model_name='contactvalue',
            name='tenant',
            field=models.ForeignKey(db_constraint=False, db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant'),
        ),
        migrations.CreateModel(
            name='ImportFilePart',
            fields=[
                ('pk', models.CompositePrimaryKey('tenant_id', 'contact_import_id', 'position', blank=True, editable=False, primary_key=True, serialize=False)),
                ('position', models.PositiveIntegerField()),
                ('content', models.BinaryField()),
                ('contact_import', tenants.owned.TenantForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='contacts.contactimport')),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='ImportRange',
            fields=[
                ('pk', models.CompositePrimaryKey('tenant_id', 'contact_import_id', 'work', 'first_row', blank=True, editable=False, primary_key=True, serialize=False)),
                ('work', models.CharField(choices=[('check', 'Check'), ('import', 'Import'), ('undo', 'Undo')], max_length=6)),
                ('first_row', models.PositiveIntegerField()),
                ('last_row', models.PositiveIntegerField()),
                ('rows', models.PositiveIntegerField()),
                ('contact_import', tenants.owned.TenantForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='contacts.contactimport')),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='ImportColumns',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('signature', models.CharField(max_length=64)),
                ('columns', models.JSONField()),
                ('chosen_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant', 'signature'), name='import_columns_once')],
            },
        ),
        migrations.CreateModel(
            name='ImportRow',
            fields=[
                ('pk', models.CompositePrimaryKey('tenant_id', 'contact_import_id', 'row_number', blank=True, editable=False, primary_key=True, serialize=False)),
                ('row_number', models.PositiveIntegerField()),
                ('outcome', models.CharField(choices=[('created', 'New contact'), ('updated', 'Contact changed'), ('unchanged', 'Nothing new'), ('merged', 'Same number as an earlier row'), ('rejected', 'Rejected')], max_length=10)),
                ('note', models.CharField(blank=True, max_length=20)),
                ('number', models.CharField(blank=True, max_length=16)),
                ('preferred', models.CharField(max_length=16, null=True)),
                ('contact_id', models.UUIDField(null=True)),
                ('first_name', models.CharField(blank=True, max_length=80)),
                ('last_name', models.CharField(blank=True, max_length=80)),
                ('first_key', models.CharField(max_length=80, null=True)),
                ('last_key', models.CharField(max_length=80, null=True)),
                ('email', models.CharField(blank=True, max_length=254)),
                ('language', models.CharField(blank=True, max_length=10)),
                ('timezone', models.CharField(blank=True, max_length=64)),
                ('fields', models.JSONField(default=dict)),
                ('said', models.CharField(blank=True, choices=[('yes', 'Yes'), ('no', 'No'), ('stop', 'Stop')], max_length=4)),
                ('is_repeated', models.BooleanField(default=False)),
                ('agreed_at', models.DateTimeField(null=True)),
                ('keys', models.JSONField(null=True)),
                ('evidence', models.JSONField(null=True)),
                ('problem', models.TextField(blank=True)),
                ('cells', models.JSONField(null=True)),
                ('before', models.JSONField(null=True)),
                ('undone', models.CharField(blank=True, max_length=10)),
                ('contact_import', tenants.owned.TenantForeignKey(enforced=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='contacts.contactimport')),
                ('tenant', models.ForeignKey(db_constraint=False, db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['tenant', 'contact_id'], name='import_row_contact'), models.Index(condition=models.Q(('outcome__in', ['merged', 'rejected'])), fields=['tenant', 'contact_import', 'outcome', 'row_number'], name='import_row_outcome'), models.Index(condition=models.Q(('note__in', ['opted_out', 'agreed_earlier'])), fields=['tenant', 'contact_import', 'note', 'row_number'], name='import_row_note')],
            },
        ),
        SecureTenantTable('importcolumns'),
        SecureTenantTable('importfilepart'),
        SecureTenantTable('importrange'),
        SecureTenantTable('importrow'),
        SecureTenantForeignKey('contactimport', 'corrects'),
    ]
