import django.db.models.deletion
import tenants.scope
from django.db import migrations, models

from consent.migrations._append_sql import APPEND


class Migration(migrations.Migration):

    dependencies = [
        ('consent', '0011_given_checkpoint'),
    ]

    operations = [
        migrations.AlterField(
            model_name='pendingseal',
            name='tenant',
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                default=tenants.scope.current_tenant_id,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name='+',
                to='tenants.tenant',
            ),
        ),
        migrations.RunSQL(APPEND, 'DROP FUNCTION consent_append(json, uuid, timestamptz)'),
    ]
