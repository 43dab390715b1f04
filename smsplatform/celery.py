"""The Celery app. Each task names its queue; the queues are the lanes of ``common.lanes``."""

import gc
import logging.config
import os
from importlib import import_module
from typing import Any

from celery import Celery
from celery.signals import celeryd_after_setup, setup_logging
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smsplatform.settings")

app = Celery("smsplatform", task_cls="common.hints:Hint")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["campaigns", "support", "messaging", "contacts", "consent", "tenants", "analytics"])


@setup_logging.connect
def _log_like_everything_else(**_: Any) -> None:
    """Celery would give its tasks' logger a handler of its own, whose lines nobody redacts."""
    logging.config.dictConfig(settings.LOGGING)


@celeryd_after_setup.connect
def _collect_only_what_is_new(**_: Any) -> None:
    """What is loaded now stays: a collector that looks through it again and again takes an eighth of a worker's time."""
    gc.collect()
    gc.freeze()


@celeryd_after_setup.connect
def _look_for_work_without_the_broker(instance: Any, **_: Any) -> None:
    # Only in a worker, and before it connects: it may start while the broker is away.
    polling, schedule = import_module("messaging.polling"), import_module("smsplatform.schedule")
    ticks = {name: polling.Tick(app.tasks[name], seconds) for name, seconds in schedule.intervals().items()}
    polling.start_polling(set(instance.app.amqp.queues.consume_from), ticks)
