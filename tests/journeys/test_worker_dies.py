"""A worker is killed in the middle of a campaign: nothing is lost, nothing is sent twice."""

import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.customer_file import customer_file
from tests.journeys.client import Person
from tests.product import Product

PEOPLE = 1_500

_FACTS = """
import json
from collections import Counter
from django.conf import settings
from campaigns.models import Campaign, CampaignRecipient
from messaging.models import Attempt
from messaging.providers.simulator.handsets import Handsets
from tenants.scope import all_tenants
with all_tenants("test"):
    campaign = Campaign.objects.get(name="Storm")
    rows = CampaignRecipient.objects.filter(campaign=campaign)
    statuses = Counter(rows.values_list("message__status", flat=True))
    numbers = list(rows.values_list("number", flat=True))
    live = Counter(Attempt.objects.filter(message__batch__cause_id=campaign.id, state__in=Attempt.LIVE).values_list("message_id", flat=True))
phones = Handsets(settings.REDIS_URL)._with_threads(numbers, texts=50)
texts = Counter(sum("Stormy" in text.body for text in phone.texts) for phone in phones)
print(json.dumps({"status": campaign.status, "statuses": statuses, "texts": texts, "most_live": max(live.values(), default=0)}))
"""


def _facts(product: Product) -> dict[str, object]:
    facts: dict[str, object] = json.loads(product.manage("shell", "-v", "0", "-c", _FACTS).splitlines()[-1])
    return facts


def _marketing_workers() -> list[int]:
    found = subprocess.run(["pgrep", "-f", "worker --queues marketing"], capture_output=True, text=True, check=False)
    return [int(pid) for pid in found.stdout.split()]


def _eventually(product: Product, done: Callable[[dict[str, object]], bool], *, seconds: float) -> dict[str, object]:
    deadline = time.monotonic() + seconds
    while not done(facts := _facts(product)):
        assert time.monotonic() < deadline, facts
    return facts


@pytest.mark.fault("F01")
def test_nothing_is_lost_and_nothing_is_sent_twice(product: Product, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(customer_file(good=PEOPLE, bad=0, declined=0))
    product.manage(
        "import_contacts", str(file), "--tenant", "harbor-street-clinic", "--consent-basis", "paper", "--list", "Storm"
    )
    person = Person(product)
    draft = {"name": "Storm", "purpose": "marketing", "body": "Stormy weather", "lists": person.list_id("Storm")}
    review = person.post("/campaigns/new/", draft)
    assert review.endswith("/review/")
    ours = {pid for pid in _marketing_workers() if _belongs(pid, product)}
    assert ours
    person.post(review, {"when": "now"})
    _eventually(product, lambda facts: Counter(facts["statuses"])["accepted"] > 0, seconds=60)  # type: ignore[arg-type]
    for pid in ours:
        os.kill(pid, signal.SIGKILL)
    facts = _eventually(product, lambda facts: facts["status"] == "completed", seconds=150)
    statuses, texts = Counter(facts["statuses"]), Counter(facts["texts"])  # type: ignore[arg-type]
    assert sum(statuses.values()) == PEOPLE, "everybody has an outcome"
    assert set(texts) <= {"0", "1"}, f"nobody has two: {texts}"
    assert facts["most_live"] == 1
    in_doubt = statuses["unknown"] + statuses["submitting"]
    not_sent = statuses["blocked"]
    assert texts["1"] >= PEOPLE - in_doubt - not_sent, (statuses, texts)


def _belongs(pid: int, product: Product) -> bool:
    """Whether a process works for this product: other ones may run on the machine."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    return os.fsencode(product.home) in environment or os.fsencode(str(product.home)) in _open_files(pid)


def _open_files(pid: int) -> bytes:
    folder = Path(f"/proc/{pid}/fd")
    return b"\n".join(os.fsencode(os.readlink(link)) for link in folder.iterdir() if link.exists())
