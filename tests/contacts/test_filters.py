"""Filters: rules find whom they say, refuse what they do not know, and are used by lists and campaigns."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.models import Campaign, CampaignRecipient
from campaigns.recipients import freeze
from campaigns.services import choose_audience, save_draft
from consent.ledger import OptIn
from consent.services import opt_in, opt_out
from contacts.among import Asking
from contacts.audience import Audience, members
from contacts.filters.rules import MAX_CONDITIONS, RuleProblem, read_rule
from contacts.filters.select import chosen, rule_q
from contacts.models import Contact, ContactField, ContactFilter, ContactList, Tag
from contacts.services import (
    add_to_list,
    create_contact,
    create_field,
    create_list,
    delete_field,
    delete_filter,
    get_or_create_tag,
    note_wrote,
    save_filter,
    tag_contact,
)
from tenants.scope import tenant_scope
from tests.cast import Cast
from tests.web import sign_in, text_of

NAMES = ("Ann", "Ben", "Cleo", "Dan")
FIELDS = {
    "Ann": {"city": "Boston", "visits": "12", "birthday": "1990-05-01", "vip": "yes", "size": "M"},
    "Ben": {"city": "Bosnia", "visits": "3", "birthday": "2001-01-31", "vip": "no", "size": "L"},
    "Cleo": {"city": "Reno", "visits": "-1.5"},
    "Dan": {},
}
Rule = dict[str, Any]


@pytest.fixture
def alice(client: Client, cast: Cast) -> Client:
    return sign_in(client, cast.alice, cast.clinic.tenant)


@pytest.fixture
def ids(cast: Cast) -> dict[str, str]:
    """Ann to Dan with fields, tags, lists, consent and texts; the ids of what rules name."""
    tenant = cast.clinic.tenant
    with tenant_scope(tenant.id):
        made = {
            name: create_field(label=name, kind=kind, choices=choices)
            for name, kind, choices in (
                ("City", "text", ()),
                ("Visits", "number", ()),
                ("Birthday", "date", ()),
                ("VIP", "yes_no", ()),
                ("Size", "choice", ("M", "L")),
            )
        }
        people = {
            name: create_contact(
                tenant=tenant,
                number=f"+1202555010{position}",
                values={"first_name": name, "language": "es" if name == "Ben" else ""},
                fields=FIELDS[name],
            )
            for position, name in enumerate(NAMES)
        }
        guests, regular = create_list(name="Guests"), get_or_create_tag(name="Regular")
        add_to_list(contact=people["Ann"], contact_list=guests)
        add_to_list(contact=people["Ben"], contact_list=guests)
        tag_contact(contact=people["Ann"], tag=regular)
        opt_in(opt_in=OptIn(people["Ann"].number, "marketing", "paper", wording="x"))
        opt_out(number=people["Cleo"].number, source="reply", wording="STOP")
        note_wrote(contact_id=people["Ben"].id, at=timezone.now() - timedelta(days=40))
        note_wrote(contact_id=people["Ann"].id, at=timezone.now())
        Contact.objects.filter(first_name="Dan").update(created_at=timezone.now() - timedelta(days=100))
    return {
        **{name.lower(): str(field.id) for name, field in made.items()},
        "guests": str(guests.id),
        "regular": str(regular.id),
    }


def condition(subject: str, operator: str, value: str = "", target: str = "") -> Rule:
    return {"subject": subject, "target": target, "operator": operator, "value": value}


def group(match: str, *parts: Rule) -> Rule:
    return {"match": match, "parts": list(parts)}


def found(cast: Cast, rule: Rule) -> set[str]:
    """Whom the rule chooses, in each of the ways in which it can be asked."""
    tenant = cast.clinic.tenant
    with tenant_scope(tenant.id):
        many, everybody = Asking(few=0), Contact.objects.get_queryset().active()
        answers = [chosen(read_rule(rule), tenant)]
        answers += [everybody.filter(rule_q(read_rule(rule), tenant, ask)) for ask in (many.walked, many.joined)]
        found, *others = [set(answer.values_list("first_name", flat=True)) for answer in answers]
        assert others == [found, found]
        return found


CONDITIONS = [
    ("field", "is", "BOSTON", "city", {"Ann"}),
    ("field", "is_not", "Boston", "city", {"Ben", "Cleo", "Dan"}),
    ("field", "starts", "bos", "city", {"Ann", "Ben"}),
    ("field", "starts_not", "bos", "city", {"Cleo", "Dan"}),
    ("field", "known", "", "city", {"Ann", "Ben", "Cleo"}),
    ("field", "unknown", "", "city", {"Dan"}),
    ("field", "is", "12.0", "visits", {"Ann"}),
    ("field", "at_least", "3", "visits", {"Ann", "Ben"}),
    ("field", "at_most", "3", "visits", {"Ben", "Cleo"}),
    ("field", "at_most", "-1", "visits", {"Cleo"}),
    ("field", "on", "5/1/1990", "birthday", {"Ann"}),
    ("field", "before", "2000-01-01", "birthday", {"Ann"}),
    ("field", "after", "1990-05-01", "birthday", {"Ben"}),
    ("field", "last_days", "36500", "birthday", {"Ann", "Ben"}),
    ("field", "next_days", "30", "birthday", set()),
    ("field", "is", "yes", "vip", {"Ann"}),
    ("field", "is_not", "yes", "vip", {"Ben", "Cleo", "Dan"}),
    ("field", "is", "L", "size", {"Ben"}),
    ("tag", "has", "", "regular", {"Ann"}),
    ("tag", "has_not", "", "regular", {"Ben", "Cleo", "Dan"}),
    ("list", "in", "", "guests", {"Ann", "Ben"}),
    ("list", "not_in", "", "guests", {"Cleo", "Dan"}),
    ("consent", "opted_in", "", "marketing", {"Ann"}),
    ("consent", "opted_in_after", "2020-01-01", "marketing", {"Ann"}),
    ("consent", "opted_in_after", "2199-01-01", "marketing", set()),
    ("consent", "ends_within", "30", "marketing", set()),
    ("consent", "not_opted_in", "", "marketing", {"Ben", "Cleo", "Dan"}),
    ("consent", "opted_out", "", "marketing", set()),
    ("suppressed", "yes", "", "", {"Cleo"}),
    ("suppressed", "no", "", "", {"Ann", "Ben", "Dan"}),
    ("number", "starts", "+1 202 555", "", set(NAMES)),
    ("number", "starts", "2025550101", "", {"Ben"}),
    ("number", "starts_not", "(202) 555-0101", "", {"Ann", "Cleo", "Dan"}),
    ("first_name", "is", "ANN", "", {"Ann"}),
    ("first_name", "starts_not", "a", "", {"Ben", "Cleo", "Dan"}),
    ("last_name", "unknown", "", "", set(NAMES)),
    ("language", "is", "ES", "", {"Ben"}),
    ("language", "known", "", "", {"Ben"}),
    ("email", "unknown", "", "", set(NAMES)),
    ("wrote", "last_days", "30", "", {"Ann"}),
    ("wrote", "not_last_days", "30", "", {"Ben", "Cleo", "Dan"}),
    ("wrote", "never", "", "", {"Cleo", "Dan"}),
    ("wrote", "before", "2199-01-01", "", {"Ann", "Ben"}),
    ("created", "last_days", "30", "", {"Ann", "Ben", "Cleo"}),
    ("created", "after", "2199-01-01", "", set()),
    ("updated", "not_last_days", "1", "", set()),
]


def test_each_condition_finds_whom_it_says(cast: Cast, ids: dict[str, str]) -> None:
    for subject, operator, value, target, names in CONDITIONS:
        rule = condition(subject, operator, value, ids.get(target, target))
        assert found(cast, group("all", rule)) == names, rule
        # The same among others: in a union, and probed.
        assert found(cast, group("any", rule, condition("first_name", "is", "nobody"))) == names, rule
        assert found(cast, group("none", rule)) == set(NAMES) - names, rule


def test_groups_nest(cast: Cast, ids: dict[str, str]) -> None:
    in_boston = condition("field", "is", "Boston", ids["city"])
    in_reno = condition("field", "is", "Reno", ids["city"])
    guest = condition("list", "in", "", ids["guests"])
    assert found(cast, group("any", in_boston, in_reno)) == {"Ann", "Cleo"}
    assert found(cast, group("all", guest, group("none", in_boston))) == {"Ben"}
    assert found(cast, group("any", group("all", guest, in_boston), group("all", in_reno))) == {"Ann", "Cleo"}
    assert found(cast, group("none", guest, in_reno)) == {"Dan"}
    assert found(cast, group("all")) == set(NAMES)


def test_many_in_a_group_of_any_are_found_all_the_same(
    cast: Cast, ids: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form for large tenants, which probes contact by contact, finds the same people."""
    monkeypatch.setattr("contacts.filters.select._FEW_COUNTED", 0)
    for subject, operator, value, target, names in CONDITIONS:
        rule = condition(subject, operator, value, ids.get(target, target))
        assert found(cast, group("any", rule, condition("first_name", "is", "Dan"))) == names | {"Dan"}, rule


BAD: dict[str, tuple[object, str]] = {
    "no rule": ([], "This is no filter"),
    "another key": ({"match": "all", "parts": [], "sql": "1"}, "This is no filter"),
    "match": (group("most"), "all, any or none"),
    "subject": (group("all", condition("password", "is", "x")), "no filter knows"),
    "lookup as subject": (group("all", condition("first_name__regex", "is", "x")), "no filter knows"),
    "lookup as operator": (group("all", condition("first_name", "regex", "x")), "how each condition compares"),
    "operator of another": (group("all", condition("first_name", "at_least", "x")), "how each condition compares"),
    "connector": ({"match": "all", "parts": [], "_connector": "OR"}, "This is no filter"),
    "no value": (group("all", condition("first_name", "is", "  ")), "a value"),
    "number as value": (group("all", {**condition("first_name", "is"), "value": 1}), "This is no filter"),
    "NUL": (group("all", condition("first_name", "is", "a\x00")), "cannot be searched"),
    "huge": (group("all", condition("first_name", "is", "a" * 501)), "too long"),
    "made-up field": (group("all", condition("field", "known", "", str(uuid4()))), "does not exist any more"),
    "no id": (group("all", condition("tag", "has", "", "' OR 1=1")), "does not exist any more"),
    "purpose": (group("all", condition("consent", "opted_in", "", "everything")), "what the people agreed to"),
    "days": (group("all", condition("wrote", "last_days", "-1")), "number of days"),
    "many days": (group("all", condition("wrote", "last_days", "99999999")), "number of days"),
    "date": (group("all", condition("created", "before", "soon")), "written as 2026-03-31"),
    "number": (group("all", condition("number", "starts", "abc")), "beginning of a number"),
    "deep": (group("all", group("all", group("all", group("all", group("all"))))), "4 deep"),
    "many": (group("all", *[condition("first_name", "known")] * (MAX_CONDITIONS + 1)), "at most 30 conditions"),
    "many in groups": (
        group("all", *[group("all", *[condition("first_name", "known")] * 16)] * 2),
        "at most 30 conditions",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_no_rule_may_say_is_refused(cast: Cast, case: str) -> None:
    rule, says = BAD[case]
    tenant = cast.clinic.tenant
    with tenant_scope(tenant.id):
        with pytest.raises(ValidationError, match=says):
            save_filter(tenant=tenant, kept=ContactFilter(), name="Bad", rule=rule)
        assert not ContactFilter.objects.exists()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["match", "parts", "subject", "operator", "value", "x"]), inner, max_size=4)
    ),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(json_values)
def test_nothing_but_a_rule_is_read_as_one(data: object) -> None:
    try:
        rule = read_rule(data)
    except RuleProblem:
        return
    assert isinstance(data, dict)
    assert rule.match == data["match"]


def test_another_tenants_ids_are_as_unknown_as_made_up_ones(cast: Cast, ids: dict[str, str]) -> None:
    tenant = cast.shop.tenant
    with tenant_scope(tenant.id):
        for subject, operator, target in (
            ("field", "known", "city"),
            ("tag", "has", "regular"),
            ("list", "in", "guests"),
        ):
            with pytest.raises(ValidationError, match="does not exist any more"):
                save_filter(
                    tenant=tenant,
                    kept=ContactFilter(),
                    name="Theirs",
                    rule=group("all", condition(subject, operator, "", ids[target])),
                )


# --- The pages ------------------------------------------------------------------------------------------------------


def posted(rule: Rule, path: str = "r") -> dict[str, str]:
    """The form of a rule as the page sends it."""
    data = {f"{path}.match": rule["match"]}
    data[f"{path}.parts"] = "".join("g" if "parts" in part else "c" for part in rule["parts"])
    for position, part in enumerate(rule["parts"]):
        own = f"{path}.{position}"
        data |= posted(part, own) if "parts" in part else {f"{own}.{name}": value for name, value in part.items()}
    return data


def test_a_filter_is_built_saved_changed_and_kept_as_another(alice: Client, cast: Cast, ids: dict[str, str]) -> None:
    new = reverse("filter_new")
    assert alice.get(new).status_code == 200
    rule = group("any", condition("field", "is", "Boston", ids["city"]), group("all", condition("wrote", "never")))
    page = text_of(alice.post(new, {**posted(rule), "name": "Some", "do": "add:r.1"}))
    assert 'name="r.1.1.subject"' in page
    assert "Some" in page
    assert alice.post(new, {**posted(rule), "name": "Some"}).status_code == 302
    with tenant_scope(cast.clinic.tenant.id):
        kept = ContactFilter.objects.get()
    assert kept.rule == rule
    edit = reverse("filter_edit", args=[kept.id])
    assert "It finds 3 people now." in text_of(alice.get(edit))
    alice.post(edit, {**posted(rule), "name": "Others", "save_as": "1"})
    alice.post(edit, {**posted(group("all")), "name": "Everybody"})
    with tenant_scope(cast.clinic.tenant.id):
        assert dict(ContactFilter.objects.values_list("name", "rule")) == {"Others": rule, "Everybody": group("all")}
    listed = text_of(alice.get(reverse("filters")))
    assert "Others" in listed
    rows = alice.get(reverse("contacts"), {"filter": str(kept.id)}).context["rows"]
    assert len(rows) == 4


def test_a_step_brings_the_builder_alone_with_the_count(alice: Client, ids: dict[str, str]) -> None:
    data = posted(group("all", condition("list", "in", "", ids["guests"])))
    step = alice.post(reverse("filter_new"), data, headers={"HX-Request": "true", "HX-Target": "builder"})
    page = text_of(step)
    assert "<html" not in page
    assert "It finds 2 people now." in page
    data = posted(group("all", condition("field", "starts", "x", "")))
    page = text_of(alice.post(reverse("filter_new"), data, headers={"HX-Request": "true", "HX-Target": "builder"}))
    assert f'<option value="{ids["city"]}" selected>' in page


def test_typing_a_value_brings_the_count_alone(alice: Client, ids: dict[str, str]) -> None:
    """The conditions stay as they are: somebody may be typing the next value by then."""
    data = posted(group("all", condition("field", "starts", "bos", ids["city"])))
    answer = alice.post(reverse("filter_new"), data, headers={"HX-Request": "true", "HX-Target": "builder-found"})
    page = text_of(answer)
    assert "It finds 2 people now." in page
    assert "<input" not in page
    assert "<select" not in page


@pytest.mark.parametrize("do", ["remove:r.0", "remove:r", "add:r.9", "group:r.0.0.0.0", "x", ":", "add:" + "r.0" * 100])
def test_odd_steps_do_no_harm(alice: Client, do: str) -> None:
    data = {**posted(group("all", condition("wrote", "never"))), "do": do, "name": "x\x00"}
    assert alice.post(reverse("filter_new"), data).status_code == 200


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "x" * 81}, "at most 80 characters"),
        ({"name": "some"}, "There is a filter with this name already."),
        ({"name": "New", "r.parts": "c", "r.0.subject": "wrote", "r.0.operator": "last_days"}, "a value"),
        ({"name": "New", "r.parts": "g" * 1000}, "Save the filter"),
        ({"name": "New", "r.parts": "c" * 31}, "a value"),
    ],
)
def test_a_filter_that_cannot_be_saved_says_why(alice: Client, cast: Cast, data: dict[str, str], says: str) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        save_filter(tenant=cast.clinic.tenant, kept=ContactFilter(), name="Some", rule=group("all"))
    answer = alice.post(reverse("filter_new"), {"r.match": "all", "r.parts": "", **data})
    assert answer.status_code in (302, 422)
    if answer.status_code == 422:
        assert says in text_of(answer)


@pytest.mark.parametrize("quick", ["list", "tag", "opt_in", "opt_out", "none"])
def test_quick_filters_become_a_filter(alice: Client, cast: Cast, ids: dict[str, str], quick: str) -> None:
    query = {"list": {"list": ids["guests"]}, "tag": {"tag": ids["regular"]}}.get(quick, {"consent": quick})
    shown = alice.get(reverse("contacts"), query)
    assert reverse("filter_new") in text_of(shown)
    answer = alice.get(reverse("filter_new"), query)
    expected = len(shown.context["rows"])
    assert answer.context["found"] == {"count": expected}


@pytest.mark.parametrize("name", ["vera"])
def test_a_viewer_sees_filters_and_changes_none(client: Client, cast: Cast, name: str) -> None:
    tenant = cast.clinic.tenant
    with tenant_scope(tenant.id):
        kept = save_filter(tenant=tenant, kept=ContactFilter(), name="Some", rule=group("all"))
    sign_in(client, getattr(cast, name), tenant)
    assert client.get(reverse("filters")).status_code == 200
    assert client.get(reverse("contacts"), {"filter": str(kept.id)}).status_code == 200
    for address in (reverse("filter_new"), reverse("filter_edit", args=[kept.id])):
        assert client.post(address, {"name": "x"}).status_code == 403
    assert client.post(reverse("filter_delete", args=[kept.id])).status_code == 403


def test_another_tenants_filters_do_not_exist(client: Client, cast: Cast, ids: dict[str, str]) -> None:
    tenant = cast.clinic.tenant
    with tenant_scope(tenant.id):
        kept = save_filter(tenant=tenant, kept=ContactFilter(), name="Some", rule=group("all"))
    sign_in(client, cast.charlie, cast.shop.tenant)
    assert client.get(reverse("filter_edit", args=[kept.id])).status_code == 404
    assert client.post(reverse("filter_delete", args=[kept.id])).status_code == 404
    assert "Some" not in text_of(client.get(reverse("filters")))
    with tenant_scope(cast.shop.tenant.id):
        create_contact(tenant=cast.shop.tenant, number="+12025550177", values={})
        assert not members(Audience(filters=[kept.id])).exists()


# --- Campaigns ------------------------------------------------------------------------------------------------------


def campaign_for(cast: Cast, **audience: Any) -> Campaign:
    draft = save_draft(campaign=Campaign(name="Spring", body="Hello"), known_tags=())
    choose_audience(campaign=draft, **{"lists": (), "tags": (), **audience})
    return draft


def test_a_campaign_goes_to_whom_its_filters_find(cast: Cast, ids: dict[str, str]) -> None:
    tenant = cast.clinic.tenant
    with tenant_scope(tenant.id):
        boston = save_filter(
            tenant=tenant,
            kept=ContactFilter(),
            name="Boston",
            rule=group("any", condition("field", "starts", "bos", ids["city"]), condition("wrote", "never")),
        )
        silent = save_filter(
            tenant=tenant, kept=ContactFilter(), name="Silent", rule=group("all", condition("suppressed", "yes"))
        )
        tagged = Tag.objects.get()
        draft = campaign_for(cast, filters=[boston], tags=[tagged], excluded_filters=[silent])
        assert freeze(draft) == 3
        names = CampaignRecipient.objects.values_list("contact__first_name", flat=True)
        assert set(names) == {"Ann", "Ben", "Dan"}


def test_a_filter_that_a_draft_uses_cannot_be_deleted(alice: Client, cast: Cast) -> None:
    tenant = cast.clinic.tenant
    with tenant_scope(tenant.id):
        kept = save_filter(tenant=tenant, kept=ContactFilter(), name="Some", rule=group("all"))
        draft = campaign_for(cast, filters=[kept])
    address = reverse("filter_delete", args=[kept.id])
    assert "still used by “Spring”" in text_of(alice.post(address, follow=True))
    with tenant_scope(tenant.id):
        Campaign.objects.filter(id=draft.id).update(status=Campaign.Status.CANCELLED)
    assert "Filter deleted" in text_of(alice.post(address, follow=True))


def test_a_filter_that_lost_its_field_reaches_nobody_and_spares_everybody(cast: Cast, ids: dict[str, str]) -> None:
    tenant = cast.clinic.tenant
    with tenant_scope(tenant.id):
        rule = group("all", condition("field", "known", "", ids["city"]))
        kept = save_filter(tenant=tenant, kept=ContactFilter(), name="Some", rule=rule)
        assert members(Audience(filters=[kept.id])).count() == 3
        delete_field(field=ContactField.objects.get(id=ids["city"]))
        assert members(Audience(filters=[kept.id])).count() == 0
        assert members(Audience(everyone=True, excluded_filters=[kept.id])).count() == 0


def test_deleting_twice_is_no_error(cast: Cast) -> None:
    tenant = cast.clinic.tenant
    with tenant_scope(tenant.id):
        kept = save_filter(tenant=tenant, kept=ContactFilter(), name="Some", rule=group("all"))
        delete_filter(kept=kept)
        delete_filter(kept=ContactFilter(id=uuid4()))
        assert not ContactFilter.objects.exists()
        assert ContactList.objects.count() == 0
