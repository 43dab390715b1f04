"""The Celery app. Each task names its queue; the queues are the lanes of ``common.lanes``."""

import logging.config
import os
from importlib import import_module
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_ready
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smsplatform.settings")

app = Celery("smsplatform")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["campaigns", "support", "messaging", "contacts", "tenants", "analytics"])


@setup_logging.connect
def _log_like_everything_else(**_: Any) -> None:
    """Celery would give its tasks' logger a handler of its own, whose lines nobody redacts."""
    logging.config.dictConfig(settings.LOGGING)


@worker_ready.connect
def _look_for_work_without_the_broker(sender: Any, **_: Any) -> None:
    # Only in a worker, and after Django is set up: not when this module is loaded.
    polling = import_module("messaging.polling")
    polling.start_polling(set(sender.app.amqp.queues.consume_from))
