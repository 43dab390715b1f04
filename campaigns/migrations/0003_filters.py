import django.db.models.deletion
import tenants.owned
from django.db import migrations, models

from tenants.operations import SecureTenantForeignKey


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0002_planning_that_fails'),
        ('contacts', '0012_filters'),
        ('tenants', '0010_allowed_countries'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='audiencechoice',
            name='audience_choice_once',
        ),
        migrations.RemoveConstraint(
            model_name='audiencechoice',
            name='audience_choice_list_or_tag',
        ),
        migrations.AddField(
            model_name='audiencechoice',
            name='contact_filter',
            field=tenants.owned.TenantForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='contacts.contactfilter'),
        ),
        migrations.AddConstraint(
            model_name='audiencechoice',
            constraint=models.UniqueConstraint(fields=('tenant', 'campaign', 'contact_list', 'tag', 'contact_filter'), name='audience_choice_once', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='audiencechoice',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('contact_filter', None), ('contact_list__isnull', False), ('tag', None)), models.Q(('contact_filter', None), ('contact_list', None), ('tag__isnull', False)), models.Q(('contact_filter__isnull', False), ('contact_list', None), ('tag', None)), _connector='OR'), name='audience_choice_one_thing'),
        ),
        SecureTenantForeignKey('audiencechoice', 'contact_filter'),
    ]
