"""Names get folded keys; values that contacts have already become text fields with their index."""

import json

from django.db import migrations

from common.ids import uuid7
from contacts.fields import Kind, key_of
from contacts.folding import fold

BATCH = 5_000


def fill(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        fields = _make_fields(cursor)
        after = '00000000-0000-0000-0000-000000000000'
        while after:
            after = _fill_batch(cursor, fields, after)


def _make_fields(cursor):
    cursor.execute('SELECT DISTINCT tenant_id, jsonb_object_keys(fields) FROM contacts_contact ORDER BY 1, 2')
    fields = {}
    for position, (tenant_id, key) in enumerate(cursor.fetchall()):
        fields[tenant_id, key] = uuid7()
        cursor.execute(
            'INSERT INTO contacts_contactfield (id, tenant_id, key, label, kind, choices, position, created_at) '
            "VALUES (%s, %s, %s, %s, 'text', '[]', %s, now())",
            [fields[tenant_id, key], tenant_id, key[:40], key.replace('_', ' ').capitalize()[:60], position % 30_000],
        )
    return fields


def _fill_batch(cursor, fields, after):
    """Returns the last id, or None at the end."""
    cursor.execute(
        'SELECT id, tenant_id, first_name, last_name, fields FROM contacts_contact WHERE id > %s ORDER BY id LIMIT %s',
        [after, BATCH],
    )
    rows = cursor.fetchall()
    if not rows:
        return None
    names = [{'id': str(row[0]), 'first': fold(row[2]), 'last': fold(row[3])} for row in rows]
    cursor.execute(
        'UPDATE contacts_contact c SET first_key = r.first, last_key = r.last '
        'FROM json_to_recordset(%s) AS r(id uuid, first text, last text) WHERE c.id = r.id',
        [json.dumps(names)],
    )
    values = [
        {'tenant': str(tenant_id), 'field': str(fields[tenant_id, name]), 'key': key, 'contact': str(contact_id)}
        for contact_id, tenant_id, _, _, own in rows
        for name, value in (json.loads(own) if isinstance(own, str) else own).items()
        if (key := key_of(str(value), Kind.TEXT))
    ]
    cursor.execute(
        'INSERT INTO contacts_contactvalue (tenant_id, field_id, key, contact_id) '
        'SELECT tenant, field, key, contact '
        'FROM json_to_recordset(%s) AS r(tenant uuid, field uuid, key text, contact uuid)',
        [json.dumps(values)],
    )
    return rows[-1][0]


class Migration(migrations.Migration):

    dependencies = [
        ('contacts', '0006_contact_fields'),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
