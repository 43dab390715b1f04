"""No phone number reaches a log: not by a message, a traceback, a web server's or a worker's logger."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from common.log_redaction import RedactingFormatter

ROOT = Path(__file__).resolve().parents[2]
NUMBER = "+12025550142"


def line(message: str, *args: object, error: Exception | None = None, stack: str | None = None) -> str:
    record = logging.LogRecord(
        "x", logging.ERROR, "x.py", 1, message, args, (type(error), error, None) if error else None
    )
    record.stack_info = stack
    return RedactingFormatter("{name} {message}", style="{").format(record)


@pytest.mark.parametrize("written", [NUMBER, "%2B12025550142", "%2b12025550142", f"'{NUMBER}'", f"x{NUMBER}y"])
def test_numbers_are_shortened_everywhere(written: str) -> None:
    for text in (
        line("to %s", written),
        line(f"to {written}"),
        line("failed", error=ValueError(f"Key (number)=({written}) already exists.")),
        line("failed", stack=f"send({written!r})"),
    ):
        assert "2025550142" not in text
        assert "+…42" in text


def test_the_rest_stays() -> None:
    assert line("order 12025550142 took %d ms", 1234567) == "x order 12025550142 took 1234567 ms"


LOGGERS = ["", "django.request", "celery.task", "celery.worker", "_granian", "granian.access", "multiprocessing"]


SET_UP = {
    "granian's command": "configure_logging(LogLevels.info); django.setup()",
    "make run": "django.setup(); configure_logging(LogLevels.info, settings.LOGGING)",
}


@pytest.mark.parametrize("way", SET_UP)
def test_every_logger_writes_through_it(way: str) -> None:
    """In a process of its own, after Celery and granian have set up their logging too."""
    program = f"""
import logging
import django
from django.conf import settings
from granian.log import LogLevels, configure_logging
{SET_UP[way]}
from smsplatform.celery import app
app.log.setup(loglevel="INFO", redirect_stdouts=False)
for name in {LOGGERS!r}:
    try:
        raise ValueError("no such person: {NUMBER}")
    except ValueError:
        logging.getLogger(name).exception("failed %s for {NUMBER}", name or "root")
"""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "smsplatform.settings"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    written = done.stdout + done.stderr
    for name in LOGGERS:
        assert f"failed {name or 'root'} for +…42" in written, written
    assert written.count("no such person: +…42") == len(LOGGERS)
    assert "2025550142" not in written
