"""The naive design, kept as the baseline: one Celery task per message, the synchronous client, one row at a time."""
