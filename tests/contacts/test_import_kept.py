"""What is kept of an import, and for how long: the choice of columns, the file, its rows, and what came of it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import ConsentRecord
from contacts.importing import run
from contacts.models import Contact, ContactImport, ImportFilePart, ImportRange, ImportRow
from contacts.tasks import delete_old_rows
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.cast import Cast, make_cast
from tests.contacts.test_import_pages import CHOICES, done, upload, uploaded, work
from tests.contacts.test_import_warnings import SIGNS, checked
from tests.web import sign_in, text_of

FILE = "Mobile,First name,Store,Opt in\n(202) 555-0101,Ann,North,yes\n12345,Bad,South,yes\n"


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """Committed, because the run of an import commits chunk by chunk."""
    return make_cast()


@pytest.fixture
def mona(client: Client, cast: Cast) -> Client:
    return sign_in(client, cast.mona, cast.clinic.tenant)


def proposed(client: Client, content: str) -> tuple[list[str], bool]:
    """The columns that the page of an uploaded file proposes, and whether it says that it remembers them."""
    page = client.get(uploaded(client, content))
    form = page.context["form"]
    return [form[name].initial for name in form.column_names], "as you chose them the last time" in text_of(page)


def test_columns_are_remembered_for_files_with_the_same_titles(mona: Client, cast: Cast) -> None:
    guessed, chosen = ["number", "first_name", "store", "consent"], ["number", "last_name", "", "consent"]
    assert proposed(mona, FILE) == (guessed, False)
    done(mona, cast, FILE, column_1="last_name", column_2="")
    assert proposed(mona, FILE) == (chosen, True)
    assert proposed(mona, FILE.replace("Store", "STORE")) == (chosen, True)
    assert proposed(mona, FILE.replace("Store", "Shop")) == (["number", "first_name", "shop", "consent"], False)
    charlie = sign_in(Client(), cast.charlie, cast.shop.tenant)
    assert proposed(charlie, FILE) == (guessed, False)


def everything_of(cast: Cast) -> dict[str, int]:
    kept: tuple[Any, ...] = (ImportRow, ImportFilePart, ImportRange, ContactImport, Contact, ConsentRecord)
    with tenant_scope(cast.clinic.tenant.id):
        return {model.__name__: model.objects.count() for model in kept}


def age(cast: Cast, days: int, **values: Any) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        ContactImport.objects.update(created_at=timezone.now() - timedelta(days=days), **values)


def test_the_file_and_its_rows_go_and_what_came_of_them_stays(mona: Client, cast: Cast, settings: Any) -> None:
    address = done(mona, cast, FILE)
    before = everything_of(cast)
    age(cast, settings.IMPORT_KEPT_DAYS - 1)
    delete_old_rows()
    assert everything_of(cast) == before
    age(cast, settings.IMPORT_KEPT_DAYS + 1)
    delete_old_rows()
    assert everything_of(cast) == before | {"ImportRow": 0, "ImportFilePart": 0, "ImportRange": 0}
    page = text_of(mona.get(address))
    assert "The rows of this import have been deleted" in page
    assert f"{address}rejected.csv" not in page
    assert "The file with the rejected rows has been deleted." in text_of(
        mona.get(f"{address}rejected.csv", follow=True)
    )
    assert mona.post(f"{address}undo/").status_code == 422
    assert everything_of(cast)["Contact"] == 1


@pytest.mark.parametrize("status", ContactImport.WORKING)
def test_what_is_being_worked_on_is_kept(mona: Client, cast: Cast, settings: Any, status: str) -> None:
    done(mona, cast, FILE)
    before = everything_of(cast)
    age(cast, settings.IMPORT_KEPT_DAYS + 1, status=status)
    delete_old_rows()
    assert everything_of(cast) == before


@pytest.mark.parametrize("checked", [False, True])
def test_a_file_that_nobody_imported_goes_and_waits_no_longer(
    mona: Client, cast: Cast, settings: Any, checked: bool
) -> None:
    settings.IMPORT_MAX_UNFINISHED = 1
    address = uploaded(mona, FILE)
    if checked:
        mona.post(address, CHOICES)
        work(cast)
    assert upload(mona, FILE).status_code == 422
    age(cast, settings.IMPORT_KEPT_DAYS + 1)
    delete_old_rows()
    assert everything_of(cast) | {"ContactImport": 0} == dict.fromkeys(everything_of(cast), 0)
    for answer in (mona.get(address), mona.post(address, CHOICES), mona.post(f"{address}confirm/")):
        assert "Nobody imported this file for 90 days, so it was deleted." in text_of(answer)
    assert upload(mona, FILE).status_code == 302


def test_rows_of_a_check_that_never_ended_go_too(
    mona: Client, cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "find_repeated", dies)
    mona.post(uploaded(mona, FILE), CHOICES)
    with pytest.raises(KeyboardInterrupt):
        work(cast)
    assert everything_of(cast)["ImportRow"] == 2
    age(cast, settings.IMPORT_KEPT_DAYS + 1, status="failed")
    delete_old_rows()
    assert everything_of(cast)["ImportRow"] == 0


def test_a_file_that_waited_for_a_platform_admin_waits_no_longer(cast: Cast, settings: Any) -> None:
    Tenant.objects.filter(id=cast.clinic.tenant.id).update(approved_at=None)
    job = checked(cast, SIGNS["sequential"])
    alice = sign_in(Client(), cast.alice, cast.clinic.tenant)
    alice.post(reverse("import_confirm", args=[job.id]), {"accepts_warnings": "yes"})
    assert Tenant.objects.filter(import_review_asked_at__isnull=False).get() == cast.clinic.tenant
    age(cast, settings.IMPORT_KEPT_DAYS + 1)
    delete_old_rows()
    assert Tenant.objects.get(id=cast.clinic.tenant.id).import_review_asked_at is None
