"""Erasing: nothing of a person is left anywhere but what law and promises require; shown by a scan of every column."""

import base64
import json
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import now

from campaigns.launch import plan_campaign
from campaigns.services import launch
from consent import verifier
from consent.changed_numbers import Change, note_changes
from consent.evidence import NothingRecorded, evidence_pack
from consent.facts import load as load_facts
from consent.models import ConsentRecord, LedgerLeaf, PendingOptIn, PossibleOptOut, Suppression
from consent.number_marks import Failure, mark_numbers
from consent.purpose_rules import Rules
from consent.replay import problems
from consent.sealing import signer
from consent.services import is_suppressed, opt_out, raise_possible_opt_out
from contacts.models import Contact, ContactImport, ImportRow
from contacts.services import add_note, add_number, create_contact, erase_contact, get_or_create_tag, tag_contact
from messaging.models import Attempt, Batch, DeliveryReceipt, InboundMessage, Message
from messaging.pipeline.dispatch import run_next_batch
from messaging.pipeline.enqueue import Cause, Draft, enqueue
from support.models import Conversation
from support.services import note_inbound
from tenants.models import AuditEntry
from tenants.scope import all_tenants, tenant_scope
from tests.campaigns.conftest import make_draft, make_list
from tests.cast import Cast, Company, make_cast
from tests.contacts.test_import import load
from tests.web import confirm, sign_in, text_of

NUMBER, FURTHER = "+12025550101", "+12025550102"
CANARY = "zanzibara"
"""Part of the person's name, address, values, texts and notes."""

NUMBER_STAYS = {
    "campaigns_campaignrecipient.number",
    "messaging_message.number",
}
"""Proof of what was sent to whom."""


def found_in(text: str) -> set[str]:
    """Every column of every tenant's table that holds the text, whatever its type."""
    with all_tenants("test"), connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c "
            "JOIN information_schema.columns t ON t.table_name = c.table_name AND t.column_name = 'tenant_id' "
            "WHERE c.table_schema = 'public' AND c.data_type IN ('text', 'character varying', 'jsonb', 'json', 'bytea')"
        )
        columns = cursor.fetchall()
        found = set()
        for table, column, kind in columns:
            value = f"encode({column}, 'escape')" if kind == "bytea" else f"{column}::text"
            cursor.execute(
                f'SELECT count(*) FROM "{table}" WHERE position(%s in lower({value})) > 0',
                [text.lower()],
            )
            if cursor.fetchone()[0]:
                found.add(f"{table}.{column}")
        return found


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """Committed, because imports and hand-overs commit."""
    return make_cast()


@pytest.fixture
def zoe(cast: Cast) -> Contact:
    """Somebody who left a trace in every table that people can leave one in."""
    load(
        cast,
        "phone,first name,last name,email,city\n"
        f"{NUMBER},Zoe,Zanzibara,zoe@zanzibara.example,Zanzibara Town\n"
        "+12025550103,Ben,Other,ben@other.example,Here\n"
        "12,Zoe,Zanzibara,zoe@zanzibara.example,Zanzibara Town\n"
        "12,Somebody,Else,else@other.example,There\n",
    )
    with tenant_scope(cast.clinic.tenant.id):
        zoe = Contact.objects.get(number=NUMBER)
        add_number(tenant=cast.clinic.tenant, contact=zoe, number=FURTHER, label="Zanzibara work")
        add_note(contact=zoe, body="Ms Zanzibara prefers mornings", author_id=cast.bob.id)
        tag_contact(contact=zoe, tag=get_or_create_tag(name="VIP"))
        for number in (NUMBER, FURTHER):
            _texts(cast.clinic, zoe, number)
        PendingOptIn.objects.create(number=NUMBER, record=ConsentRecord.objects.filter(number=NUMBER)[0])
        mark_numbers([Failure(NUMBER, "no_texts", "30006", uuid4(), timezone.now())])
        note_changes([Change(NUMBER, timezone.localdate(), timezone.now())], source="list")
        raise_possible_opt_out(number=NUMBER, wording="Zanzibara wants no more", evidence={})
        opt_out(number=FURTHER, source=ConsentRecord.Source.REPLY, wording="STOP")
    return zoe


def _texts(company: Company, contact: Contact, number: str) -> None:
    cause = Cause(kind="event", lane="transactional", purpose="transactional")
    _, (message_id,) = enqueue([Draft(number, "Hello Zoe Zanzibara", contact.id)], cause)
    Attempt.objects.create(
        message_id=message_id,
        provider_account=company.account,
        provider_message_id=f"SM{number[-1]}",
        state="accepted",
        deadline=timezone.now(),
    )
    Message.objects.filter(id=message_id).update(status="delivered")
    DeliveryReceipt.objects.create(
        provider_account=company.account,
        provider_message_id=f"SM{number[-1]}",
        provider_status="delivered",
        payload={"To": number, "Name": "Zanzibara"},
    )
    inbound = InboundMessage.objects.create(
        provider_account=company.account,
        provider_message_id=f"IN{number[-1]}",
        sender=company.sender,
        number=number,
        contact=contact,
        body="Zanzibara here, when do you open?",
        payload={"From": number, "Body": "Zanzibara here"},
    )
    note_inbound(inbound=inbound)


def erase_zoe(cast: Cast, zoe: Contact) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        erase_contact(contact=zoe, typed="ERASE")


def test_nothing_of_the_person_is_left_but_the_number_where_it_is_proof(cast: Cast, zoe: Contact) -> None:
    before = found_in(CANARY)
    assert before >= {
        "contacts_contact.last_name",
        "contacts_contact.last_key",
        "contacts_contact.email",
        "contacts_contact.fields",
        "contacts_contactnote.body",
        "contacts_contactnumber.label",
        "contacts_contactvalue.key",
        "contacts_importfilepart.content",
        "contacts_importrow.cells",
        "consent_possibleoptout.wording",
        "messaging_message.body",
        "messaging_inboundmessage.body",
        "messaging_inboundmessage.payload",
        "messaging_deliveryreceipt.payload",
        "support_conversation.preview",
    }, "the scan looks where the person is"
    erase_zoe(cast, zoe)
    assert found_in(CANARY) == set()
    assert found_in(NUMBER[1:]) | found_in(FURTHER[1:]) <= NUMBER_STAYS
    # Three letters come up in a ciphertext now and then.
    assert found_in("zoe") - {"messaging_provideraccount.encrypted_credentials"} == set()


@pytest.mark.parametrize(
    ("left_out", "found"),
    [
        ("messaging.erasure.erase_texts", "messaging_message.body"),
        ("support.erasure.erase_conversations", "support_conversation.preview"),
    ],
)
def test_the_scan_finds_what_a_missing_handler_leaves(
    cast: Cast, zoe: Contact, settings: Any, left_out: str, found: str
) -> None:
    settings.ERASURE_HANDLERS = [path for path in settings.ERASURE_HANDLERS if path != left_out]
    erase_zoe(cast, zoe)
    assert found in found_in(CANARY)


def test_figures_and_other_people_stay(cast: Cast, zoe: Contact) -> None:
    erase_zoe(cast, zoe)
    with tenant_scope(cast.clinic.tenant.id):
        sent = Message.objects.filter(number=NUMBER).values_list("status", "part_count", "body")
        assert list(sent) == [("delivered", 1, "")]
        assert InboundMessage.objects.count() == 2
        assert [contact.first_name for contact in Contact.objects.all()] == ["Ben"]
        job = ContactImport.objects.get()
        assert job.counts == {"created": 2, "rejected": 2}
        rows = ImportRow.objects.order_by("row_number").values_list("outcome", "number", "cells__2")
        assert list(rows) == [
            ("created", "", None),
            ("created", "+12025550103", None),
            ("rejected", "", None),
            ("rejected", "", "Else"),
        ]
        assert Conversation.objects.count() == 0


def test_an_erased_number_that_comes_in_again_is_new_and_still_suppressed(cast: Cast, zoe: Contact) -> None:
    erase_zoe(cast, zoe)
    load(cast, f"phone,first name\n{NUMBER},Zoe\n{FURTHER},Zoe\n")
    with tenant_scope(cast.clinic.tenant.id):
        again = Contact.objects.get(number=FURTHER)
        assert (again.id == zoe.id, again.email, again.archived_at) == (False, "", None)
        assert is_suppressed(number=FURTHER)
        assert not is_suppressed(number=NUMBER)
        assert PossibleOptOut.objects.filter(number=NUMBER, settled_at=None).exists(), "offers still wait"


def test_the_log_stays_whole_and_other_peoples_proofs_hold(cast: Cast, zoe: Contact, settings: Any) -> None:
    """What was proven of somebody else before is proven after; the erased one's entries are there, about nobody."""
    settings.LEDGER_SIGNING_KEY = base64.b64encode(b"k" * 32).decode()
    with tenant_scope(cast.clinic.tenant.id):
        before = json.loads(json.dumps(evidence_pack(number="+12025550103")))
        log = LedgerLeaf.objects.count()
    erase_zoe(cast, zoe)
    with tenant_scope(cast.clinic.tenant.id):
        assert not ConsentRecord.objects.filter(number__in=[NUMBER, FURTHER]).exists()
        assert all(
            (bytes(one.salt), one.wording, one.evidence) == (b"", "", {})
            for one in ConsentRecord.objects.filter(number__startswith="-")
        )
        assert ConsentRecord.objects.filter(number__startswith="-").count() == 2
        assert not Suppression.objects.filter(number=FURTHER).exists()
        facts = load_facts([FURTHER, NUMBER], "marketing", Rules(), now())
        assert facts[FURTHER]["suppressed_because"] == "opted_out"
        assert facts[NUMBER]["may_have_opted_out"]
        assert LedgerLeaf.objects.count() == log
        keys = [signer().public_key]
        verifier.check(before, keys)
        after = json.loads(json.dumps(evidence_pack(number="+12025550103")))
        verifier.check(after, keys, before["checkpoint"])
        assert list(problems(keys, [before["checkpoint"]])) == []
        with pytest.raises(NothingRecorded):
            evidence_pack(number=NUMBER)


def test_what_waits_for_the_person_is_never_sent(cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        zoe = create_contact(tenant=cast.clinic.tenant, number=NUMBER, values={"first_name": "Zoe"})
    people = make_list(cast.clinic, [NUMBER])
    frozen, planned = make_draft(cast.clinic, people), make_draft(cast.clinic, people, body="Sale")
    with tenant_scope(cast.clinic.tenant.id):
        launch(campaign=frozen)
        launch(campaign=planned)
    plan_campaign(cast.clinic.tenant.id, frozen.id, seconds=0)
    plan_campaign(cast.clinic.tenant.id, planned.id)
    erase_zoe(cast, zoe)
    plan_campaign(cast.clinic.tenant.id, frozen.id)
    while run_next_batch("marketing"):
        pass
    with tenant_scope(cast.clinic.tenant.id):
        rules = [(message.status, message.decision["rule"]) for message in Message.objects.all()]
        assert rules == [("blocked", "person_is_not_erased")] * 2
        assert not Attempt.objects.exists()
        assert Batch.objects.exclude(state="done").count() == 0


@pytest.mark.parametrize(("name", "status"), [("alice", 302), ("mona", 302), ("bob", 403), ("vera", 403)])
def test_who_may_erase(client: Client, cast: Cast, zoe: Contact, name: str, status: int) -> None:
    sign_in(client, getattr(cast, name), cast.clinic.tenant)
    page = text_of(client.get(reverse("contact", args=[zoe.id])))
    assert (reverse("contact_erase", args=[zoe.id]) in page) == (status == 302)
    assert client.get(reverse("contact_erase", args=[zoe.id])).status_code == (200 if status == 302 else 403)
    assert client.post(reverse("contact_erase", args=[zoe.id]), {"typed": " erase "}).status_code == status
    assert client.get(reverse("contact", args=[zoe.id])).status_code == (404 if status == 302 else 200)
    assert (CANARY in text_of(client.get(reverse("contacts"), {"archived": "1"})).lower()) is False


@pytest.mark.parametrize("typed", ["", "yes", "ERASE!", "E\x00RASE", "x" * 500])
def test_without_the_word_nothing_happens(client: Client, cast: Cast, zoe: Contact, typed: str) -> None:
    sign_in(client, cast.mona, cast.clinic.tenant)
    answer = client.post(reverse("contact_erase", args=[zoe.id]), {"typed": typed})
    assert answer.status_code == 422
    assert "Type ERASE to go ahead" in text_of(answer)
    assert "contacts_contact.last_name" in found_in(CANARY)


def test_somebody_who_has_not_confirmed_is_asked_first(client: Client, cast: Cast, zoe: Contact) -> None:
    sign_in(client, cast.mona, cast.clinic.tenant)
    confirm(client, cast.mona, seconds_ago=3600)
    answer: Any = client.post(reverse("contact_erase", args=[zoe.id]), {"typed": "ERASE"})
    assert answer.status_code == 302
    assert answer.url.startswith("/accounts/")
    assert "contacts_contact.last_name" in found_in(CANARY)


def test_another_tenants_contact_does_not_exist(client: Client, cast: Cast, zoe: Contact) -> None:
    with tenant_scope(cast.shop.tenant.id):
        create_contact(tenant=cast.shop.tenant, number=NUMBER, values={"last_name": "Zanzibara"})
    sign_in(client, cast.charlie, cast.shop.tenant)
    assert client.post(reverse("contact_erase", args=[zoe.id]), {"typed": "ERASE"}).status_code == 404
    erase_zoe(cast, zoe)
    assert found_in(CANARY) == {"contacts_contact.last_name", "contacts_contact.last_key"}, "the shop's own"


def test_the_audit_log_says_that_somebody_was_erased_and_not_who(client: Client, cast: Cast, zoe: Contact) -> None:
    sign_in(client, cast.mona, cast.clinic.tenant)
    client.post(reverse("contact_erase", args=[zoe.id]), {"typed": "ERASE"})
    with tenant_scope(cast.clinic.tenant.id):
        entry = AuditEntry.objects.get(action="contact.erased")
        assert (entry.actor_id, entry.target_id, entry.target_name) == (cast.mona.id, zoe.id, "")


def test_a_handler_that_does_not_exist_is_told_at_start_up(settings: Any) -> None:
    from smsplatform.checks import check_handlers

    assert check_handlers() == []
    settings.ERASURE_HANDLERS = ["nowhere.erase"]
    assert [problem.id for problem in check_handlers()] == ["smsplatform.E009"]
