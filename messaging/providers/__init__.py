"""Adapters to the companies that carry messages. Nothing below this folder knows Django or Celery."""
