"""The Celery app. Each task names its queue; the queues are the lanes of ``common.lanes``."""

import logging.config
import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smsplatform.settings")

app = Celery("smsplatform")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["campaigns", "support", "messaging", "contacts", "tenants", "analytics"])


@setup_logging.connect
def _log_like_everything_else(**_: Any) -> None:
    """Celery would give its tasks' logger a handler of its own, whose lines nobody redacts."""
    logging.config.dictConfig(settings.LOGGING)
