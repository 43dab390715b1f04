"""Settings > Consent ledger: its state, the checkpoints of the days, the keys, and the mails to the owners."""

import json
import subprocess
import sys
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent import daily, verifier
from consent.checkpoint_mail import mail_past_days
from consent.evidence import evidence_pack
from consent.ledger import OptIn, record_opt_ins
from consent.models import Checkpoint, DailyCheckpoint, PendingSeal
from consent.notes import public_key_line
from consent.sealing import lock_log, seal, signer
from tenants.mailing import send_due
from tenants.models import Membership, OutgoingMail
from tenants.scope import tenant_scope
from tests.cast import Cast
from tests.web import sign_in, text_of

pytestmark = pytest.mark.django_db

ANN, BEN = "+12025550101", "+12025550102"


def record(cast: Cast, number: str = ANN) -> Checkpoint:
    with tenant_scope(cast.clinic.tenant.id):
        record_opt_ins([OptIn(number, "marketing", "web_form")], actor_id=None)
        lock_log()
        sealed = seal()
        assert sealed is not None
        return sealed


def days_ago(cast: Cast, days: int) -> date:
    """What was sealed today was sealed so many days ago."""
    day = daily.today() - timedelta(days=days)
    with tenant_scope(cast.clinic.tenant.id):
        DailyCheckpoint.objects.filter(day=daily.today()).update(day=day)
    return day


@pytest.fixture
def alice(client: Client, cast: Cast) -> Client:
    return sign_in(client, cast.alice, cast.clinic.tenant)


def test_an_empty_ledger_says_how_it_fills(alice: Client) -> None:
    page = text_of(alice.get(reverse("ledger")))
    assert "Nothing was recorded yet" in page
    assert "No checkpoint yet" in page
    assert alice.get(reverse("ledger_checkpoint")).status_code == 404


def test_the_state_and_the_newest_of_each_day_are_shown(alice: Client, cast: Cast) -> None:
    first = record(cast)
    day = days_ago(cast, 3)
    record(cast, BEN)
    newest = record(cast)
    answer = alice.get(reverse("ledger"))
    assert [(row.day, row.size) for row in answer.context["days"]] == [(daily.today(), newest.size), (day, first.size)]
    assert f"<dd>{newest.size}</dd>" in answer.content.decode()
    assert public_key_line(signer().public_key) in text_of(answer)
    assert sha256(signer().public_key).hexdigest() in text_of(answer).replace(" ", "")
    for size, note in ((newest.size, newest.note), (first.size, first.note)):
        given = alice.get(reverse("ledger_checkpoint_of", args=[size]))
        assert given.content.decode() == note
        assert f"checkpoint-{size}.txt" in given["Content-Disposition"]
    assert alice.get(reverse("ledger_checkpoint")).content.decode() == newest.note


@pytest.mark.parametrize("size", ["1", "999999999999999999"])
def test_of_a_size_that_never_was_there_is_no_checkpoint(alice: Client, cast: Cast, size: str) -> None:
    record(cast)
    assert alice.get(reverse("ledger_checkpoint_of", args=[size])).status_code == 404
    assert alice.get(reverse("ledger") + f"checkpoint/{'9' * 30}/").status_code == 404


def test_many_days_come_page_by_page(alice: Client, cast: Cast) -> None:
    record(cast)
    with tenant_scope(cast.clinic.tenant.id):
        DailyCheckpoint.objects.bulk_create(
            DailyCheckpoint(day=daily.today() - timedelta(days=n), size=1) for n in range(1, 40)
        )
    first = alice.get(reverse("ledger"))
    rest = alice.get(reverse("ledger"), {"before": first.context["next_before"]})
    assert [len(first.context["days"]), len(rest.context["days"])] == [31, 9]
    assert rest.context["next_before"] == ""
    assert len(alice.get(reverse("ledger"), {"before": "2026-99-99"}).context["days"]) == 31


def test_what_waits_for_too_long_is_told(alice: Client, cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        record_opt_ins([OptIn(ANN, "marketing", "web_form")], actor_id=None)
    assert "waited for more than a minute" not in text_of(alice.get(reverse("ledger")))
    with tenant_scope(cast.clinic.tenant.id):
        PendingSeal.objects.update(created_at=timezone.now() - timedelta(seconds=61))
    assert "1 record, since" in " ".join(text_of(alice.get(reverse("ledger"))).split())
    assert "waited for more than a minute" in text_of(alice.get(reverse("ledger")))


def test_without_a_key_the_page_says_that_nothing_is_sealed(alice: Client, settings: object) -> None:
    settings.LEDGER_SIGNING_KEY = ""  # type: ignore[attr-defined]
    assert "Nothing is being sealed" in text_of(alice.get(reverse("ledger")))


@pytest.mark.parametrize(("name", "status"), [("mona", 200), ("bob", 403), ("vera", 403)])
def test_who_may_see_it(client: Client, cast: Cast, name: str, status: int) -> None:
    record(cast)
    sign_in(client, getattr(cast, name), cast.clinic.tenant)
    for page in ("ledger", "ledger_checkpoint"):
        assert client.get(reverse(page)).status_code == status


def test_another_business_sees_its_own_only(client: Client, cast: Cast) -> None:
    sealed = record(cast)
    sign_in(client, cast.charlie, cast.shop.tenant)
    assert "No checkpoint yet" in text_of(client.get(reverse("ledger")))
    assert client.get(reverse("ledger_checkpoint_of", args=[sealed.size])).status_code == 404


def test_the_keys_are_a_page_for_people_and_lines_for_programs(client: Client, db: None) -> None:
    key = public_key_line(signer().public_key)
    assert client.get(reverse("ledger_keys")).content.decode().splitlines()[0] == key
    page = client.get(reverse("ledger_keys"), headers={"Accept": "text/html,*/*"})
    assert page["Content-Type"].startswith("text/html")
    assert key in text_of(page)


def test_the_days_that_are_over_are_mailed_to_the_owners_once(cast: Cast) -> None:
    sealed = record(cast)
    mail_past_days()
    with tenant_scope(cast.clinic.tenant.id):
        assert not OutgoingMail.objects.exists(), "the day is not over"
        Membership.objects.update(accepted_at=timezone.now())
    days_ago(cast, 1)
    for _ in range(2):
        mail_past_days()
        send_due()
    assert [one.to for one in mail.outbox] == [[cast.alice.email]]
    body = mail.outbox[0].body
    kept = body.split("-----\n")[1].removesuffix("-----\n")
    keys = verifier.read_keys(public_key_line(signer().public_key))
    assert verifier.read_checkpoint(kept, keys).size == sealed.size, "what was kept is what the verifier takes"
    assert "/ledger/keys/" in body
    with tenant_scope(cast.shop.tenant.id):
        assert not OutgoingMail.objects.exists()


def test_a_pack_encloses_the_checkpoint_of_each_day(cast: Cast) -> None:
    first = record(cast)
    days_ago(cast, 2)
    second = record(cast, BEN)
    with tenant_scope(cast.clinic.tenant.id):
        pack = evidence_pack(number=ANN)
    older = pack["older"]
    assert isinstance(older, list)
    assert [one["checkpoint"] for one in older][:2] == [first.note, second.note]


def run_verifier(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "verifier.py", *arguments, "--key", public_key_line(signer().public_key)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_an_older_checkpoint_is_checked_with_what_a_mail_brings(client: Client, cast: Cast, tmp_path: Path) -> None:
    first = record(cast)
    days_ago(cast, 2)
    record(cast, BEN)
    days_ago(cast, 1)
    with tenant_scope(cast.clinic.tenant.id):
        Membership.objects.update(accepted_at=timezone.now())
    mail_past_days()
    send_due()
    newest = next(one for one in mail.outbox if "checkpoint-4.txt" in [name for name, *_ in one.attachments])
    for name, content, _ in newest.attachments:
        (tmp_path / name).write_bytes(content)
    (tmp_path / "older.txt").write_text(first.note)
    (tmp_path / "verifier.py").write_bytes(client.get(reverse("ledger_verifier")).content)
    done = run_verifier(tmp_path, "log.json", "--checkpoint", "older.txt")
    assert (done.returncode, done.stdout) == (0, "HOLDS: 4 entries, and each older checkpoint is their beginning\n")
    (tmp_path / "older.txt").write_text(signer().sign(first.note.split("\n\n")[0].replace("\n2\n", "\n3\n") + "\n"))
    assert run_verifier(tmp_path, "log.json", "--checkpoint", "older.txt").returncode == 1
    log = json.loads((tmp_path / "log.json").read_text())
    log["older"][0]["proof"].append("00" * 32)
    (tmp_path / "log.json").write_text(json.dumps(log))
    assert "NOT PROVEN" in run_verifier(tmp_path, "log.json").stdout


def test_the_log_connects_to_what_was_downloaded(alice: Client, cast: Cast) -> None:
    assert alice.get(reverse("ledger_log")).status_code == 404
    record(cast)
    held = alice.get(reverse("ledger_checkpoint")).content.decode()
    record(cast, BEN)
    log = json.loads(alice.get(reverse("ledger_log")).content)
    assert verifier.check_log(log, [signer().public_key], held).size == 4


def test_of_a_day_on_which_nothing_was_recorded_there_is_no_mail(cast: Cast) -> None:
    record(cast)
    days_ago(cast, 2)
    with tenant_scope(cast.clinic.tenant.id):
        lock_log()
        assert seal(even_if_nothing_is_new=True)
        assert DailyCheckpoint.objects.count() == 1
