"""The virtual phones: who may look, what they show, and how a reply leaves."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse

from messaging.providers.simulator.handsets import Handsets, ShownText, keys_of, stored
from tenants.models import User
from tests.cast import Cast
from tests.web import sign_in, text_of

HOSTILE = "<script>alert(1)</script>\"'{{ x }}"
SID = "AC" + "0f" * 16
HTMX = {"HX-Request": "true"}
PHONE = "+12025550142"
WEATHER = {
    "outage": "503",
    "outage_seconds": "600",
    "disturbed_percent": "12.5",
    "seed": "7",
    "latency": "lognormal",
    "usual_ms": "90",
    "slowest_ms": "900",
}
NOBODYS = "01900000-0000-7000-8000-000000000000"


@pytest.fixture
def alice(client: Client, cast: Cast) -> Client:
    """The clinic's owner, signed in."""
    sign_in(client, cast.alice, cast.clinic.tenant)
    return client


@pytest.fixture
def store() -> Iterator["redis.Redis"]:
    """Where the phones keep their texts, empty before and after."""
    found = redis.Redis.from_url(django_settings.REDIS_URL)

    def forget() -> None:
        for key in found.scan_iter("phones:*"):
            found.delete(key)

    forget()
    yield found
    forget()
    found.close()


@pytest.fixture
def simulated(settings: Any) -> None:
    settings.SIMULATOR_ENABLED = True


def arrive(store: "redis.Redis", number: str, body: str, *, at: float = 1_800_000_000.0, incoming: bool = True) -> None:
    """A text on a phone, as the network writes it."""
    thread, recent, arrived = keys_of(number)
    store.lpush(thread, stored(ShownText(incoming=incoming, sender="+12025550190", body=body, at=at)))
    store.zadd(recent, {number: at})
    store.incr(arrived)


@pytest.mark.parametrize(
    ("enabled", "address", "forwarded", "status"),
    [
        (True, "127.0.0.1", "", 200),
        (True, "::1", "", 200),
        (False, "127.0.0.1", "", 404),
        (True, "10.0.0.5", "", 404),
        (True, "127.0.0.1", "10.0.0.5", 404),
        (True, "nonsense", "", 404),
    ],
)
def test_the_phones_answer_this_machine_only(
    client: Client, db: None, store: Any, settings: Any, enabled: bool, address: str, forwarded: str, status: int
) -> None:
    settings.SIMULATOR_ENABLED = enabled
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    for url in (reverse("phones"), reverse("phone", args=[PHONE])):
        assert client.get(url, REMOTE_ADDR=address, headers=headers).status_code == status
    if status == 404:
        reply = client.post(reverse("phone_reply", args=[PHONE]), {}, REMOTE_ADDR=address, headers=headers)
        assert reply.status_code == 404
        script = client.post(reverse("phone_script", args=[PHONE]), {}, REMOTE_ADDR=address, headers=headers)
        assert script.status_code == 404
        weather = client.post(reverse("phones_weather"), WEATHER, REMOTE_ADDR=address, headers=headers)
        assert weather.status_code == 404


@pytest.mark.usefixtures("simulated")
def test_the_phones_show_their_newest_texts(client: Client, db: None, store: Any) -> None:
    assert "No texts have arrived yet" in text_of(client.get(reverse("phones")))
    arrive(store, PHONE, "Spring is here")
    arrive(store, "+12025550143", HOSTILE, at=1_800_000_100.0)
    response = client.get(reverse("phones"))
    page = text_of(response)
    assert page.index("(202) 555-0143") < page.index("(202) 555-0142")
    assert "Spring is here" in page
    assert "2 texts have arrived" in " ".join(page.replace("<strong>", "").replace("</strong>", "").split())
    assert "<script>alert" not in response.content.decode()
    found = text_of(client.get(reverse("phones"), {"q": "0142"}))
    assert "(202) 555-0142" in found
    assert "(202) 555-0143" not in found
    for nobody in ("999", "abc"):
        assert "No phone with these digits" in text_of(client.get(reverse("phones"), {"q": nobody}))
    assert client.get(reverse("phones"), {"q": HOSTILE, "page": "²"}).status_code == 200


@pytest.mark.usefixtures("simulated")
def test_polling_answers_only_the_grid(client: Client, db: None, store: Any) -> None:
    arrive(store, PHONE, "Spring is here")
    part = text_of(client.get(reverse("phones"), {"part": "phones", "q": "0142"}, headers=HTMX))
    assert "Spring is here" in part
    assert "q=0142" in part
    assert "<html" not in part
    assert "<form" not in part


@pytest.mark.usefixtures("simulated")
def test_older_phones_are_on_the_next_page(client: Client, db: None, store: Any) -> None:
    for n in range(26):
        arrive(store, f"+120255501{n:02d}", f"Text {n}.", at=1_800_000_000.0 + n)
    first = text_of(client.get(reverse("phones")))
    assert "Text 25." in first
    assert "Text 1." not in first
    assert "?page=1" in first
    assert "Text 1." in text_of(client.get(reverse("phones"), {"page": "1"}))


@pytest.mark.usefixtures("simulated")
def test_a_phone_shows_its_thread_and_ways_to_reply(client: Client, db: None, store: Any) -> None:
    empty = text_of(client.get(reverse("phone", args=[PHONE])))
    assert "No text has reached this phone yet." in empty
    assert 'name="body"' not in empty
    arrive(store, PHONE, "Spring is here")
    arrive(store, PHONE, "Thanks", incoming=False)
    page = text_of(client.get(reverse("phone", args=[PHONE])))
    for words in ("Spring is here", "Thanks", "STOP", "HELP", "START", "YES", "(202) 555-0190"):
        assert words in page
    thread = client.get(reverse("phone", args=[PHONE]), {"part": "thread"}, headers=HTMX)
    assert "Thanks" in text_of(thread)
    assert "<form" not in text_of(thread)
    # A page that was shown while there was no text gets its reply box.
    first = client.get(reverse("phone", args=[PHONE]), {"part": "thread", "shown": "empty"}, headers=HTMX)
    assert first.headers["HX-Refresh"] == "true"


@pytest.mark.usefixtures("simulated")
@pytest.mark.parametrize("number", ["12025550142", "+", "+1", "x" * 50, "+12025550142x", "\x00"])
def test_what_is_no_number_is_no_phone(client: Client, db: None, store: Any, number: str) -> None:
    assert client.get(reverse("phone", args=[number])).status_code == 404
    assert client.post(reverse("phone_reply", args=[number]), {"body": "Hi"}).status_code == 404


@pytest.mark.usefixtures("simulated")
@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ({"body": " ", "to": "+12025550190"}, "Type a text first."),
        ({"body": "Hello <there>"}, "Choose whom the text goes to."),
        ({"body": "Hello <there>", "to": "+12025550190"}, "The simulated phone network does not answer."),
    ],
    ids=str,
)
def test_a_reply_that_cannot_go_stays_in_the_box(
    client: Client, db: None, store: Any, settings: Any, typed: dict[str, str], problem: str
) -> None:
    settings.SIMULATOR_URL = "http://127.0.0.1:9"
    arrive(store, PHONE, "Spring is here")
    response = client.post(reverse("phone_reply", args=[PHONE]), typed)
    assert response.status_code == 422
    assert problem in text_of(response)
    assert f'value="{typed["body"].strip()}"' in text_of(response)


@pytest.mark.usefixtures("simulated")
def test_a_reply_reaches_the_network_and_stands_on_the_phone(
    client: Client, db: None, store: Any, network: str
) -> None:
    arrive(store, PHONE, "Spring is here")
    store.set("phones:inbound:+12025550190", f"{network}/nowhere")
    response = client.post(reverse("phone_reply", args=[PHONE]), {"body": "STOP", "to": "+12025550190"})
    assert response["Location"] == reverse("phone", args=[PHONE])
    page = client.get(response["Location"])
    assert [text.text for text in page.context["texts"]] == ["Spring is here", "STOP"]
    refused = client.post(reverse("phone_reply", args=[PHONE]), {"body": "Hi", "to": "+12025550100"})
    assert "has never texted a virtual phone" in text_of(refused)


@pytest.mark.usefixtures("simulated")
def test_a_platform_admin_may_look_from_anywhere(client: Client, cast: Cast, store: Any) -> None:
    User.objects.filter(id=cast.alice.id).update(is_staff=True)
    client.force_login(cast.alice)
    assert client.get(reverse("phones"), REMOTE_ADDR="10.0.0.5").status_code == 200
    client.force_login(cast.bob)
    assert client.get(reverse("phones"), REMOTE_ADDR="10.0.0.5").status_code == 404


def test_without_redis_the_phones_say_so(client: Client, db: None, simulated: None, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = client.get(reverse("phones"))
    assert answer.status_code == 503
    assert "cannot be reached" in text_of(answer)


@pytest.mark.usefixtures("simulated")
def test_the_weather_is_shown_and_changed(client: Client, db: None, store: Any, network: str) -> None:
    page = text_of(client.get(reverse("phones")))
    assert "Network weather" in page
    assert "Calm" in page
    assert "Switched off: undelivered" in page
    assert client.post(reverse("phones_weather"), WEATHER)["Location"] == reverse("phones")
    found = client.get(reverse("phones"))
    assert "Outage" in found.context["weather"].in_short
    assert {**found.context["weather"].form.initial, "outage_seconds": ""} == {
        **WEATHER,
        "outage_seconds": "",
        "seed": 7,
    }
    assert 0 < found.context["weather"].form.initial["outage_seconds"] <= 600
    ended = {**WEATHER, "outage": "", "outage_seconds": ""}
    assert client.post(reverse("phones_weather"), ended).status_code == 302
    assert client.get(reverse("phones")).context["weather"].in_short == "12.5 % of texts disturbed"
    assert client.get(reverse("phones_weather"))["Location"] == reverse("phones")


@pytest.mark.usefixtures("simulated")
@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ({"disturbed_percent": "101"}, "less than or equal to 100"),
        ({"disturbed_percent": "nan"}, "Enter a number"),
        ({"seed": "x"}, "Enter a whole number"),
        ({"outage": "418"}, "Select a valid choice"),
        ({"outage_seconds": "-1"}, "The outage is between 0 and 86400 seconds."),
        ({"usual_ms": HOSTILE}, "Enter a number"),
        ({"usual_ms": "900", "slowest_ms": "90"}, "The slowest answers take at least as long"),
        ({"usual_ms": "90000"}, "The latency is between 0 and 60000 milliseconds."),
        ({"latency": ""}, "This field is required"),
    ],
    ids=str,
)
def test_odd_weather_comes_back_with_what_is_wrong(
    client: Client, db: None, store: Any, network: str, typed: dict[str, str], problem: str
) -> None:
    answer = client.post(reverse("phones_weather"), {**WEATHER, **typed})
    assert answer.status_code == 422
    assert problem in text_of(answer)
    assert "<script>alert" not in answer.content.decode()
    assert client.get(reverse("phones")).context["weather"].in_short == "Calm"


@pytest.mark.usefixtures("simulated")
def test_a_network_that_does_not_answer_has_no_weather(client: Client, db: None, store: Any, settings: Any) -> None:
    settings.SIMULATOR_URL = "http://127.0.0.1:9"
    page = client.get(reverse("phones"))
    assert page.status_code == 200
    assert "The simulated phone network does not answer" in text_of(page)
    answer = client.post(reverse("phones_weather"), WEATHER)
    assert answer.status_code == 422
    assert "The simulated phone network does not answer" in text_of(answer)


@pytest.mark.usefixtures("simulated")
def test_the_weather_needs_a_token(db: None, network: str) -> None:
    assert Client(enforce_csrf_checks=True).post(reverse("phones_weather"), WEATHER).status_code == 403


# --- What a phone answers by itself -----------------------------------------------------------------------------------


def save_script(client: Client, lines: str, seconds: str = "0") -> Any:
    return client.post(reverse("phone_script", args=[PHONE]), {"lines": lines, "seconds": seconds})


@pytest.mark.usefixtures("simulated")
def test_a_script_is_set_shown_and_ended(client: Client, db: None, store: Any) -> None:
    answer = save_script(client, "confirm -> YES\n\n* -> Who is this?", "2.5")
    assert answer["Location"] == reverse("phone", args=[PHONE])
    page = client.get(answer["Location"])
    assert page.context["script_form"].initial == {"lines": "confirm -> YES\n* -> Who is this?", "seconds": "2.5"}
    assert "0 of 2 used" in text_of(page)
    save_script(client, " ")
    assert "used" not in text_of(client.get(reverse("phone", args=[PHONE])))


@pytest.mark.usefixtures("simulated")
@pytest.mark.parametrize(
    ("lines", "seconds", "problem"),
    [
        ("* -> Hi\nconfirm: YES", "1", "Line 2 is not an answer."),
        ("confirm ->", "1", "Line 1 is not an answer."),
        ("-> YES", "1", "Line 1 is not an answer."),
        ("* -> " + "x" * 1601, "1", "The answer in line 1 has 1601 characters"),
        ("* -> Hi\n" * 21, "1", "at most 20 answers"),
        (HOSTILE, "1", "Line 1 is not an answer."),
        ("* -> Hi", "", "This field is required"),
        ("* -> Hi", "-1", "greater than or equal to 0"),
        ("* -> Hi", "nan", "Enter a number"),
        ("* -> Hi\x00", "1", "Null characters are not allowed"),
    ],
    ids=range(10),
)
def test_an_odd_script_comes_back_with_what_is_wrong(
    client: Client, db: None, store: Any, lines: str, seconds: str, problem: str
) -> None:
    save_script(client, "* -> As before")
    answer = save_script(client, lines, seconds)
    assert answer.status_code == 422
    assert problem in text_of(answer)
    assert "<script>alert" not in answer.content.decode()
    assert Handsets(django_settings.REDIS_URL).script(PHONE).text == "* -> As before"
