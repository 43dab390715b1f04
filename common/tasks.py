"""Starting Celery tasks: only ids travel, and only after the transaction that they are about has committed."""

from typing import Any

from celery.app.task import Task
from django.db import transaction

__all__ = ["enqueue_on_commit"]


def enqueue_on_commit(task: "Task[Any, Any]", *args: str, queue: str | None = None) -> None:
    """Send the task when the current transaction commits, to its own queue unless another is named.

    A task is a hint: when the broker is down the error is logged and the hint lost, because each kind of work also
    has a sweep that finds it in PostgreSQL.
    """

    def send() -> None:
        if queue:
            task.apply_async(args=args, queue=queue, ignore_result=True, retry=False)
        else:
            task.apply_async(args=args, ignore_result=True, retry=False)

    transaction.on_commit(send, robust=True)
