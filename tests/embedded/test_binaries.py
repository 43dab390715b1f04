from pathlib import Path

import pytest

from smsplatform.embedded.binaries import find_postgres, find_valkey
from smsplatform.embedded.errors import EmbeddedError


def program(path: Path, answer: str) -> Path:
    path.write_text(f"#!/bin/sh\necho '{answer}'\n")
    path.chmod(0o755)
    return path


def postgres_folder(folder: Path, version: str) -> Path:
    folder.mkdir()
    program(folder / "initdb", "")
    program(folder / "postgres", f"postgres (PostgreSQL) {version}")
    return folder


def test_a_usable_postgres_and_valkey_are_installed_with_the_product() -> None:
    assert find_postgres().major >= 16
    assert find_valkey().major >= 7


@pytest.mark.parametrize(("version", "major"), [("16.14 (Debian 16.14-1.pgdg12+1)", 16), ("18.4", 18), ("19beta2", 19)])
def test_a_named_postgres_comes_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str, major: int
) -> None:
    folder = postgres_folder(tmp_path / "bin", version)
    monkeypatch.setenv("PG_BIN", str(folder))
    found = find_postgres()
    assert (found.path, found.major) == (folder / "postgres", major)


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("15.18", "No PostgreSQL 16 or newer was found"),
        ("of an unknown make", "PG_BIN=.* holds no PostgreSQL programs"),
    ],
)
def test_a_named_postgres_that_will_not_do_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str, message: str
) -> None:
    monkeypatch.setenv("PG_BIN", str(postgres_folder(tmp_path / "bin", version)))
    with pytest.raises(EmbeddedError, match=message):
        find_postgres()


def test_a_data_folder_of_another_major_version_is_not_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PG_BIN", str(postgres_folder(tmp_path / "bin", "18.4")))
    with pytest.raises(EmbeddedError, match=r"made by PostgreSQL 17, which is no longer here \(found: 18.4\)"):
        find_postgres(major=17)


@pytest.mark.parametrize(
    ("answer", "major"),
    [
        ("Valkey server v=9.1.2 sha=00000000:1 malloc=libc bits=64 build=e2e6c1ab2", 9),
        ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64", 7),
    ],
)
def test_valkey_and_redis_are_understood(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: str, major: int
) -> None:
    monkeypatch.setenv("VALKEY_BIN", str(program(tmp_path / "server", answer)))
    assert find_valkey().major == major


@pytest.mark.parametrize("answer", ["Redis server v=6.2.14 sha=0", "true (GNU coreutils) 9.1", ""])
def test_a_named_valkey_that_will_not_do_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: str
) -> None:
    monkeypatch.setenv("VALKEY_BIN", str(program(tmp_path / "server", answer)))
    with pytest.raises(EmbeddedError, match="is no Valkey or Redis 7 or newer"):
        find_valkey()
