"""Requests that are too large, of no known length, in an odd encoding or of the wrong kind, and their pages."""

import io
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signals import request_started
from django.db import close_old_connections
from django.test import Client, RequestFactory
from django.urls import reverse

from contacts.models import ContactList
from smsplatform import errors
from smsplatform.wsgi import application
from tenants.scope import tenant_scope
from tests.cast import Cast
from tests.web import sign_in

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"
CALLBACK = "/callbacks/twilio/00000000-0000-0000-0000-000000000000/inbound"

pytestmark = pytest.mark.django_db


class Unread(io.RawIOBase):
    """A body that must not be read."""

    def read(self, size: int = -1) -> bytes:
        raise AssertionError("the body was read")


def announce(client: Client, path: str, length: str, **headers: Any) -> Any:
    """A request whose headers announce a body."""
    return client.generic(
        "POST", path, b"x", content_type=MULTIPART, CONTENT_LENGTH=length, **{"wsgi.input": Unread(), **headers}
    )


@pytest.fixture
def alice(cast: Cast) -> Client:
    """Her browser has a token, as after any page; the check of the token is what reads a form first."""
    client = sign_in(Client(enforce_csrf_checks=True, raise_request_exception=False), cast.alice, cast.clinic.tenant)
    client.get(reverse("lists"))
    return client


def token(client: Client) -> str:
    return client.cookies["csrf"].value


def send(client: Client, path: str, body: bytes, content_type: str) -> Any:
    return client.generic("POST", path, body, content_type=content_type, HTTP_X_CSRFTOKEN=token(client))


def part(name: str, value: bytes) -> bytes:
    return b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n--x--\r\n' % (name.encode(), value)


# --- Size ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/accounts/login/", "/contacts/lists/", "/admin/", "/nothing", CALLBACK])
def test_a_large_body_is_refused_unread(client: Client, path: str) -> None:
    answer = announce(client, path, "1000001")
    assert answer.status_code == 413
    assert "at most 1 MB" in answer.content.decode()


def test_an_import_file_may_be_large_for_whoever_is_signed_in(alice: Client) -> None:
    too_large = announce(alice, reverse("imports"), str(201 * 1024 * 1024 + 1))
    assert too_large.status_code == 413
    assert "larger than 200 MB" in too_large.content.decode()
    file = SimpleUploadedFile("people.csv", b"phone,name\n" + b"+12025550101,Ann\n" * 100_000, "text/csv")
    answer = alice.post(reverse("imports"), {"file": file}, headers={"X-CSRFToken": token(alice)})
    assert answer.status_code == 302
    assert answer.headers["Location"] != reverse("imports")


def test_others_cannot_send_a_file(client: Client) -> None:
    answer = announce(client, reverse("imports"), "30000000")
    assert answer.headers["Location"] == f"{reverse('account_login')}?next={reverse('imports')}"


def test_a_large_field_in_an_import_form_is_refused(alice: Client) -> None:
    answer = send(alice, reverse("imports"), part("file", b"a" * 1_100_000), MULTIPART)
    assert answer.status_code == 413


def test_a_body_without_a_length_is_refused(client: Client) -> None:
    answer = client.generic("POST", "/accounts/login/", b"", HTTP_TRANSFER_ENCODING="chunked")
    assert answer.status_code == 411


@pytest.mark.parametrize("length", ["-5", "+3", "abc", "²", "1e3"])
def test_a_length_that_is_none_is_refused(client: Client, length: str) -> None:
    assert announce(client, "/accounts/login/", length).status_code == 400


# --- Forms opened like pages --------------------------------------------------------------------------------------


def test_the_address_of_a_form_has_a_page(alice: Client) -> None:
    answer = alice.get("/settings/senders/00000000-0000-0000-0000-000000000000/pause/")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"
    assert "There is no page at this address" in answer.content.decode()


@pytest.mark.parametrize(
    ("name", "page"),
    [("settings", "team"), ("member_invite", "team"), ("sender_add", "senders")],
)
def test_addresses_that_lead_to_a_page_of_the_settings(alice: Client, name: str, page: str) -> None:
    """After an error the address of a form stands in the browser."""
    assert alice.get(reverse(name)).headers["Location"] == reverse(page)


# --- Encoding -----------------------------------------------------------------------------------------------------


def serve(client: Client, body: bytes, content_type: str, *, query: str = "") -> int:
    """The status that the web server gets; Django's test client would go around the entry point."""
    statuses: list[str] = []
    environ = RequestFactory().generic("POST", reverse("lists"), body).environ | {
        "QUERY_STRING": query,
        "CONTENT_TYPE": content_type,
        "HTTP_COOKIE": "; ".join(f"{name}={cookie.value}" for name, cookie in client.cookies.items()),
        "HTTP_X_CSRFTOKEN": token(client),
    }
    request_started.disconnect(close_old_connections)  # as the test client does: the connection is the test's
    try:
        application(environ, lambda status, *_: statuses.append(status))  # type: ignore[arg-type,func-returns-value]
    finally:
        request_started.connect(close_old_connections)
    return int(statuses[0].split()[0])


@pytest.mark.parametrize(
    "charset", ["latin-1", "utf-7", "utf-16", "hex", "zlib", "rot13", "idna", "undefined", "no-such", "ÿ"]
)
@pytest.mark.parametrize("content_type", [FORM, MULTIPART])
def test_only_utf_8_is_read(alice: Client, content_type: str, charset: str) -> None:
    body = urlencode({"name": "x"}).encode() if content_type == FORM else part("name", b"+2AA-")
    for named in (f"; charset={charset}", f'; CHARSET="{charset}"; charset={charset}', f"; charset*=utf-8''{charset}"):
        assert serve(alice, body, content_type + named, query="q=a") == 415
    assert serve(alice, body, f"{content_type}; charset*={charset}''utf-8") == 415


@pytest.mark.parametrize(
    "named", ["", "; charset=utf-8", ";charset=UTF-8", '; charset="utf-8"', "; Charset = utf-8 ;a=b"]
)
@pytest.mark.parametrize("content_type", [FORM, MULTIPART])
def test_utf_8_may_be_named(alice: Client, cast: Cast, content_type: str, named: str) -> None:
    name = "Frühling".encode()
    body = urlencode({"name": name}).encode() if content_type == FORM else part("name", name)
    assert serve(alice, body, content_type + named) == 302
    with tenant_scope(cast.clinic.tenant.id):
        assert ContactList.objects.filter(name="Frühling").exists()


def test_naming_utf_8_makes_nothing_worse(alice: Client) -> None:
    many = urlencode({f"field{number}": 1 for number in range(600)})
    assert serve(alice, many.encode(), f"{FORM}; charset=utf-8", query=many) == 400


# --- Error pages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/contacts/lists/", "/nothing", "/accounts/login/"])
def test_too_many_fields_are_an_error_of_the_sender(alice: Client, path: str) -> None:
    body = urlencode({f"field{number}": 1 for number in range(600)}).encode()
    assert send(alice, path, body, FORM).status_code in (400, 404)


def test_the_error_pages_read_nothing() -> None:
    """Without session, user or a body that can be read; each of them still answers."""
    request = RequestFactory().generic("POST", "/x", b"", content_type=MULTIPART)
    request.META.update({"wsgi.input": Unread(), "HTTP_HOST": "evil.example"})
    for answer, status in (
        (errors.bad_request(request), 400),
        (errors.not_allowed(request), 403),
        (errors.not_found(request), 404),
        (errors.too_large(request), 413),
        (errors.server_error(request), 500),
        (errors.unreadable(request, 415), 415),
    ):
        assert answer.status_code == status
        assert "<h1>" in answer.content.decode()


def test_another_host_gets_the_page_too(client: Client) -> None:
    answer = client.get("/accounts/login/", HTTP_HOST="evil.example")
    assert answer.status_code == 400
    assert "That did not work" in answer.content.decode()


# --- Health -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "10.0.0.7", "web"])
def test_a_load_balancer_asks_under_any_host(client: Client, settings: Any, host: str) -> None:
    settings.ALLOWED_HOSTS = ["sms.example.com"]
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/livez", HTTP_HOST=host).content == b"ok"
    assert client.get("/readyz", HTTP_HOST=host).status_code in (200, 503)
    assert client.post("/livez", HTTP_HOST=host).status_code == 405
