"""The log: what was recorded is sealed, proven by a pack that stands alone, and every change of it is found."""

import base64
import copy
import json
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from consent import verifier
from consent.appending import APPEND_BODY
from consent.canonical import details_commitment, subject_of
from consent.evidence import NothingRecorded, evidence_pack, evidence_zip, text_of
from consent.ledger import OptIn, record_opt_ins
from consent.merkle import leaf_hash
from consent.models import Checkpoint, ConsentRecord, ConsentState, LedgerLeaf, LedgerTile, PendingSeal
from consent.notes import public_key_line
from consent.replay import problems
from consent.sealing import seal, signer
from consent.services import opt_back_in, opt_out, opt_out_many
from consent.stuck import findings
from tenants.operations import RUNTIME_ROLE
from tenants.scope import tenant_scope
from tests.cast import Cast

ANN, BEN = "+12025550101", "+12025550102"
PEOPLE = [f"+1202555{number:04d}" for number in range(110, 170)]


@pytest.fixture(autouse=True)
def _clinic(cast: Cast, settings: Any) -> Iterator[None]:
    settings.LEDGER_SIGNING_KEY = base64.b64encode(b"k" * 32).decode()
    with tenant_scope(cast.clinic.tenant.id):
        yield


def agree(number: str, *purposes: str) -> None:
    opt_ins = [
        OptIn(number, purpose, "web_form", 'Yes, té\u20acxt \u2028 me \\ "now"', {"page": "/f/1", "n": 1.50})
        for purpose in purposes
    ]
    record_opt_ins(opt_ins, actor_id=None)


def keys() -> list[bytes]:
    return [signer().public_key]


def history() -> str:
    """Two checkpoints with a change of mind between them; returns the older one."""
    agree(ANN, "marketing", "reminder")
    for number in PEOPLE:
        agree(number, "marketing")
    first = seal()
    assert first
    opt_out(number=ANN, source="reply", wording="STOP")
    opt_back_in(number=ANN, wording="START", evidence={"message": "1"})
    opt_out_many(numbers=PEOPLE[:20], source="staff", evidence={})
    assert seal()
    opt_out(number=ANN, source="reply", wording="STOP!")
    return first.note


def as_owner(sql: str, *values: str) -> None:
    """What somebody does who owns the database: the triggers are taken off first."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL ROLE NONE")
        for table in ("consentrecord", "ledgerleaf", "ledgertile", "checkpoint"):
            cursor.execute(f"ALTER TABLE consent_{table} DISABLE TRIGGER USER")
        cursor.execute(sql, values)
        for table in ("consentrecord", "ledgerleaf", "ledgertile", "checkpoint"):
            cursor.execute(f"ALTER TABLE consent_{table} ENABLE TRIGGER USER")
        cursor.execute(f"SET LOCAL ROLE {RUNTIME_ROLE}")


def test_the_database_hashes_what_python_says() -> None:
    history()
    for record in ConsentRecord.objects.extra(select={"text": "evidence::text"}):
        assert bytes(record.leaf) == leaf_hash(text_of(record).encode())
        assert bytes(record.subject) == subject_of(salt=bytes(record.salt), number=record.number)
        assert bytes(record.details) == details_commitment(
            salt=bytes(record.salt), record_id=record.id, wording=record.wording, evidence=record.text
        )


def test_the_function_in_the_database_does_what_the_code_says() -> None:
    """Who changes the statement of ``consent.appending`` needs a migration that replaces the function."""
    expected = APPEND_BODY
    for parameter, name in (("rows", "new_rows"), ("tenant", "of_tenant"), ("now", "recorded")):
        expected = expected.replace(f"%({parameter})s", name)
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'consent_append'")
        (source,) = cursor.fetchone()
    assert f"BEGIN {' '.join(expected.split())}; END".split() == source.split()


def test_people_recorded_together_have_salts_of_their_own() -> None:
    record_opt_ins([OptIn(number, "marketing", "web_form") for number in PEOPLE], actor_id=None)
    salts = {bytes(salt) for salt in ConsentRecord.objects.values_list("salt", flat=True)}
    assert len(salts) == len(PEOPLE)
    assert {len(salt) for salt in salts} == {32}


def test_a_number_has_one_chain() -> None:
    history()
    chain = list(ConsentRecord.objects.filter(number=ANN).order_by("n"))
    assert [one.n for one in chain] == [1, 2, 3, 4, 5, 6]
    assert [bytes(one.prev) for one in chain] == [b"", *(bytes(one.leaf) for one in chain[:-1])]
    assert len({bytes(one.salt) for one in chain}) == 1


def test_sealing_puts_every_record_into_the_log_once() -> None:
    history()
    seal()
    assert not PendingSeal.objects.exists()
    assert seal() is None
    assert LedgerLeaf.objects.exclude(record=None).count() == ConsentRecord.objects.count()
    assert LedgerLeaf.objects.filter(record=None).count() == Checkpoint.objects.count() == 3
    assert list(problems(keys())) == []


def test_the_log_goes_on_over_many_tiles() -> None:
    for part in range(0, 600, 75):
        record_opt_ins([OptIn(f"+1303555{part + n:04d}", "marketing", "web_form") for n in range(75)], actor_id=None)
        assert seal()
    assert LedgerTile.objects.count() == 2
    assert list(problems(keys())) == []
    pack = evidence_pack(number="+13035550123", older_sizes=[one.size for one in Checkpoint.objects.all()])
    _, entries = verifier.check(json.loads(json.dumps(pack)), keys())
    assert [entry["act"] for entry in entries] == ["opt_in"]
    assert len(pack["older"]) == 8  # type: ignore[arg-type]


def test_the_command_replays_everything(cast: Cast, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    note = history()
    seal()
    held = tmp_path / "checkpoint"
    held.write_text(note)
    call_command("verify_ledger", tenant=cast.clinic.tenant.slug, checkpoint=[held])
    assert capsys.readouterr().out.startswith("holds: ")
    ConsentState.objects.filter(number=ANN).update(act="opt_in")
    with pytest.raises(SystemExit) as ended:
        call_command("verify_ledger", tenant=cast.clinic.tenant.slug)
    assert ended.value.code == 1


def test_a_pack_is_verified_by_the_enclosed_file_alone(tmp_path: Path) -> None:
    note = history()
    with zipfile.ZipFile(BytesIO(evidence_zip(number=ANN))) as archive:
        archive.extractall(tmp_path)
    (tmp_path / "old").write_text(note)
    (tmp_path / "key").write_text(public_key_line(signer().public_key))
    command = [sys.executable, "-I", "verifier.py", "pack.json", "--key", "key"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"HOLDS for {ANN}" in done.stdout
    assert done.stdout.count("\n  ") == 6
    other = subprocess.run([*command[:-1], "A" * 43 + "="], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert other.returncode == 1
    assert "NOT PROVEN" in other.stdout


def test_there_is_no_pack_of_somebody_unknown() -> None:
    with pytest.raises(NothingRecorded):
        evidence_pack(number=BEN)


MESSAGES = [
    {"id": "2", "direction": "in", "at": 2, "sender": "+12025550100", "body": "STOP", "intent": "opt_out", "media": 0},
    {
        "id": "1",
        "direction": "out",
        "at": 1,
        "purpose": "marketing",
        "cause": "campaign",
        "in_reply_to": "",
        "sender": "+12025550100",
        "body": "Offer",
        "parts": 1,
        "status": "delivered",
        "status_at": 1,
        "reason": "",
        "decision": {"outcome": "allow", "data": {"record": "x"}},
        "explanation": "Allowed: they had agreed",
        "attempts": [{"n": 1, "state": "accepted", "at": 1, "provider_message_id": "SM1", "error_code": ""}],
    },
]
Place = tuple[Any, Any]


def places(value: Any) -> list[Place]:
    """Every container of a pack with every key or index in it."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, item in inside for place in ((value, key), *places(item))]


def changed_text(text: str, dice: random.Random) -> str:
    if not text:
        return "x"
    at = dice.randrange(len(text))
    return dice.choice(
        [
            text[:at] + chr(ord(text[at]) ^ 1 << dice.randrange(5)) + text[at + 1 :],
            text[:at] + text[at + 1 :],
            text[:at] + text[at] + text[at:],
            text[:at],
            text + "\n",
            text.swapcase(),
            text[::-1],
        ]
    )


def mutate(pack: dict[str, Any], dice: random.Random) -> None:
    holder, key = dice.choice(places(pack))
    value = holder[key]
    kind = dice.choice(["change", "delete", "duplicate", "swap", "truncate"])
    if kind == "delete":
        del holder[key]
    elif kind == "duplicate":
        holder.insert(key, copy.deepcopy(value)) if isinstance(holder, list) else holder.update({f"{key}2": value})
    elif kind == "swap":
        other_holder, other = dice.choice(places(pack))
        holder[key], other_holder[other] = copy.deepcopy(other_holder[other]), copy.deepcopy(value)
    elif kind == "truncate" and isinstance(holder, list):
        del holder[key:]
    elif isinstance(value, str):
        holder[key] = changed_text(value, dice)
    elif isinstance(value, int):
        holder[key] = dice.choice([value + 1, value - 1, -value - 1, float(value), str(value), bool(value), None])
    else:
        holder[key] = dice.choice([[], {}, None, [value], str(value)])


def survivors(
    pack: dict[str, Any],
    note: str,
    tries: int,
    seed: int,
    finish: Callable[[dict[str, Any]], Any] = lambda forged: forged,
) -> int:
    """How many changed packs the verifier takes."""
    plain = json.dumps(pack)
    dice = random.Random(seed)
    taken = done = 0
    while done < tries:
        forged = json.loads(plain)
        mutate(forged, dice)
        if json.dumps(forged) == plain:
            continue
        done += 1
        try:
            verifier.check(finish(forged), keys(), note)
            taken += 1
        except verifier.Invalid:
            pass
    return taken


@pytest.fixture
def quick_signatures(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verifier's own Ed25519 takes its time; a signature that it took or refused before is not asked again."""
    from functools import cache

    monkeypatch.setattr(verifier, "ed25519_holds", cache(verifier.ed25519_holds))


@pytest.mark.parametrize("kind", ["today's", "the older"])
def test_three_thousand_changes_of_a_pack_are_all_found(quick_signatures: None, kind: str) -> None:
    note = history()
    size = verifier.read_checkpoint(note, keys()).size
    pack = evidence_pack(number=ANN, older_sizes=[size], messages=MESSAGES)
    if kind == "the older":
        pack = of_the_older_kind(pack)
    verifier.check(json.loads(json.dumps(pack)), keys(), note)
    assert survivors(pack, note, 3_000, seed=20_261_123) == 0


def test_what_the_log_proves_an_insider_with_the_key_cannot_change_in_a_pack(quick_signatures: None) -> None:
    """The manifest is signed anew after each change: the log alone has to find it."""
    note = history()
    pack = evidence_pack(number=ANN, older_sizes=[verifier.read_checkpoint(note, keys()).size], messages=MESSAGES)
    proven = {name: pack[name] for name in ("entries", "heads", "number", "salt")}
    rest = {name: value for name, value in pack.items() if name not in proven}
    assert survivors(proven, note, 500, seed=3, finish=lambda forged: signed_again({**rest, **forged})) == 0


def of_the_older_kind(pack: dict[str, Any]) -> dict[str, Any]:
    """As packs were before they told of messages: nothing but the log stands for what they say."""
    kept = {name: value for name, value in pack.items() if name not in ("files", "manifest", "messages")}
    return {**kept, "format": "consent-evidence/1"}


def signed_again(pack: dict[str, Any]) -> dict[str, Any]:
    """As an insider gives it out who has the signing key, but cannot change what others hold."""
    text = f"{pack['format']}\n{pack['checkpoint'].split(chr(10))[0]}\n{verifier.digest_of(pack)}\n"
    return {**pack, "manifest": signer().sign(text)}


def _without_newest(pack: dict[str, Any], keep: int) -> dict[str, Any]:
    return {**pack, "entries": pack["entries"][:keep]}


def test_a_pack_that_leaves_out_the_newest_opt_out_is_found() -> None:
    note = history()
    pack = evidence_pack(number=ANN, older_sizes=[verifier.read_checkpoint(note, keys()).size])
    for keep in range(1, 6):
        with pytest.raises(verifier.Invalid, match="newer entry"):
            verifier.check(signed_again(_without_newest(pack, keep)), keys(), note)


def test_without_heads_the_newest_entries_can_be_left_out(
    monkeypatch: pytest.MonkeyPatch, quick_signatures: None
) -> None:
    """The counter-proof: it is the heads that find it."""
    note = history()
    pack = evidence_pack(number=ANN, older_sizes=[verifier.read_checkpoint(note, keys()).size])
    monkeypatch.setattr(verifier, "check_heads", lambda *_: 0)
    for keep in range(1, 6):
        verifier.check(signed_again(_without_newest(pack, keep)), keys(), note)
    assert survivors(of_the_older_kind(pack), note, 300, seed=1) > 0


def test_an_insider_with_the_key_cannot_rewrite_what_an_older_checkpoint_holds() -> None:
    """The log is made anew from other records and signed with the right key: a checkpoint given out before tells."""
    note = history()
    evidence_pack(number=ANN)
    as_owner(
        "DELETE FROM consent_ledgerleaf; DELETE FROM consent_ledgertile; DELETE FROM consent_checkpoint; "
        "DELETE FROM consent_ledgerhead; DELETE FROM consent_headbucket; "
        "UPDATE consent_consentrecord SET occurred_at = occurred_at - interval '1 day' WHERE n = 1; "
        "UPDATE consent_consentrecord r SET prev = p.leaf FROM consent_consentrecord p "
        "WHERE p.number = r.number AND p.n = 1 AND r.n = 2; "
        "DELETE FROM consent_suppression WHERE number = %s; DELETE FROM consent_consentrecord WHERE n > 2 AND number = %s; "
        "INSERT INTO consent_pendingseal SELECT gen_random_uuid(), string_agg(uuid_send(id), ''::bytea ORDER BY id), "
        "now(), tenant_id FROM consent_consentrecord GROUP BY tenant_id",
        ANN,
        ANN,
    )
    while seal():
        pass
    forged = evidence_pack(number=ANN, older_sizes=[])
    verifier.check(json.loads(json.dumps(forged)), keys())
    with pytest.raises(verifier.Invalid):
        verifier.check(json.loads(json.dumps(forged)), keys(), note)
    assert any("kept elsewhere" in problem for problem in problems(keys(), [note]))


CHANGES = {
    "an act": "UPDATE consent_consentrecord SET act = 'opt_in' WHERE act = 'opt_out' AND n = 2",
    "a time": "UPDATE consent_consentrecord SET occurred_at = occurred_at - interval '1 second' WHERE number = %s AND n = 3",
    "a source": "UPDATE consent_consentrecord SET source = 'paper' WHERE number = %s AND n = 1",
    "a wording": "UPDATE consent_consentrecord SET wording = 'other' WHERE number = %s AND n = 1",
    "evidence": "UPDATE consent_consentrecord SET evidence = '{}' WHERE number = %s AND n = 1",
    "a number": "UPDATE consent_consentrecord SET number = '+13' || substr(number, 3) WHERE number = %s",
    "a salt": "UPDATE consent_consentrecord SET salt = sha256('x') WHERE number = %s",
    "a prev": "UPDATE consent_consentrecord SET prev = sha256('x') WHERE number = %s AND n = 2",
    "the newest record": "UPDATE consent_suppression s SET record_id = r.id FROM consent_consentrecord r "
    "WHERE r.number = s.number AND r.n = 3; DELETE FROM consent_consentrecord WHERE number = %s AND n = 6",
    "a leaf": "UPDATE consent_ledgerleaf SET hash = sha256('x') WHERE position = 3",
    "the last leaves": "DELETE FROM consent_ledgerleaf WHERE position > 70",
    "a checkpoint": "DELETE FROM consent_checkpoint WHERE size = (SELECT min(size) FROM consent_checkpoint)",
    "the last checkpoint": "DELETE FROM consent_checkpoint WHERE size = (SELECT max(size) FROM consent_checkpoint)",
    "a note": "UPDATE consent_checkpoint SET note = replace(note, '/', '-')",
    "a frontier": "UPDATE consent_checkpoint SET frontier = ''",
    "a head": "UPDATE consent_ledgerhead SET n = n - 1 WHERE n = 6",
    "a bucket": "UPDATE consent_headbucket SET hash = sha256('x')",
    "what waits": "DELETE FROM consent_pendingseal",
    "a state": "UPDATE consent_consentstate SET act = 'opt_in' WHERE act = 'opt_out'",
    "a state gone": "DELETE FROM consent_consentstate WHERE number = %s",
    "a suppression": "DELETE FROM consent_suppression WHERE number = %s",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_an_owner_changes_with_the_triggers_off_is_found(change: str) -> None:
    history()
    if "pendingseal" not in change:
        seal()
    assert list(problems(keys())) == []
    as_owner(change, *([ANN] if "%s" in change else []))
    assert list(problems(keys()))


@pytest.mark.parametrize("role", [RUNTIME_ROLE, "NONE"])
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE consent_ledgerleaf SET hash = ''",
        "DELETE FROM consent_ledgerleaf",
        "UPDATE consent_checkpoint SET note = ''",
        "DELETE FROM consent_checkpoint",
        "DELETE FROM consent_consentrecord",
        "UPDATE consent_consentrecord SET wording = 'x'",
        "UPDATE consent_consentrecord SET act = 'void'",
        "UPDATE consent_ledgerkey SET public_key = 'x'",
    ],
)
def test_the_ledger_is_only_added_to(role: str, change: str) -> None:
    """The runtime role lacks the privilege; the owner is stopped by triggers."""
    from django.db import DatabaseError

    history()
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match=r"only ever|never changed|denied"):
        _change(cursor, role, change)


def _change(cursor: Any, role: str, change: str) -> None:
    with transaction.atomic():
        cursor.execute(f"SET LOCAL ROLE {role}")
        cursor.execute(change)


def test_what_is_not_sealed_for_a_minute_is_an_alarm() -> None:
    agree(ANN, "marketing")
    assert list(findings()) == []
    PendingSeal.objects.update(created_at=timezone.now() - timedelta(seconds=61))
    (finding,) = findings()
    assert finding.what == "Consent records are not sealed"
    seal()
    assert list(findings()) == []


def _unchained() -> None:
    """The records as they were before there were chains."""
    from consent.migrations._ledger_sql import CHAIN_WHAT_IS_THERE

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute("ALTER TABLE consent_consentrecord DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM consent_pendingseal")
        cursor.execute(
            "UPDATE consent_consentrecord SET n = n + 1000, prev = '', salt = 'x', subject = '', details = ''"
        )
        cursor.execute(CHAIN_WHAT_IS_THERE)
        cursor.execute("ALTER TABLE consent_consentrecord ENABLE TRIGGER USER")
        cursor.execute(f"SET LOCAL ROLE {RUNTIME_ROLE}")


def test_records_from_before_are_chained_by_the_migration() -> None:
    agree(ANN, "marketing", "reminder")
    agree(BEN, "marketing")
    opt_out(number=ANN, source="reply", wording="STOP")
    _unchained()
    assert seal()
    assert list(problems(keys())) == []
    verifier.check(json.loads(json.dumps(evidence_pack(number=ANN))), keys())
