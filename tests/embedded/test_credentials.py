import base64
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from smsplatform.embedded import credentials
from smsplatform.embedded.errors import EmbeddedError


def test_secrets_are_made_once_and_only_their_owner_reads_them(home: Path) -> None:
    path = home / "secrets.env"
    first = credentials.load(path)
    assert credentials.load(path) == first == credentials.read(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert set(first) == {"SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "LEDGER_SIGNING_KEY", "SIMULATOR_SECRET"}


def test_the_keys_have_the_shape_their_users_expect(home: Path) -> None:
    secrets = credentials.load(home / "secrets.env")
    Fernet(secrets["FIELD_ENCRYPTION_KEYS"])
    assert len(base64.b64decode(secrets["LEDGER_SIGNING_KEY"], validate=True)) == 32
    assert len(secrets["SECRET_KEY"]) >= 50


def test_a_secret_that_a_later_version_needs_is_added_and_the_others_stay(home: Path) -> None:
    path = home / "secrets.env"
    before = credentials.load(path)
    credentials.write(path, {name: value for name, value in before.items() if name != "SIMULATOR_SECRET"})
    after = credentials.load(path)
    assert after["SIMULATOR_SECRET"] != before["SIMULATOR_SECRET"]
    assert {name: after[name] for name in before if name != "SIMULATOR_SECRET"} == {
        name: value for name, value in before.items() if name != "SIMULATOR_SECRET"
    }


@pytest.mark.parametrize("damage", ["SECRET_KEY=\n", "half a line"])
def test_a_damaged_file_is_an_error_and_stays_as_it_is(home: Path, damage: str) -> None:
    path = home / "secrets.env"
    path.write_text(damage)
    with pytest.raises(EmbeddedError, match="is damaged"):
        credentials.load(path)
    assert path.read_text() == damage


@pytest.mark.parametrize(
    ("variables", "given"), [({}, False), ({"X": ""}, False), ({"X": "1"}, True), ({"X_FILE": "f"}, True)]
)
def test_what_counts_as_given(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], given: bool) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert credentials.is_given("X") is given
