from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("consent", "0003_quiet_hours")]

    operations = [
        # Of those there are already, whatever waited has met the gate.
        migrations.AddField(
            model_name="suppression",
            name="followed_at",
            field=models.DateTimeField(null=True, db_default=Now()),
        ),
        migrations.AlterField(
            model_name="suppression",
            name="followed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="suppression",
            name="reason",
            field=models.CharField(
                choices=[
                    ("opted_out", "Opted out"),
                    ("provider_block", "The provider reports an opt-out"),
                    ("wrong_number", "Somebody else has this number"),
                ],
                max_length=16,
            ),
        ),
        migrations.AddIndex(
            model_name="suppression",
            index=models.Index(
                condition=models.Q(("followed_at", None)), fields=["tenant", "id"], name="suppression_to_follow"
            ),
        ),
    ]
