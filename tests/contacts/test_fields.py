"""The tenant's own fields: set up on the settings page, filled on the contact's, and found by their index."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from contacts.fields import key_of
from contacts.models import Contact, ContactField, ContactValue
from contacts.services import create_contact, create_field, ensure_fields, update_contact
from contacts.services.fields import MAX_FIELDS
from contacts.tasks import wipe_deleted_fields, wipe_field
from contacts.values import refresh_values
from tenants.models import AuditEntry
from tenants.scope import tenant_scope
from tests.cast import Cast
from tests.web import sign_in, text_of

NUMBER = "+12025550101"
HOSTILE = "<script>alert('x')</script>\"><b>"


@pytest.fixture
def alice(client: Client, cast: Cast) -> Client:
    return sign_in(client, cast.alice, cast.clinic.tenant)


def field_of(cast: Cast, label: str, kind: str = "text", choices: tuple[str, ...] = ()) -> ContactField:
    with tenant_scope(cast.clinic.tenant.id):
        return create_field(label=label, kind=kind, choices=choices)


def ann_with(cast: Cast, **fields: str) -> Contact:
    with tenant_scope(cast.clinic.tenant.id):
        return create_contact(tenant=cast.clinic.tenant, number=NUMBER, values={"first_name": "Ann"}, fields=fields)


def index_of(cast: Cast, field: ContactField) -> list[str]:
    with tenant_scope(cast.clinic.tenant.id):
        return list(ContactValue.objects.filter(field=field).order_by("key").values_list("key", flat=True))


# --- Setting up -----------------------------------------------------------------------------------------------------


def test_a_field_is_added_renamed_moved(alice: Client, cast: Cast) -> None:
    alice.post(reverse("contact_fields"), {"label": " Shoe  size ", "kind": "number"})
    alice.post(reverse("contact_fields"), {"label": "Colour", "kind": "choice", "choices": "Red\n\n Blue \nRed"})
    with tenant_scope(cast.clinic.tenant.id):
        size, colour = ContactField.objects.order_by("position")
    assert (size.key, size.label, size.kind) == ("shoe_size", "Shoe size", "number")
    assert colour.choices == ["Red", "Blue"]
    alice.post(reverse("contact_field_edit", args=[size.id]), {"label": "EU size", "kind": "number"})
    alice.post(reverse("contact_field_move", args=[colour.id]), {"up": "1"})
    page = text_of(alice.get(reverse("contact_fields")))
    assert page.index("Colour") < page.index("EU size")
    assert "{{ shoe_size }}" in page


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"label": "", "kind": "text"}, "This field is required."),
        ({"label": "\x00", "kind": "text"}, "Null characters are not allowed."),
        ({"label": "x" * 61, "kind": "text"}, "at most 60 characters"),
        ({"label": "town", "kind": "text"}, "There is a field with this name already."),
        ({"label": "New", "kind": "poem"}, "Select a valid choice"),
        ({"label": "New", "kind": "choice", "choices": "One"}, "at least two choices"),
        ({"label": "New", "kind": "choice", "choices": "O'Neil\no neil"}, "too much alike"),
        ({"label": "New", "kind": "choice", "choices": "a\n" + "b" * 61}, "Shorten"),
        ({"label": "New", "kind": "choice", "choices": "\n".join(map(str, range(101)))}, "at most 100 choices"),
    ],
)
def test_a_field_that_cannot_be_added_says_why(alice: Client, cast: Cast, data: dict[str, str], says: str) -> None:
    field_of(cast, "Town")
    answer = alice.post(reverse("contact_fields"), data)
    assert answer.status_code == 422
    assert says in text_of(answer)


def test_two_labels_may_make_one_key(cast: Cast) -> None:
    assert [field_of(cast, label).key for label in ("City!", "City?", "城市", "市")] == [
        "city",
        "city_2",
        "field",
        "field_2",
    ]


def test_names_that_the_system_uses_are_no_keys(cast: Cast) -> None:
    assert field_of(cast, "Phone").key == "phone"
    assert field_of(cast, "E-mail").key == "e_mail"
    assert field_of(cast, "first name").key == "field"
    assert field_of(cast, "tenant_id").key == "field_2"


def test_there_is_an_end_to_the_fields(cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        ensure_fields(names=[f"f{n}" for n in range(MAX_FIELDS)])
        with pytest.raises(ValidationError, match="which is the most"):
            create_field(label="One more", kind="text")
        with pytest.raises(ValidationError, match="more than 100 fields"):
            ensure_fields(names=["f1", "one_more"])


def test_another_kind_converts_the_values(alice: Client, cast: Cast) -> None:
    field = field_of(cast, "Since")
    ann = ann_with(cast, since="3/4/2026")
    answer = alice.post(reverse("contact_field_edit", args=[field.id]), {"label": "Since", "kind": "date"})
    assert answer.status_code == 302
    with tenant_scope(cast.clinic.tenant.id):
        assert Contact.objects.get(id=ann.id).fields == {"since": "2026-03-04"}
    assert index_of(cast, field) == ["2026-03-04"]


def test_values_that_do_not_fit_are_named_and_stay(alice: Client, cast: Cast) -> None:
    field = field_of(cast, "Since")
    ann = ann_with(cast, since="last spring")
    answer = alice.post(reverse("contact_field_edit", args=[field.id]), {"label": "Begin", "kind": "date"})
    assert answer.status_code == 422
    assert "“last spring”" in text_of(answer)
    with tenant_scope(cast.clinic.tenant.id):
        assert Contact.objects.get(id=ann.id).fields == {"since": "last spring"}
        assert ContactField.objects.get(id=field.id).label == "Since"


@pytest.mark.parametrize("sweep", [False, True])
def test_a_deleted_field_takes_its_values_along(alice: Client, cast: Cast, sweep: bool) -> None:
    field, kept = field_of(cast, "Secret"), field_of(cast, "Kept")
    ann = ann_with(cast, secret="x", kept="y")
    assert "is deleted" in text_of(alice.post(reverse("contact_field_delete", args=[field.id]), follow=True))
    assert "Secret" not in text_of(alice.get(reverse("contact", args=[ann.id])))
    assert alice.get(reverse("contact_field_edit", args=[field.id])).status_code == 404
    with tenant_scope(cast.clinic.tenant.id), pytest.raises(ValidationError, match="is being deleted"):
        ensure_fields(names=["secret"])
    if not sweep:
        wipe_field(str(cast.clinic.tenant.id), str(field.id))
    else:
        wipe_deleted_fields()
    with tenant_scope(cast.clinic.tenant.id):
        assert Contact.objects.get(id=ann.id).fields == {"kept": "y"}
        assert not ContactField.objects.filter(id=field.id).exists()
    assert (index_of(cast, field), index_of(cast, kept)) == ([], ["y"])


def test_an_existing_field_is_never_wiped(cast: Cast) -> None:
    field = field_of(cast, "Town")
    ann_with(cast, town="Reno")
    wipe_field(str(cast.clinic.tenant.id), str(field.id))
    assert index_of(cast, field) == ["reno"]


@pytest.mark.parametrize("name", ["bob", "vera"])
def test_who_may_not_change_settings_may_look(client: Client, cast: Cast, name: str) -> None:
    field = field_of(cast, "Town")
    sign_in(client, getattr(cast, name), cast.clinic.tenant)
    assert "Town" in text_of(client.get(reverse("contact_fields")))
    assert client.post(reverse("contact_fields"), {"label": "New", "kind": "text"}).status_code == 403
    for address in ("contact_field_edit", "contact_field_move", "contact_field_delete"):
        assert client.post(reverse(address, args=[field.id])).status_code == 403


def test_another_tenants_fields_do_not_exist(client: Client, cast: Cast) -> None:
    field = field_of(cast, "Town")
    sign_in(client, cast.charlie, cast.shop.tenant)
    assert "Town" not in text_of(client.get(reverse("contact_fields")))
    for address in ("contact_field_edit", "contact_field_move", "contact_field_delete"):
        assert client.post(reverse(address, args=[field.id]), {"label": "x", "kind": "text"}).status_code == 404


def test_changes_are_in_the_audit_log(alice: Client, cast: Cast) -> None:
    field = field_of(cast, "Town")
    alice.post(reverse("contact_field_edit", args=[field.id]), {"label": "City", "kind": "text"})
    with tenant_scope(cast.clinic.tenant.id):
        entry = AuditEntry.objects.get(action="field.changed")
    assert (entry.before, entry.after) == ({"label": "Town"}, {"label": "City"})


# --- Values ---------------------------------------------------------------------------------------------------------

KINDS: dict[str, tuple[str, tuple[str, ...], str, str, str]] = {
    "text": ("text", (), " Reno ", "Reno", "Reno"),
    "number": ("number", (), "1,234.50", "1234.5", "1,234.5"),
    "date": ("date", (), "3/4/2026", "2026-03-04", "March 4, 2026"),
    "yes_no": ("yes_no", (), "yes", "yes", "Yes"),
    "choice": ("choice", ("Red", "Blue"), "Blue", "Blue", "Blue"),
}


@pytest.mark.parametrize("case", KINDS)
def test_a_value_goes_from_the_form_to_the_page_and_back(alice: Client, cast: Cast, case: str) -> None:
    kind, choices, typed, value, shown = KINDS[case]
    field = field_of(cast, "Own", kind, choices)
    answer: Any = alice.post(reverse("contact_add"), {"number": NUMBER, "field_own": typed})
    assert answer.status_code == 302
    with tenant_scope(cast.clinic.tenant.id):
        ann = Contact.objects.get()
    assert ann.fields == {"own": value}
    assert index_of(cast, field) == [key_of(value, field.type.kind)]
    assert shown in text_of(alice.get(answer.url))
    edit = reverse("contact_edit", args=[ann.id])
    assert f'value="{value}"' in text_of(alice.get(edit))
    assert alice.post(edit, {"field_own": ""}).status_code == 302
    assert index_of(cast, field) == []


@pytest.mark.parametrize(
    ("kind", "typed", "says"),
    [
        ("number", "much", "This is not a number."),
        ("date", "soon", "This is not a date."),
        ("text", "x" * 501, "at most 500"),
        ("text", "a\x00", "Null characters"),
        ("yes_no", "maybe", "Write yes or no."),
        ("number", HOSTILE, "This is not a number."),
    ],
)
def test_a_bad_value_keeps_what_was_typed(alice: Client, cast: Cast, kind: str, typed: str, says: str) -> None:
    field_of(cast, "Own", kind)
    answer = alice.post(reverse("contact_add"), {"number": NUMBER, "first_name": "Ann", "field_own": typed})
    assert answer.status_code == 422
    page = text_of(answer)
    assert says in page
    assert 'value="Ann"' in page
    assert HOSTILE not in answer.content.decode()


def test_services_take_known_fields_and_canonical_values_only(cast: Cast) -> None:
    field_of(cast, "Size", "number")
    with tenant_scope(cast.clinic.tenant.id):
        with pytest.raises(ValidationError) as unknown:
            create_contact(tenant=cast.clinic.tenant, number=NUMBER, values={}, fields={"nobody": "x"})
        assert unknown.value.message_dict == {"field_nobody": ["There is no such field."]}
        ann = create_contact(tenant=cast.clinic.tenant, number=NUMBER, values={}, fields={"size": "42"})
        with pytest.raises(ValidationError):
            update_contact(contact=ann, values={}, fields={"size": "large"})
        assert Contact.objects.get().fields == {"size": "42"}


def test_deleting_a_contact_takes_its_values_along(cast: Cast) -> None:
    field = field_of(cast, "Town")
    ann = ann_with(cast, town="Reno")
    with tenant_scope(cast.clinic.tenant.id):
        ann.delete()
    assert index_of(cast, field) == []


def test_refreshing_mends_the_index(cast: Cast) -> None:
    field = field_of(cast, "Town")
    ann = ann_with(cast, town="Reno")
    with tenant_scope(cast.clinic.tenant.id):
        Contact.objects.update(fields={"town": "Boston", "unknown": "x"})
        assert refresh_values([ann.id]) == 1
        assert refresh_values([]) == 0
    assert index_of(cast, field) == ["boston"]
