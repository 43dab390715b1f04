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
            name='Contact',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.CharField(db_collation='C', max_length=16)),
                ('first_name', models.CharField(blank=True, max_length=80)),
                ('last_name', models.CharField(blank=True, max_length=80)),
                ('first_key', models.CharField(db_collation='C', editable=False, max_length=80)),
                ('last_key', models.CharField(db_collation='C', editable=False, max_length=80)),
                ('email', models.CharField(blank=True, max_length=254)),
                ('language', models.CharField(blank=True, max_length=10)),
                ('timezone', models.CharField(blank=True, max_length=64)),
                ('fields', models.JSONField(default=dict)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='ContactList',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=80)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='ContactImport',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('file_name', models.CharField(max_length=200)),
                ('sha256', models.CharField(max_length=64)),
                ('status', models.CharField(choices=[('uploaded', 'Waiting for your choices'), ('queued', 'Waiting to start'), ('running', 'Importing'), ('done', 'Done'), ('failed', 'Failed')], default='uploaded', max_length=10)),
                ('columns', models.JSONField(default=list)),
                ('basis', models.CharField(blank=True, choices=[('web_form', 'They ticked a box on a web form'), ('paper', 'They signed a paper form'), ('text_to_join', 'They texted a keyword to join'), ('verbal', 'They said so to our staff (not for offers)'), ('existing_customer', 'They gave us the number as customers (not for offers)'), ('none', 'No documented agreement: keep them as contacts, do not text them')], max_length=20)),
                ('purposes', models.JSONField(default=list)),
                ('consent_note', models.TextField(blank=True)),
                ('rows_total', models.PositiveIntegerField(default=0)),
                ('rows_done', models.PositiveIntegerField(default=0)),
                ('counts', models.JSONField(default=dict)),
                ('problem', models.TextField(blank=True)),
                ('leased_until', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('finished_at', models.DateTimeField(null=True)),
                ('created_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
                ('contact_list', tenants.owned.TenantForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='contacts.contactlist')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='ImportFile',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
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
            name='ImportRow',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('row_number', models.PositiveIntegerField()),
                ('outcome', models.CharField(choices=[('created', 'New contact'), ('updated', 'Contact changed'), ('unchanged', 'Nothing new'), ('merged', 'Same number as an earlier row'), ('rejected', 'Rejected')], max_length=10)),
                ('number', models.CharField(blank=True, max_length=16)),
                ('problem', models.TextField(blank=True)),
                ('note', models.CharField(blank=True, max_length=20)),
                ('cells', models.JSONField(null=True)),
                ('contact', tenants.owned.TenantForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='contacts.contact')),
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
            name='ListMember',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('contact', tenants.owned.TenantForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='contacts.contact')),
                ('contact_list', tenants.owned.TenantForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='contacts.contactlist')),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='Tag',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=40)),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='ContactTag',
            fields=[
                ('id', models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('contact', tenants.owned.TenantForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='contacts.contact')),
                ('tenant', models.ForeignKey(db_index=False, default=tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
                ('tag', tenants.owned.TenantForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='contacts.tag')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.AddField(
            model_name='contactimport',
            name='tag',
            field=tenants.owned.TenantForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='contacts.tag'),
        ),
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(fields=['tenant', 'first_key'], name='contact_first_key'),
        ),
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(fields=['tenant', 'last_key'], name='contact_last_key'),
        ),
        migrations.AddConstraint(
            model_name='contact',
            constraint=models.UniqueConstraint(fields=('tenant', 'number'), name='contact_number_once'),
        ),
        migrations.AddConstraint(
            model_name='contactlist',
            constraint=models.UniqueConstraint(fields=('tenant', 'name'), name='contact_list_name_once'),
        ),
        migrations.AddConstraint(
            model_name='importfile',
            constraint=models.UniqueConstraint(fields=('tenant', 'contact_import'), name='import_file_once'),
        ),
        migrations.AddIndex(
            model_name='importrow',
            index=models.Index(fields=['tenant', 'contact_import', 'outcome', 'row_number'], name='import_row_outcome'),
        ),
        migrations.AddIndex(
            model_name='importrow',
            index=models.Index(fields=['tenant', 'contact_import', 'number'], name='import_row_number'),
        ),
        migrations.AddConstraint(
            model_name='importrow',
            constraint=models.UniqueConstraint(fields=('tenant', 'contact_import', 'row_number'), name='import_row_once'),
        ),
        migrations.AddIndex(
            model_name='listmember',
            index=models.Index(fields=['tenant', 'contact'], name='list_member_contact'),
        ),
        migrations.AddConstraint(
            model_name='listmember',
            constraint=models.UniqueConstraint(fields=('tenant', 'contact_list', 'contact'), name='list_member_once'),
        ),
        migrations.AddConstraint(
            model_name='tag',
            constraint=models.UniqueConstraint(fields=('tenant', 'name'), name='tag_name_once'),
        ),
        migrations.AddIndex(
            model_name='contacttag',
            index=models.Index(fields=['tenant', 'contact'], name='contact_tag_contact'),
        ),
        migrations.AddConstraint(
            model_name='contacttag',
            constraint=models.UniqueConstraint(fields=('tenant', 'tag', 'contact'), name='contact_tag_once'),
        ),
        migrations.AddIndex(
            model_name='contactimport',
            index=models.Index(fields=['tenant', '-created_at'], name='contact_import_newest'),
        ),
        SecureTenantTable('contact'),
        SecureTenantTable('contactlist'),
        SecureTenantTable('contactimport'),
        SecureTenantTable('importfile'),
        SecureTenantTable('importrow'),
        SecureTenantTable('listmember'),
        SecureTenantTable('tag'),
        SecureTenantTable('contacttag'),
    ]
