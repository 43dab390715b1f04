"""What the check foretells of each row is what the import does with it, whatever the file and whoever is known already."""

import csv
import io
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from consent.ledger import OptIn
from consent.models import ConsentState
from consent.services import is_suppressed, opt_back_in, opt_in, opt_out
from contacts.importing.run import run_import
from contacts.models import Contact, ContactImport, ContactNumber, ImportRow
from contacts.services import add_number, check_import, confirm_import, create_contact, create_field, upload_import
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tenants.services import create_tenant

NUMBERS = [f"+1202555010{digit}" for digit in range(6)]
FURTHER = "+12025550110"
"""A second number of whoever has the first one."""

spelled = st.sampled_from([*NUMBERS, FURTHER]).flatmap(
    lambda number: st.sampled_from([number, f"({number[2:5]}) {number[5:8]}-{number[8:]}", f"{number[2:]}.0"])
)
rows = st.tuples(
    st.one_of(spelled, spelled, spelled, st.sampled_from(["", "12345", "+44 909 879 0000", "call me"])),
    st.sampled_from(["", "Ann", "Ben", "İda"]),
    st.sampled_from(["", "Boston", "Austin", "x" * 501]),
    st.sampled_from(["yes", "yes", "", "no", "stop", "perhaps"]),
)
files = st.lists(rows, min_size=1, max_size=14)
known = st.dictionaries(st.sampled_from(NUMBERS), st.sampled_from(["", "Ann", "Ben"]), max_size=4)
some = st.sets(st.sampled_from([*NUMBERS, FURTHER]), max_size=3)
bases = st.sampled_from([("web_form", ["marketing"]), ("verbal", ["transactional"]), ("none", [])])
_tenants = count()


def tenant_with(contacts: dict[str, str], agreed: set[str], came_back: set[str], suppressed: set[str]) -> Tenant:
    number = next(_tenants)
    tenant, _ = create_tenant(name=f"Shop {number}", owner_email=f"owner{number}@shop.example")
    with tenant_scope(tenant.id):
        create_field(label="City", kind="text")
        for known_number, name in contacts.items():
            contact = create_contact(
                tenant=tenant, number=known_number, values={"first_name": name}, fields={"city": "Boston"}
            )
            if known_number == NUMBERS[0]:
                add_number(tenant=tenant, contact=contact, number=FURTHER)
        for each in agreed:
            opt_in(opt_in=OptIn(each, "marketing", "paper"))
        for each in came_back:
            opt_out(number=each, source="reply", wording="STOP")
            opt_back_in(number=each, wording="START", evidence={})
        for each in suppressed:
            opt_out(number=each, source="reply", wording="STOP")
    return tenant


def foretold(job: ContactImport) -> dict[int, tuple[Any, ...]]:
    found = ImportRow.objects.filter(contact_import_id=job.id)
    return {row[0]: row[1:] for row in found.values_list("row_number", "outcome", "note", "contact_id", "before")}


def everybody() -> dict[Any, tuple[str, Any]]:
    return {each.id: (each.first_name, each.fields) for each in Contact.objects.all()}


@given(files, known, some, some, some, bases)
@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@pytest.mark.django_db(transaction=True)
def test_the_import_does_what_the_check_foretold(
    table: list[tuple[str, ...]],
    contacts: dict[str, str],
    agreed: set[str],
    came_back: set[str],
    suppressed: set[str],
    basis: tuple[str, list[str]],
) -> None:
    tenant = tenant_with(contacts, agreed, came_back, suppressed)
    out = io.StringIO()
    csv.writer(out).writerows([["phone", "first name", "city", "opt in"], *table])
    with tenant_scope(tenant.id):
        job = upload_import(tenant=tenant, file_name="a.csv", content=out.getvalue().encode(), user_id=None)
        check_import(job=job, columns=job.columns, basis=basis[0], purposes=basis[1], by_caller=True)
    run_import(tenant.id, job.id)
    with tenant_scope(tenant.id):
        job = ContactImport.objects.get(id=job.id)
        assert job.status == "checked"
        said, said_counts, before = foretold(job), job.counts, everybody()
        confirm_import(job=job, accepts_warnings=True, by_caller=True)
    run_import(tenant.id, job.id)
    with tenant_scope(tenant.id):
        job = ContactImport.objects.get(id=job.id)
        assert (job.status, job.counts, foretold(job)) == ("done", said_counts, said)
        _is_what_happened(job, said, before, everybody())
        _is_agreed_to(job)


def _is_what_happened(
    job: ContactImport, said: dict[int, tuple[Any, ...]], before: dict[Any, Any], after: dict[Any, Any]
) -> None:
    """Who is new, who has changed and who has not is as it was said."""
    by_outcome: dict[str, set[Any]] = {}
    for outcome, _, contact_id, _ in said.values():
        by_outcome.setdefault(outcome, set()).add(contact_id)
    created, updated = by_outcome.get("created", set()), by_outcome.get("updated", set())
    assert after.keys() - before.keys() == created
    assert {each for each in before if after[each] != before[each]} == updated
    assert by_outcome.get("unchanged", set()) <= before.keys()
    assert by_outcome.get("merged", set()) <= after.keys()
    assert len(said) == sum(job.counts.values())


def _is_agreed_to(job: ContactImport) -> None:
    """A row without a note is of somebody who agreed and can be texted; one that says so of somebody who cannot."""
    purposes = [purpose for purpose in job.purposes if job.may_prove(purpose)]
    speaking = ImportRow.objects.filter(contact_import_id=job.id, is_repeated=False).exclude(outcome="rejected")
    for row in speaking:
        acts = set(ConsentState.objects.filter(number=row.number, purpose__in=purposes).values_list("act", flat=True))
        texted = bool(purposes) and acts == {"opt_in"} and not is_suppressed(number=row.number)
        if row.note == "":
            assert texted, row
        elif row.note == "opted_out":
            assert not texted, row
        else:
            assert row.said in ("no", "stop") or not purposes, row
    assert not ContactNumber.objects.filter(number__in=Contact.objects.values("number")).exists()
