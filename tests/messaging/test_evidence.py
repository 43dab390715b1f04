"""The evidence of a person, from their page: what was agreed to, every text with its decision, and the proof, as one file."""

import io
import json
import subprocess
import sys
import zipfile
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from common.lanes import MARKETING
from consent import verifier
from consent.ledger import OptIn, record_opt_ins
from consent.notes import public_key_line
from consent.sealing import seal, signer
from contacts.models import Contact
from messaging.evidence import messages_of
from messaging.pipeline.dispatch import run_next_batch
from messaging.pipeline.enqueue import Cause, Draft, enqueue
from messaging.providers.base import InboundText
from messaging.services import receive
from tenants.scope import tenant_scope
from tests.cast import Cast
from tests.daylight import Daylight
from tests.web import sign_in

ANN, BEN = "+12025550101", "+12025550102"
WORDING = "Ja, schickt mir Angebote \u2013 Żółć, Привет, καλημέρα \U0001f389 你好 שלום"
OFFER = "Grüße! 20 % off on Friday. STOP to opt out"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _signing_key(settings: Any) -> None:
    settings.LEDGER_SIGNING_KEY = b64encode(b"k" * 32).decode()


@pytest.fixture
def ann(cast: Cast) -> Contact:
    return contact_of(cast)


def contact_of(cast: Cast) -> Contact:
    with tenant_scope(cast.clinic.tenant.id):
        return Contact.objects.create(number=ANN, first_name="Ann")


def agree(cast: Cast, *numbers: str) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        record_opt_ins(
            [OptIn(one, "marketing", "web_form", WORDING, {"page": "/f/1"}) for one in numbers], actor_id=None
        )


def offer(cast: Cast, *numbers: str) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        enqueue([Draft(one, OFFER) for one in numbers], Cause(kind="campaign", lane=MARKETING, purpose="marketing"))


def write(cast: Cast, body: str) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        receive(cast.clinic.account, InboundText(f"SIM{body}", cast.clinic.sender.value, ANN, body))


def download(client: Client, cast: Cast, contact: Contact) -> dict[str, bytes]:
    sign_in(client, cast.alice, cast.clinic.tenant)
    answer = client.post(reverse("contact_evidence", args=[contact.id]))
    assert answer["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pages_of(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(pdf)
    return [" ".join(page.get_textpage().get_text_range().split()) for page in document]


@pytest.mark.django_db(transaction=True)
def test_every_text_is_told_with_its_decision(
    client: Client, committed_cast: Cast, network: str, daylight: Daylight, tmp_path: Path
) -> None:
    cast = committed_cast
    ann = contact_of(cast)
    agree(cast, ANN, BEN)
    with tenant_scope(cast.clinic.tenant.id):
        seal()
    sign_in(client, cast.alice, cast.clinic.tenant)
    (tmp_path / "held.txt").write_bytes(client.get(reverse("ledger_checkpoint")).content)
    offer(cast, ANN, BEN)
    assert run_next_batch(MARKETING)
    write(cast, "STOP")
    offer(cast, ANN)
    run_next_batch(MARKETING)
    files = download(client, cast, ann)
    pack = json.loads(files["pack.json"])
    assert pack["number"] == ANN
    assert [json.loads(entry["entry"])["act"] for entry in pack["entries"]] == ["opt_in", "opt_out"]
    first, stop, *rest = pack["messages"]
    assert (first["body"], first["purpose"], first["cause"]) == (OFFER, "marketing", "campaign")
    assert first["decision"]["data"]["record"] == json.loads(pack["entries"][0]["entry"])["id"]
    assert first["explanation"].startswith("Allowed: they had agreed")
    assert [attempt["state"] for attempt in first["attempts"]] == ["accepted"]
    assert (stop["direction"], stop["body"], stop["intent"]) == ("in", "STOP", "opt_out")
    refused = next(text for text in rest if text["purpose"] == "marketing")
    assert (refused["status"], refused["attempts"]) == ("blocked", [])
    assert refused["explanation"].startswith("Refused: ")

    (tmp_path / "elsewhere").mkdir()
    for name, content in files.items():
        (tmp_path / "elsewhere" / name).write_bytes(content)
    said = verify(tmp_path / "elsewhere", tmp_path / "held.txt")
    assert f"HOLDS for {ANN}" in said
    assert f"signed them: {len(pack['messages'])}" in said
    assert "(entry 1)" in said
    assert "evidence.pdf: the one given out with this pack" in said
    text = " ".join(pages_of(files["evidence.pdf"]))
    for words in (
        ANN,
        cast.clinic.tenant.name,
        "Everything Opted out",
        OFFER,
        "they had agreed",
        "(record 1 above)",
        "STOP",
        "Refused: ",
    ):
        assert words in text, words


def verify(folder: Path, held: Path) -> str:
    """What the enclosed verifier says, run alone in the folder of the pack."""
    command = [sys.executable, "-I", "verifier.py", "pack.json", "--key", public_key_line(signer().public_key)]
    done = subprocess.run(
        [*command, "--checkpoint", str(held)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_pdf_shows_the_words_as_they_were(client: Client, cast: Cast, ann: Contact) -> None:
    """Letters of other scripts too; what the font lacks, or what would stand in a wrong order, by its code point."""
    agree(cast, ANN)
    (page,) = pages_of(download(client, cast, ann)["evidence.pdf"])
    for words in ("Ja, schickt mir Angebote –", "Żółć, Привет, καλημέρα", "[U+1F389]", "[U+4F60][U+597D]", "[U+05E9]"):
        assert words in page, words
    assert "No text went to this number" in page


def test_a_long_history_has_pages(client: Client, cast: Cast, ann: Contact) -> None:
    agree(cast, ANN)
    for body in ("Hello", "x" * 1600, "a b " * 400, "line\n" * 60, "\u202eevil\x07"):
        write(cast, body)
    pages = pages_of(download(client, cast, ann)["evidence.pdf"])
    assert len(pages) > 2
    for number, page in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in page
    assert "".join(pages).count("x") >= 1600
    assert "[U+202E]evil[U+0007]" in "".join(pages)


def test_a_pack_costs_the_same_queries_however_many_texts_there_are(cast: Cast) -> None:
    agree(cast, ANN)
    counts = []
    for _ in range(2):
        offer(cast, ANN)
        write(cast, f"Hello {len(counts)}")
        with tenant_scope(cast.clinic.tenant.id), CaptureQueriesContext(connection) as queries:
            messages_of(ANN)
        counts.append(len(queries))
    assert counts[0] == counts[1]


Change = Callable[[dict[str, Any], dict[str, bytes]], object]
FORGERIES: dict[str, Change] = {
    "a text's words": lambda pack, files: pack["messages"][0].update(body="Harmless"),
    "a decision": lambda pack, files: pack["messages"][0]["decision"].update(outcome="allow"),
    "a status": lambda pack, files: pack["messages"][0].update(status="blocked"),
    "a text left out": lambda pack, files: pack["messages"].pop(0),
    "texts in another order": lambda pack, files: pack["messages"].reverse(),
    "a text twice": lambda pack, files: pack["messages"].append(pack["messages"][-1]),
    "an older checkpoint left out": lambda pack, files: pack["older"].pop(),
    "another PDF": lambda pack, files: files.update({"evidence.pdf": files["evidence.pdf"] + b"\n"}),
    "another PDF with its hash": lambda pack, files: pack["files"].update({"evidence.pdf": "00" * 32}),
    "no manifest": lambda pack, files: pack.pop("manifest"),
    "the manifest of nothing": lambda pack, files: pack.update(manifest=pack["checkpoint"]),
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_a_change_of_what_does_not_stand_in_the_log_is_found(
    client: Client, cast: Cast, ann: Contact, forge: Change
) -> None:
    agree(cast, ANN)
    with tenant_scope(cast.clinic.tenant.id):
        seal()
    offer(cast, ANN)
    write(cast, "Hello")
    files = download(client, cast, ann)
    pack = json.loads(files["pack.json"])
    verifier.check(pack, [signer().public_key], files=files)
    forge(pack, files)
    with pytest.raises(verifier.Invalid):
        verifier.check(pack, [signer().public_key], files=files)


def test_without_the_manifest_a_changed_text_would_not_be_found(
    client: Client, cast: Cast, ann: Contact, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The counter-proof."""
    agree(cast, ANN)
    offer(cast, ANN)
    pack = json.loads(download(client, cast, ann)["pack.json"])
    FORGERIES["a text's words"](pack, {})
    monkeypatch.setattr(verifier, "check_manifest", lambda *_: None)
    verifier.check(pack, [signer().public_key])


def test_of_nothing_there_is_no_pack_and_the_page_says_so(client: Client, cast: Cast, ann: Contact) -> None:
    sign_in(client, cast.alice, cast.clinic.tenant)
    answer = client.post(reverse("contact_evidence", args=[ann.id]), follow=True)
    assert answer.redirect_chain == [(reverse("contact", args=[ann.id]), 302)]
    assert "Nothing is recorded about this number" in answer.content.decode()


def test_without_a_key_the_page_says_whom_to_tell(client: Client, cast: Cast, ann: Contact, settings: Any) -> None:
    agree(cast, ANN)
    settings.LEDGER_SIGNING_KEY = ""
    sign_in(client, cast.alice, cast.clinic.tenant)
    answer = client.post(reverse("contact_evidence", args=[ann.id]), follow=True)
    assert "tell whoever runs the platform" in answer.content.decode()


def test_it_is_for_those_who_run_the_business(client: Client, cast: Cast, ann: Contact) -> None:
    sign_in(client, cast.vera, cast.clinic.tenant)
    assert client.post(reverse("contact_evidence", args=[ann.id])).status_code == 403


def test_another_business_has_no_such_person(client: Client, cast: Cast, ann: Contact) -> None:
    sign_in(client, cast.charlie, cast.shop.tenant)
    assert client.post(reverse("contact_evidence", args=[ann.id])).status_code == 404
