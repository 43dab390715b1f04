"""What browsers answer about passkeys comes from anybody: nothing sent there is an error of ours, and nothing gets in."""

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cast import Cast
from tests.web import sign_in

B64 = "AAAA"
HOSTILE: tuple[Any, ...] = (
    "",
    "x",
    "[" * 10_000,
    "[" * 100_000,
    "null",
    "1",
    '"\\u0000"',
    [],
    {},
    {"id": 1},
    {"id": B64, "rawId": B64, "type": "public-key", "response": "x"},
    {"id": B64, "rawId": B64, "type": "public-key", "response": {}},
    {"id": B64, "rawId": B64, "response": {"userHandle": None, "clientDataJSON": B64, "authenticatorData": B64}},
    {
        "id": B64,
        "rawId": B64,
        "type": "public-key",
        "response": {"userHandle": "\ud800", "clientDataJSON": B64, "authenticatorData": B64, "signature": B64},
    },
    {
        "id": B64,
        "rawId": B64,
        "type": "public-key",
        "response": {
            "userHandle": "!!!!",
            "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoiQUFBQSIsIm9yaWdpbiI6Imh0dHA6Ly94In0",
            "authenticatorData": "A" * 60,
            "signature": B64,
        },
    },
    {"id": B64, "rawId": B64, "type": "public-key", "response": {"clientDataJSON": B64, "attestationObject": "o2Nm"}},
    # Numbers where bytes belong, which would be made: 10 to the power of 13 of them.
    *(
        {"id": B64, "rawId": B64, "type": "public-key", "response": {"clientDataJSON": B64, name: 10**13}}
        for name in ("clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle")
    ),
    {"id": 10**13, "rawId": 10**13, "type": "public-key", "response": {"clientDataJSON": B64}},
    {"id": B64, "rawId": 10**13, "type": "public-key", "response": {"clientDataJSON": B64, "attestationObject": B64}},
)


def text(credential: Any) -> str:
    return credential if isinstance(credential, str) else json.dumps(credential)


@pytest.mark.parametrize("credential", HOSTILE, ids=lambda each: text(each)[:40])
def test_a_hostile_answer_signs_nobody_in(client: Client, cast: Cast, credential: Any) -> None:
    client.get(reverse("mfa_login_webauthn"), headers={"Accept": "application/json"})
    answer = client.post(reverse("mfa_login_webauthn"), {"credential": text(credential)})
    assert answer.status_code == 302
    assert answer.headers["Location"] == reverse("account_login")
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("credential", HOSTILE, ids=lambda each: text(each)[:40])
def test_a_hostile_answer_adds_no_passkey(client: Client, cast: Cast, credential: Any) -> None:
    sign_in(client, cast.mona, cast.clinic.tenant)
    client.get(reverse("mfa_add_webauthn"))
    answer = client.post(reverse("mfa_add_webauthn"), {"credential": text(credential), "name": "x\0" * 100})
    assert answer.status_code == 200
    assert not Authenticator.objects.exists()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    response=st.dictionaries(
        st.sampled_from(["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]),
        st.one_of(st.none(), st.integers(), st.text(alphabet="ABCxyz019-_=", max_size=60), st.text(max_size=20)),
    )
)
def test_no_answer_is_an_error_of_ours(client: Client, cast: Cast, response: dict[str, Any]) -> None:
    client.get(reverse("mfa_login_webauthn"), headers={"Accept": "application/json"})
    credential = {"id": B64, "rawId": B64, "type": "public-key", "response": response}
    answer = client.post(
        reverse("mfa_login_webauthn"), {"credential": json.dumps(credential)}, REMOTE_ADDR=_next_address()
    )
    assert answer.status_code == 302


_addresses = iter(range(1, 100_000))


def _next_address() -> str:
    """The limit of attempts by address is not what is looked at here."""
    number = next(_addresses)
    return f"10.0.{number // 250}.{number % 250 + 1}"
