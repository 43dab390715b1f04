import common.ids
import django.db.models.deletion
import tenants.scope
from django.db import migrations, models

from tenants.operations import SecureTenantTable

THOSE_THERE_ARE = """
INSERT INTO consent_dailycheckpoint (id, tenant_id, day, size, mailed_at)
SELECT gen_random_uuid(), tenant_id, (created_at AT TIME ZONE 'UTC')::date, max(size), now()
FROM consent_checkpoint GROUP BY tenant_id, (created_at AT TIME ZONE 'UTC')::date
"""


class Migration(migrations.Migration):
    dependencies = [("consent", "0005_frequency_limits")]

    operations = [
        migrations.CreateModel(
            name="DailyCheckpoint",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("day", models.DateField()),
                ("size", models.BigIntegerField()),
                ("mailed_at", models.DateTimeField(null=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        default=tenants.scope.current_tenant_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "day"), name="daily_checkpoint_once"),
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("mailed_at", None)), fields=["day"], name="daily_checkpoint_to_mail"
                    ),
                ],
            },
        ),
        # Before the table is behind its wall. Of days that are past nothing is mailed.
        migrations.RunSQL(THOSE_THERE_ARE, migrations.RunSQL.noop),
        SecureTenantTable("dailycheckpoint"),
    ]
