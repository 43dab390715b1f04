"""STOPs that come while a campaign goes out: what reaches the provider for somebody after the commit of their STOP.

Twenty people of the audience text STOP every second, chosen at random, through the service that the callback calls. In the end
the provider tells when it got each text. What comes of it must be 0; how long a STOP takes is measured with it.
"""

import json
import os
import random
import time
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any, Final

from benchmarks.audience import company_with_audience, launch_campaign
from benchmarks.campaign import floor, progress
from benchmarks.stack import fake_twilio

__all__ = ["run"]

RECIPIENTS: Final = int(os.environ.get("BENCH_RECIPIENTS", "50000"))
PROCESSES: Final = int(os.environ.get("BENCH_PROCESSES", "4"))
LATENCY_MS: Final = 100
EVERY_SECONDS: Final = 0.05


def run() -> Iterator[Mapping[str, Any]]:
    """One line: STOPs, those among them that came before the text did, and texts after a STOP."""
    with fake_twilio(LATENCY_MS) as address:
        os.environ["TWILIO_API_BASE_URL"] = address
        company = company_with_audience(RECIPIENTS)
        with floor(PROCESSES):
            campaign_id = launch_campaign(company)
            began = time.time()
            stopped, took = _stop_people(company, campaign_id)
            seconds = time.time() - began
            time.sleep(1.0)
        with urllib.request.urlopen(f"{address}/came", timeout=60) as answer:
            came: dict[str, float] = json.load(answer)
    took.sort()
    yield {
        "name": f"STOPs during a campaign of {RECIPIENTS}",
        "value": sum(1 for number, at in stopped.items() if came.get(number, 0.0) > at),
        "unit": "texts after the commit of a STOP",
        "stops": len(stopped),
        "spared_their_text": sum(1 for number in stopped if number not in came),
        "accepted": len(came),
        "seconds": round(seconds, 1),
        "stop_p50_ms": round(1000 * took[len(took) // 2], 1),
        "stop_p99_ms": round(1000 * took[len(took) * 99 // 100], 1),
        "stop_most_ms": round(1000 * took[-1], 1),
    }


def _stop_people(company: Any, campaign_id: Any) -> tuple[dict[str, float], list[float]]:
    """When each STOP was committed (Unix time), and how many seconds each took."""
    chosen = random.Random(0)  # the same people in every run
    stopped: dict[str, float] = {}
    took = []
    looked, finished = time.time(), False
    while not finished:
        number = f"+1{2_020_000_000 + chosen.randrange(RECIPIENTS)}"
        if number not in stopped:
            began = time.time()
            _stop(company, number)
            stopped[number] = time.time()
            took.append(stopped[number] - began)
        if time.time() - looked > 1.0:
            finished, looked = progress(company, campaign_id)[1], time.time()
        time.sleep(EVERY_SECONDS)
    return stopped, took


def _stop(company: Any, number: str) -> None:
    from messaging.models import Sender
    from messaging.providers.base import InboundText
    from messaging.services import receive
    from tenants.scope import tenant_scope

    with tenant_scope(company.tenant.id, durable=True):
        sender = Sender.objects.select_related("provider_account").get(provider_account__kind="twilio")
        receive(sender.provider_account, InboundText(f"SM{number[1:]:0>32}", sender.value, number, "STOP"))
