"""Every address of the dashboard that takes a form, with a form that it takes: what Alice, who owns the clinic, may do.

``FORMS`` names for each the parts of its address and what is posted; ``UNRECORDED`` those that leave no audit entry,
with the reason.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils.timezone import now

from campaigns.models import Campaign
from campaigns.services import choose_audience, launch, save_draft
from consent.ledger import OptIn
from consent.models import NumberMark
from consent.number_marks import Failure, mark_numbers
from consent.quiet_hours import WEEKDAYS
from consent.services import opt_in
from contacts.models import ContactFilter, ContactImport, DuplicatePair, ListMember
from contacts.services import (
    add_note,
    add_number,
    archive_contact,
    create_contact,
    create_field,
    create_list,
    get_or_create_tag,
    save_filter,
    start_job,
    tag_contact,
    upload_import,
)
from contacts.services.bulk import People
from messaging.models import MessageTemplate, ProviderAccount
from messaging.services import add_provider_account, save_pool, save_template, set_part_price
from support.models import Conversation
from tenants.models import AuditEntry, Membership, Tenant
from tenants.permissions import Role
from tenants.scope import tenant_scope
from tenants.services import accept_membership, add_guest, add_member, invite, remove_member
from tests.cast import Cast
from tests.codes import give_app
from tests.web import sign_in

__all__ = ["FORMS", "UNRECORDED", "Stage", "member_routes", "stage"]

UNRECORDED: Final = {
    "campaign_preview": "it shows what would be, and changes nothing",
    "conversation_reply": "the message itself says who wrote it and when",
    "contact_columns": "it only changes what the member's own list shows",
    "first_steps_hide": "it only takes a list off the member's own page",
    "part_count": "it measures a text, and changes nothing",
}

Posted = tuple[dict[str, object], dict[str, Any]]


def _with_price(staged: Any) -> Posted:
    with tenant_scope(staged.contact.tenant_id):
        set_part_price(micros=10_000, currency="USD")
    return {}, {"limit": "100"}


def _before_its_deletion(_: Any) -> Posted:
    Tenant.objects.update(deletion_due_at=datetime.now(UTC) + timedelta(days=2))
    return {}, {}


FORMS: Final[dict[str, Callable[[Any], Posted]]] = {
    "account_act": lambda s: ({"account_id": s.account.id, "action": "pause"}, {}),
    "account_add": lambda _: (
        {},
        {"provider": "twilio", "name": "New", "account_sid": f"AC{'0' * 32}", "auth_token": "t" * 32},
    ),
    "account_token": lambda s: ({"account_id": s.at_twilio.id}, {"auth_token": "n" * 32}),
    "account_weight": lambda s: ({"account_id": s.account.id}, {"weight": "20"}),
    "pool_add": lambda s: ({}, {"name": "Local numbers", "senders": [str(s.sender.id)]}),
    "pool_default": lambda s: ({"pool_id": s.pool.id}, {}),
    "pool_edit": lambda s: ({"pool_id": s.pool.id}, {"name": "Far numbers", "senders": [str(s.sender.id)]}),
    "audit_export": lambda _: ({}, {"about": "member"}),
    "business": lambda _: (
        {},
        {"name": "New name", "country": "US", "timezone": "America/New_York", "help_contact": "care@clinic.example"},
    ),
    "business_hand_over": lambda s: ({}, {"member": s.zoe.id, "stays_owner": "on", "typed_name": "Harbor Clinic"}),
    "deletion_ask": lambda _: ({}, {"delete-typed_name": "Harbor Clinic"}),
    "deletion_cancel": _before_its_deletion,
    "export_ask": lambda _: ({}, {}),
    "member_back": lambda s: ({"member_id": s.gone.id}, {}),
    "team_leave": lambda _: ({}, {}),
    "campaign_act": lambda s: ({"campaign_id": s.launched.id, "action": "pause"}, {}),
    "campaign_edit": lambda s: (
        {"campaign_id": s.draft.id},
        {"name": "Other", "purpose": "marketing", "body": "Hello"},
    ),
    "campaign_new": lambda s: ({}, {"name": "New", "purpose": "marketing", "body": "Hello", "lists": [s.list.id]}),
    "campaign_review": lambda s: ({"campaign_id": s.draft.id}, {"when": "later", "scheduled_at": _tomorrow()}),
    "contact_add": lambda _: ({}, {"number": "+12025550177"}),
    "contact_archive": lambda s: ({"contact_id": s.contact.id}, {}),
    "contact_bulk": lambda s: ({}, {"kind": "archive", "contact": [str(s.contact.id)]}),
    "contact_edit": lambda s: ({"contact_id": s.contact.id}, {"first_name": "Annabel"}),
    "contact_field_delete": lambda s: ({"field_id": s.field.id}, {}),
    "contact_field_edit": lambda s: ({"field_id": s.field.id}, {"label": "Home town", "kind": "text"}),
    "contact_field_move": lambda s: ({"field_id": s.field.id}, {"down": "1"}),
    "contact_fields": lambda _: ({}, {"label": "Birthday", "kind": "date"}),
    "contact_erase": lambda s: ({"contact_id": s.contact.id}, {"typed": "ERASE"}),
    "contact_job_cancel": lambda s: ({"job_id": s.bulk.id}, {}),
    "contact_list_add": lambda s: ({"contact_id": s.other.id}, {"list": s.list.id}),
    "contact_list_remove": lambda s: ({"contact_id": s.contact.id, "list_id": s.list.id}, {}),
    "contact_merge": lambda s: ({"contact_id": s.contact.id, "gone_id": s.other.id}, {}),
    "contact_number_add": lambda s: ({"contact_id": s.contact.id}, {"number": "+12025550176"}),
    "contact_number_prefer": lambda s: ({"contact_id": s.contact.id, "number_id": s.further.id}, {}),
    "contact_number_remove": lambda s: ({"contact_id": s.contact.id, "number_id": s.further.id}, {}),
    "contact_evidence": lambda s: (_agreed(s), {}),
    "contact_opt_in": lambda s: (
        {"contact_id": s.contact.id},
        {"purpose": "marketing", "source": "paper", "wording": "Signed at the desk"},
    ),
    "contact_opt_out": lambda s: ({"contact_id": s.contact.id}, {}),
    "contact_tag": lambda s: ({"contact_id": s.contact.id}, {"remove": s.tag.id}),
    "contact_unarchive": lambda s: ({"contact_id": s.archived.id}, {}),
    "conversation_assign": lambda s: ({"conversation_id": s.conversation.id}, {"member": s.bob.id}),
    "conversation_close": lambda s: ({"conversation_id": s.conversation.id}, {}),
    "conversation_open": lambda _: ({}, {"number": "+12025550178"}),
    "conversation_review": lambda s: ({"conversation_id": s.conversation.id}, {"decision": "keep"}),
    "filter_delete": lambda s: ({"filter_id": s.filter.id}, {}),
    "filter_edit": lambda s: ({"filter_id": s.filter.id}, {"name": "Others", "r.match": "all", "r.parts": ""}),
    "filter_new": lambda _: ({}, {"name": "New", **CONDITION}),
    "duplicates_find": lambda _: ({}, {}),
    "import_confirm": lambda s: (_import_that_is(s, status="checked"), {}),
    "import_delete": lambda s: (_import_that_is(s, status="checked"), {}),
    "import_undo": lambda s: (_import_that_is(s, status="done", finished_at=now()), {}),
    "import_job": lambda s: (
        {"import_id": s.job.id},
        {"column_0": "first_name", "column_1": "number", "basis": "paper", "purposes": ["marketing"]},
    ),
    "countries": lambda _: ({}, {"countries": ["US", "FR"]}),
    "imports": lambda _: ({}, {"file": SimpleUploadedFile("new.csv", FILE)}),
    "list_delete": lambda s: ({"list_id": s.list.id}, {}),
    "list_rename": lambda s: ({"list_id": s.list.id}, {"name": "Other"}),
    "lists": lambda _: ({}, {"name": "New"}),
    "invitation_again": lambda s: ({"invitation_id": s.invitation.id}, {}),
    "invitation_revoke": lambda s: ({"invitation_id": s.invitation.id}, {}),
    "member_invite": lambda _: ({}, {"email": "new@clinic.example", "role": "agent"}),
    "member_remove": lambda s: ({"member_id": s.bob.id}, {}),
    "member_role": lambda s: ({"member_id": s.bob.id}, {"role": "viewer"}),
    "note_add": lambda s: ({"contact_id": s.contact.id}, {"body": "Comes on Mondays"}),
    "note_delete": lambda s: ({"contact_id": s.contact.id, "note_id": s.note.id}, {}),
    "note_edit": lambda s: ({"contact_id": s.contact.id, "note_id": s.note.id}, {"body": "Comes on Fridays"}),
    "security_rule": lambda _: ({}, {"required": "yes"}),
    "pair_dismiss": lambda s: ({"pair_id": s.pair.id}, {}),
    "sender_act": lambda s: ({"sender_id": s.sender.id, "action": "pause"}, {}),
    "own_hours_edit": lambda s: (
        {"purpose": "reminder"},
        {f"{day}_{end}": time for day in WEEKDAYS for end, time in (("from", "09:00"), ("until", "18:00"))},
    ),
    "double_opt_in": lambda _: ({}, {"doors": ["import", "web_form"], "days": "7"}),
    "retention_edit": lambda _: ({}, {"years": "7"}),
    "expiry_edit": lambda _: ({"purpose": "marketing"}, {"months": "24"}),
    "opt_out_rules": lambda _: ({}, {"keep": "reminder", "offers_alone": "on"}),
    "opt_out_numbers": lambda _: ({}, {"lines": "+12025550177", "note": "by e-mail"}),
    "rules_edit": lambda _: (
        {"purpose": "marketing"},
        {"agreement": "written", "footer": "first", "repeat_hours": "48"},
    ),
    "spending": _with_price,
    "part_price": lambda _: ({}, {"price": "0.0112", "currency": "USD"}),
    "number_again": lambda s: ({"mark_id": s.mark.id}, {}),
    "changed_numbers": lambda s: (_consenting(s), {"lines": "+12025550101, 2026-03-31"}),
    "frequency_edit": lambda s: ({"purpose": "reminder"}, {"obeys": "on", "texts": "3", "hours": "168"}),
    "sender_pace": lambda s: ({"sender_id": s.sender.id}, {"parts_per_second": "3"}),
    "sender_add": lambda s: ({}, {"account": s.account.id, "value": "+12025550179", "kind": "long_code"}),
    "approval_ask": lambda _: ({}, {"plan": "Appointment reminders to our patients", "agreed": "on"}),
    "trial_guest_add": lambda _: ({}, {"guest-number": "+12025550175"}),
    "trial_number_remove": lambda s: ({"number_id": s.guest.id}, {}),
    "trial_own_number": lambda _: ({}, {"own-number": "+12025550174"}),
    "template_delete": lambda s: ({"template_id": s.template.id}, {}),
    "template_edit": lambda s: (
        {"template_id": s.template.id},
        {"name": "Hours", "purpose": "marketing", "body": "We close at five"},
    ),
    "template_new": lambda _: ({}, {"name": "New", "purpose": "marketing", "body": "Hello"}),
}

CONDITION: Final = {
    "r.match": "all",
    "r.parts": "c",
    "r.0.subject": "first_name",
    "r.0.operator": "starts",
    "r.0.value": "Ann",
}
FILE: Final = b"name,phone\nAnn Lee,+12025550101\n"


@dataclass(frozen=True)
class Stage:
    """Alice signed in, and something of everything to act on."""

    cast: Cast
    client: Client
    things: SimpleNamespace

    def post(self, name: str) -> tuple[HttpResponse, list[AuditEntry]]:
        """Send the form of an address; what it answered, and the entries that it left."""
        parts, data = FORMS[name](self.things)
        with tenant_scope(self.cast.clinic.tenant.id):
            before = set(AuditEntry.objects.values_list("id", flat=True))
        answer: Any = self.client.post(reverse(name, kwargs=parts), data)
        with tenant_scope(self.cast.clinic.tenant.id):
            return answer, list(AuditEntry.objects.exclude(id__in=before))


def _consenting(staged: Any) -> dict[str, Any]:
    """Somebody's consent is on record, and the address has no parts."""
    _agreed(staged)
    return {}


def _agreed(staged: "Stage") -> dict[str, Any]:
    """Somebody of whom something is recorded."""
    contact = staged.contact
    with tenant_scope(contact.tenant_id):
        opt_in(opt_in=OptIn(contact.number, "marketing", "web_form"))
    return {"contact_id": contact.id}


def _import_that_is(staged: "Stage", **state: Any) -> dict[str, Any]:
    """The import as it is after its work."""
    with tenant_scope(staged.job.tenant_id):
        ContactImport.objects.filter(id=staged.job.id).update(**state)
    return {"import_id": staged.job.id}


def stage(cast: Cast, client: Client) -> Stage:
    """Set everything up."""
    tenant = cast.clinic.tenant
    sign_in(client, cast.alice, tenant)
    give_app(cast.alice)
    with tenant_scope(tenant.id):
        things = SimpleNamespace(
            account=cast.clinic.account,
            bob=Membership.objects.get(user=cast.bob),
            contact=create_contact(tenant=tenant, number="+12025550101", values={"first_name": "Ann"}),
            list=create_list(name="VIP"),
            other=create_contact(tenant=tenant, number="+12025550102", values={}),
            pool=save_pool(name="Near numbers", senders=[cast.clinic.sender]),
            sender=cast.clinic.sender,
            tag=get_or_create_tag(name="regular"),
            template=save_template(template=MessageTemplate(name="Hours", body="We close at six")),
            job=upload_import(tenant=tenant, file_name="people.csv", content=FILE, user_id=cast.alice.id),
        )
        secrets = {"account_sid": f"AC{'1' * 32}", "auth_token": "t" * 32}
        things.at_twilio = add_provider_account(
            kind=ProviderAccount.Kind.TWILIO, name="Ours at Twilio", credentials=secrets
        )
        things.zoe = add_member(email="zoe@clinic.example", role=Role.OWNER)
        accept_membership(membership=things.zoe)
        things.gone = add_member(email="gone@clinic.example", role=Role.AGENT)
        remove_member(membership=things.gone)
        Tenant.objects.filter(id=tenant.id).update(approved_at=None)
        things.guest = add_guest(tenant=tenant, number="+12025550173")
        things.invitation, _ = invite(email="nina@clinic.example", role=Role.AGENT, invited_by=cast.alice)
        things.further = add_number(tenant=tenant, contact=things.contact, number="+12025550103")
        things.filter = save_filter(
            tenant=tenant, kept=ContactFilter(), name="Regulars", rule={"match": "all", "parts": []}
        )
        things.field = create_field(label="Town", kind="text")
        create_field(label="Size", kind="number")
        things.note = add_note(contact=things.contact, body="Comes on Tuesdays", author_id=cast.alice.id)
        things.archived = create_contact(tenant=tenant, number="+12025550104", values={})
        archive_contact(contact=things.archived)
        mark_numbers([Failure("+12025550102", "no_texts", "30006", uuid4(), now())])
        things.mark = NumberMark.objects.get()
        things.pair = DuplicatePair.objects.create(one=things.contact, other=things.other, why="email")
        things.bulk = start_job(
            tenant=tenant, kind="archive", people=People((things.contact.id,)), values={}, user_id=cast.alice.id
        )
        ListMember.objects.create(contact=things.contact, contact_list=things.list)
        tag_contact(contact=things.contact, tag=things.tag)
        things.conversation = Conversation.objects.create(number="+12025550101", needs_review=True)
        things.draft, things.launched = _campaign(things, "Draft"), _campaign(things, "Launched")
        launch(campaign=things.launched)
    return Stage(cast, client, things)


def member_routes() -> dict[str, dict[str, Any]]:
    """The addresses of members' pages by name, each with the converters of its parts."""
    return dict(_routes(get_resolver()))


def _routes(resolver: URLResolver) -> Iterator[tuple[str, dict[str, Any]]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _routes(entry)
        elif isinstance(entry, URLPattern) and hasattr(entry.callback, "tenant_permission"):
            yield entry.name or "", dict(entry.pattern.converters)


def _campaign(things: SimpleNamespace, name: str) -> Campaign:
    campaign = save_draft(campaign=Campaign(name=name, body="Hello"), known_tags=())
    choose_audience(campaign=campaign, lists=[things.list], tags=[])
    return campaign


def _tomorrow() -> str:
    return f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%dT%H:%M}"
