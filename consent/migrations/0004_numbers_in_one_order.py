from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('consent', '0003_import_as_a_source'),
    ]

    operations = [
        migrations.AlterField(
            model_name='consentstate',
            name='number',
            field=models.CharField(db_collation='C', max_length=16),
        ),
        migrations.AlterField(
            model_name='possibleoptout',
            name='number',
            field=models.CharField(db_collation='C', max_length=16),
        ),
        migrations.AlterField(
            model_name='suppression',
            name='number',
            field=models.CharField(db_collation='C', max_length=16),
        ),
    ]
