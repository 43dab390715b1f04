"""The task that a tutorial would write."""

import os
import re
from typing import Any

from celery import Celery
from django.utils import timezone
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.settings")

app = Celery("naive", broker=os.environ.get("REDIS_URL"))
app.conf.update(task_ignore_result=True, task_default_queue="naive", worker_prefetch_multiplier=4)

_BASE = os.environ.get("TWILIO_API_BASE_URL", "https://api.twilio.com")


class _Local(TwilioHttpClient):  # type: ignore[misc]
    def request(self, method: str, uri: str, *args: Any, **options: Any) -> Any:
        return super().request(method, re.sub(r"^https://api\.twilio\.com", _BASE, uri), *args, **options)


_client: list[Client] = []


@app.task(name="naive.send")  # type: ignore[untyped-decorator]
def send(message_id: int) -> None:
    """Load the row, call the provider, save the row."""
    import django

    django.setup()
    from benchmarks.naive.models import NaiveMessage

    if not _client:
        _client.append(Client("AC" + "a" * 32, "token", http_client=_Local()))
    message = NaiveMessage.objects.get(pk=message_id)
    result = _client[0].messages.create(to=message.number, from_="+12025550190", body=message.body)
    message.status, message.sid, message.sent_at = "sent", result.sid, timezone.now()
    message.save()
