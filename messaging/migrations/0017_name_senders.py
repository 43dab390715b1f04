from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('messaging', '0016_spending'),
    ]

    operations = [
        migrations.AlterField(
            model_name='sender',
            name='kind',
            field=models.CharField(choices=[('long_code', 'Local number'), ('toll_free', 'Toll-free number'), ('short_code', 'Short code'), ('service', 'Messaging service'), ('name', 'Name (nobody can answer)')], default='long_code', max_length=12),
        ),
        migrations.AlterField(
            model_name='senderregistration',
            name='kind',
            field=models.CharField(choices=[('brand', 'Brand (10DLC)'), ('campaign', 'Campaign (10DLC)'), ('toll_free', 'Toll-free verification'), ('short_code', 'Short code'), ('sender_name', 'Name as a sender')], max_length=12),
        ),
    ]
