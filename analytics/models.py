"""Figures by day, kept ready so that no page counts messages."""

from django.db import models

from tenants.owned import TenantOwned

__all__ = ["DailyFigure"]


class DailyFigure(TenantOwned):
    """How many of something a tenant had on one day of its own time zone."""

    class Metric(models.TextChoices):
        SENT = "sent", "Sent"
        DELIVERED = "delivered", "Delivered"
        REPLIES = "replies", "Replies"
        OPT_OUTS = "opt_outs", "Opt-outs"

    day = models.DateField()
    metric = models.CharField(max_length=10, choices=Metric)
    value = models.PositiveIntegerField(default=0)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "day", "metric"], name="daily_figure_once")]

    def __str__(self) -> str:
        return f"{self.metric} on {self.day}"
