"""Contacts learn when they last wrote."""

from django.db import migrations

FILL = """
UPDATE contacts_contact c SET last_inbound_at = wrote.last
FROM (SELECT tenant_id, contact_id, max(received_at) AS last FROM messaging_inboundmessage GROUP BY 1, 2) wrote
WHERE c.tenant_id = wrote.tenant_id AND c.id = wrote.contact_id
"""


class Migration(migrations.Migration):

    dependencies = [
        ('messaging', '0002_registrations'),
        ('contacts', '0012_filters'),
    ]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
