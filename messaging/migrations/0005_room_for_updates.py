from django.db import migrations


class Migration(migrations.Migration):
    """Each message changes its status four times within minutes of being written: half-filled pages keep its new
    versions beside the old ones, so that no index has to be touched."""

    dependencies = [
        ("messaging", "0004_records"),
    ]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE messaging_message SET (fillfactor = 50)", "ALTER TABLE messaging_message RESET (fillfactor)"
        ),
    ]
