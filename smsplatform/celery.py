"""The Celery app. Each task names its queue; the queues are the lanes of ``common.lanes``."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smsplatform.settings")

app = Celery("smsplatform")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["campaigns", "support", "messaging", "contacts", "analytics"])
