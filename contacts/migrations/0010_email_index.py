from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('contacts', '0009_jobs'),
        ('tenants', '0010_allowed_countries'),
    ]

    operations = [
        migrations.AlterField(
            model_name='contact',
            name='email',
            field=models.CharField(blank=True, db_collation='C', max_length=254),
        ),
        migrations.RunSQL(
            'UPDATE contacts_contact SET email = lower(email) WHERE email <> lower(email)', migrations.RunSQL.noop
        ),
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(condition=models.Q(('email__gt', '')), fields=['tenant', 'email'], name='contact_email'),
        ),
    ]
