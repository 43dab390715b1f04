"""Verify a consent evidence pack, offline: ``python3 -I verifier.py PACK --key PUBLIC_KEY [--checkpoint OLD]``.

PACK is the ZIP, the folder it was unpacked to, its pack.json, or a log.json, which only connects checkpoints.

This file stands alone: Python's standard library only, so that whoever doubts a pack can read all that checks it. The
public key, and a checkpoint that was given out earlier, must come from somewhere else than the pack. What is checked,
and what no pack can prove, is written in docs/ledger.md of the platform.

Hashes and proofs: RFC 9162, section 2.1. Signatures: Ed25519, RFC 8032, section 5.1. Checkpoints: C2SP tlog-checkpoint.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
import zipfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

HEAD_BITS = 12
ENTRY_KEYS = "act actor at details id log n prev purpose recorded source subject v".split()
HEADS_KEYS = "act at log position root v".split()
KEY_NAME = "consent-ledger"
PACK_KEYS = {
    "consent-evidence/1": "checkpoint entries format heads number older salt".split(),
    "consent-evidence/2": "checkpoint entries files format heads manifest messages number older salt".split(),
}
MESSAGE_KEYS = {
    "out": "at attempts body cause decision direction explanation id in_reply_to parts purpose reason sender status status_at".split(),
    "in": "at body direction id intent media sender".split(),
}
LOG_FORMAT = "consent-log/1"
FILES = ["evidence.pdf"]
DAMAGE = (ValueError, TypeError, AttributeError, OverflowError, RecursionError, KeyError)


class Invalid(Exception):
    """The pack proves nothing, and why."""


class Checkpoint(NamedTuple):
    """The signed state of a tenant's log."""

    origin: str
    size: int
    root: bytes


def need(condition: bool, problem: str) -> None:  # noqa: FBT001
    """Go on only if it holds."""
    if not condition:
        raise Invalid(problem)


# --- Ed25519: RFC 8032, section 5.1 -----------------------------------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]  # extended homogeneous coordinates


def _add(a: Point, b: Point) -> Point:
    """Section 5.1.4."""
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    return ((f - e) * (h - g) % P, (h + g) * (f + e) % P, (h - g) * (h + g) % P, (f - e) * (f + e) % P)


def _times(factor: int, point: Point) -> Point:
    result: Point = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            result = _add(result, point)
        point = _add(point, point)
        factor >>= 1
    return result


def _point(data: bytes) -> Point:
    """Section 5.1.3; encodings that are not the canonical one are refused."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (1 << 255) - 1
    need(len(data) == 32 and y < P, "a point is encoded wrongly")
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * SQRT_M1 % P
    need((x * x - x2) % P == 0 and not (x == 0 and sign), "a point is not on the curve")
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


BASE = _point(bytes([0x58]) + bytes([0x66]) * 31)


def ed25519_holds(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Section 5.1.7."""
    try:
        key, r = _point(public_key), _point(signature[:32])
    except Invalid:
        return False
    s = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % L
    left, right = _times(s, BASE), _add(r, _times(h, key))
    same_x = (left[0] * right[2] - right[0] * left[2]) % P == 0
    return same_x and (left[1] * right[2] - right[1] * left[2]) % P == 0


# --- Trees: RFC 9162, section 2.1 -------------------------------------------------------------------------------------


def leaf_hash(entry: bytes) -> bytes:
    """Section 2.1.1."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Section 2.1.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_from(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that an inclusion proof leads to (section 2.1.3.2)."""
    need(0 <= index < size, "a position lies outside of the tree")
    last, node = size - 1, leaf
    for sibling in path:
        need(last > 0, "an inclusion proof is too long")
        if index & 1 or index == last:
            node = node_hash(sibling, node)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        index, last = index >> 1, last >> 1
    need(last == 0, "an inclusion proof is too short")
    return node


def check_consistency(old: Checkpoint, new: Checkpoint, proof: list[bytes]) -> None:
    """That the old log is the beginning of the new one (section 2.1.4.2)."""
    need(0 < old.size <= new.size, "a checkpoint is newer than the pack")
    if old.size == new.size:
        need(not proof and old.root == new.root, "two logs of one size differ")
        return
    path = list(proof) if old.size & (old.size - 1) else [old.root, *proof]
    need(bool(path), "a consistency proof is too short")
    index, last = old.size - 1, new.size - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    old_root = new_root = path[0]
    for node in path[1:]:
        need(last > 0, "a consistency proof is too long")
        if index & 1 or index == last:
            old_root, new_root = node_hash(node, old_root), node_hash(node, new_root)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            new_root = node_hash(new_root, node)
        index, last = index >> 1, last >> 1
    need(last == 0, "a consistency proof is too short")
    need(old_root == old.root and new_root == new.root, "the log was changed after an older checkpoint")


# --- Strict reading: what has two spellings could be changed unnoticed ------------------------------------------------


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    need(len({name for name, _ in pairs}) == len(pairs), "a name occurs twice")
    return dict(pairs)


def _json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_unique)


def _object(value: Any, keys: list[str]) -> dict[str, Any]:
    need(isinstance(value, dict) and sorted(value) == sorted(keys), "the pack is not made of the expected parts")
    return value  # type: ignore[no-any-return]


def _is(kind: type, value: Any) -> Any:
    need(type(value) is kind, "the pack holds a value of a wrong kind")
    return value


def _hex(value: Any, size: int = 32) -> bytes:
    data = bytes.fromhex(_is(str, value))
    need(data.hex() == value and len(data) == size, "a hash is written wrongly")
    return data


def _hexes(value: Any) -> list[bytes]:
    return [_hex(one) for one in _is(list, value)]


def _base64(text: str) -> bytes:
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data).decode() == text, "base64 is written wrongly")
    return data


def _entry(text: Any, keys: list[str]) -> dict[str, Any]:
    entry = _object(_json(_is(str, text)), keys)
    need(json.dumps(entry, separators=(",", ":"), sort_keys=True) == text, "an entry is written wrongly")
    return entry


def read_keys(text: str) -> list[bytes]:
    """Public keys, one a line: ``consent-ledger+id+base64``, or the 32 bytes in base64 alone."""
    keys = []
    for line in text.split():
        data = _base64(line.split("+", 2)[2] if line.startswith(f"{KEY_NAME}+") else line)
        keys.append(data[1:] if len(data) == 33 else data)
        need(len(keys[-1]) == 32, "this is no public key")
    return keys


def read_note(note: Any, keys: list[bytes] | None, what: str) -> list[str]:
    """The three lines of a signed note; exactly one signature, by one of the keys. None: it is not looked at."""
    text, separator, signature = str(_is(str, note)).partition("\n\n")
    text += "\n"
    lines = text.split("\n")
    need(bool(separator) and len(lines) == 4, f"{what} is written wrongly")
    prefix = f"\N{EM DASH} {KEY_NAME} "
    need(signature.startswith(prefix) and signature.endswith("\n"), f"{what} is not signed")
    if keys is None:
        return lines
    signed = _base64(signature[len(prefix) : -1])
    key_ids = [hashlib.sha256(KEY_NAME.encode() + b"\n\x01" + key).digest()[:4] for key in keys]
    holds = any(
        key_id == signed[:4] and ed25519_holds(key, text.encode(), signed[4:])
        for key, key_id in zip(keys, key_ids)  # noqa: B905 - Python 3.8 has no strict
    )
    need(holds, f"{what} was not signed by this key")
    return lines


def read_checkpoint(note: Any, keys: list[bytes] | None) -> Checkpoint:
    """A signed checkpoint. Without keys its signature is not looked at."""
    lines = read_note(note, keys, "a checkpoint")
    need(lines[1] == str(int(lines[1])), "a checkpoint is written wrongly")
    root = _base64(lines[2])
    need(len(root) == 32, "a checkpoint is written wrongly")
    return Checkpoint(lines[0], int(lines[1]), root)


# --- The pack ---------------------------------------------------------------------------------------------------------


def check_entries(pack: dict[str, Any], checkpoint: Checkpoint) -> list[dict[str, Any]]:
    """Each entry is in the log, follows the one before it, and says of the person what the pack says."""
    salt, number = _hex(pack["salt"]), _is(str, pack["number"])
    subject = hashlib.sha256(b"subject/1" + salt + number.encode()).digest()
    entries: list[dict[str, Any]] = []
    prev = b""
    for n, given in enumerate(_is(list, pack["entries"]), start=1):
        _object(given, ["entry", "evidence", "position", "proof", "wording"])
        entry = _entry(given["entry"], ENTRY_KEYS)
        need(entry["v"] == 1 and f"{KEY_NAME}/{entry['log']}" == checkpoint.origin, "an entry is of another log")
        need(entry["subject"] == subject.hex(), "an entry is about somebody else")
        need(entry["n"] == n and entry["prev"] == prev.hex(), "an entry is missing or out of its order")
        opened = (hashlib.sha256(_is(str, given[part]).encode()).digest() for part in ("wording", "evidence"))
        identity = bytes.fromhex(entry["id"].replace("-", ""))
        details = hashlib.sha256(b"details/1" + salt + identity + b"".join(opened)).hexdigest()
        need(details == entry["details"], "wording or evidence is not what was recorded")
        prev = leaf_hash(given["entry"].encode())
        root = root_from(prev, _is(int, given["position"]), checkpoint.size, _hexes(given["proof"]))
        need(root == checkpoint.root, "an entry is not in the log")
        entries.append({**entry, "leaf": prev})
    need(bool(entries), "the pack holds no entries")
    return entries


def check_heads(pack: dict[str, Any], checkpoint: Checkpoint, newest: dict[str, Any]) -> int:
    """The chain ends where the log says so: no newest entry is left out. Returns the time of the checkpoint."""
    given = _object(pack["heads"], ["entry", "index", "path", "proof", "proof_in_bucket", "subjects"])
    heads = _entry(given["entry"], HEADS_KEYS)
    position = checkpoint.size - 1
    need(
        heads["act"] == "heads" and heads["v"] == 1 and heads["position"] == position, "the last entry is not the heads"
    )
    need(f"{KEY_NAME}/{heads['log']}" == checkpoint.origin, "the heads are of another log")
    leaf = leaf_hash(given["entry"].encode())
    need(root_from(leaf, position, checkpoint.size, _hexes(given["proof"])) == checkpoint.root, "heads not in the log")
    head = {"leaf": newest["leaf"].hex(), "n": newest["n"], "subject": newest["subject"]}
    text = json.dumps(head, separators=(",", ":"), sort_keys=True)
    subjects = _is(int, given["subjects"])
    inside = root_from(leaf_hash(text.encode()), _is(int, given["index"]), subjects, _hexes(given["proof_in_bucket"]))
    bucket = int(newest["subject"][:4], 16) >> 16 - HEAD_BITS
    root = root_from(leaf_hash(subjects.to_bytes(8, "big") + inside), bucket, 1 << HEAD_BITS, _hexes(given["path"]))
    need(root.hex() == heads["root"], "a newer entry of this person exists, or the heads were changed")
    return int(heads["at"])


def check_older(pack: dict[str, Any], checkpoint: Checkpoint, keys: list[bytes] | None, held: str | None) -> None:
    """The logs of older checkpoints are the beginning of this one; among them is the one that the reader holds."""
    known, before = [], 0
    for given in _is(list, pack["older"]):
        _object(given, ["checkpoint", "proof"])
        old = read_checkpoint(given["checkpoint"], keys)
        need(old.origin == checkpoint.origin and old.size > before, "older checkpoints are out of their order")
        check_consistency(old, checkpoint, _hexes(given["proof"]))
        known.append(old)
        before = old.size
    if held is not None:
        need(
            read_checkpoint(held, None) in (*known, checkpoint), "the pack does not connect to the checkpoint you hold"
        )


def digest_of(pack: dict[str, Any]) -> str:
    """What the manifest signs: the hash of everything else in the pack."""
    rest = {name: value for name, value in pack.items() if name != "manifest"}
    text = json.dumps(rest, separators=(",", ":"), sort_keys=True)
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def check_manifest(pack: dict[str, Any], checkpoint: Checkpoint, keys: list[bytes]) -> None:
    """The pack is as it was given out: this alone is what stands for the messages and for the PDF."""
    expected = [pack["format"], checkpoint.origin, digest_of(pack), ""]
    need(read_note(pack["manifest"], None, "the manifest") == expected, "the pack is not as it was given out")
    read_note(pack["manifest"], keys, "the manifest")


def check_messages(pack: dict[str, Any]) -> None:
    """Each message is told in full, and once."""
    identities = set()
    for message in _is(list, pack["messages"]):
        _object(message, MESSAGE_KEYS[message["direction"]])
        need(message["direction"] == "in" or type(message["decision"]) is dict, "a decision is written wrongly")
        _is(int, message["at"])
        identities.add(_is(str, message["id"]))
    need(len(identities) == len(pack["messages"]), "a message occurs twice")


def check_files(pack: dict[str, Any], files: dict[str, bytes]) -> None:
    """Of the files that the pack speaks of, those that are there are the ones given out with it."""
    for name, expected in _is(dict, pack["files"]).items():
        if name in files:
            need(
                hashlib.sha256(files[name]).digest() == _hex(expected), f"{name} is not the one given out with the pack"
            )


def check(
    pack: Any, keys: list[bytes], older: str | None = None, files: dict[str, bytes] | None = None
) -> tuple[int, list[dict[str, Any]]]:
    """Check all of a pack; returns the time of its checkpoint and the entries. Raises ``Invalid``.

    ``older``: a checkpoint that the reader holds; ``files``: what lies beside the pack, by name.
    """
    try:
        need(_is(dict, pack).get("format") in PACK_KEYS, "this is no evidence pack")
        _object(pack, PACK_KEYS[pack["format"]])
        if older is not None:
            read_checkpoint(older, keys)
        checkpoint = read_checkpoint(pack["checkpoint"], keys)
        # The manifest signs older checkpoints with the rest of the pack; before there was one, each had to be checked.
        signed_each: list[bytes] | None = keys
        if "manifest" in pack:
            signed_each = None
            check_manifest(pack, checkpoint, keys)
            check_messages(pack)
            check_files(pack, files or {})
        entries = check_entries(pack, checkpoint)
        at = check_heads(pack, checkpoint, entries[-1])
        check_older(pack, checkpoint, signed_each, older)
    except DAMAGE as error:
        raise Invalid(f"the pack is damaged ({type(error).__name__})") from None
    return at, entries


def check_log(log: Any, keys: list[bytes], older: str | None = None) -> Checkpoint:
    """Check that a newer checkpoint goes on from older ones, among them the one that the reader holds."""
    try:
        _object(log, ["checkpoint", "format", "older"])
        need(log["format"] == LOG_FORMAT, "this is no log of checkpoints")
        if older is not None:
            read_checkpoint(older, keys)
        checkpoint = read_checkpoint(log["checkpoint"], keys)
        check_older(log, checkpoint, None, older)
    except DAMAGE as error:
        raise Invalid(f"the log is damaged ({type(error).__name__})") from None
    return checkpoint


def load(path: Path) -> tuple[Any, dict[str, bytes]]:
    """The pack and what lies beside it: from a ZIP, the folder it was unpacked to, or its pack.json."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            need(names.count("pack.json") == 1 and len(set(names)) == len(names), "the ZIP holds no pack, or several")
            return _json(archive.read("pack.json").decode()), {name: archive.read(name) for name in names}
    pack = path / "pack.json" if path.is_dir() else path
    beside = {name: pack.with_name(name) for name in FILES}
    files = {name: place.read_bytes() for name, place in beside.items() if place.is_file()}
    return _json(pack.read_text(encoding="utf-8")), files


def _text_of(value: str) -> str:
    """What was given on the command line: a file, or the text itself."""
    if "\n" not in value and len(value) < 1000 and Path(value).is_file():
        return Path(value).read_text(encoding="utf-8")
    return value


def _moment(microseconds: int) -> str:
    return str(datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=microseconds))  # noqa: UP017


def _say(text: str) -> None:
    print(text)  # noqa: T201


def _proven(pack: dict[str, Any], at: int, entries: list[dict[str, Any]], files: dict[str, bytes]) -> list[str]:
    """What is proven, in lines."""
    lines = [f"HOLDS for {pack['number']}, complete as of {_moment(at)}"]
    for entry in entries:
        words = f"{entry['act']} {entry['purpose']} ({entry['source']})"
        lines.append(f"  {entry['n']}. {_moment(entry['at'])}  {words}, recorded {_moment(entry['recorded'])}")
    if "manifest" not in pack:
        return [*lines, "This pack is of an older kind: it says nothing of messages."]
    names = {entry["id"]: entry["n"] for entry in entries}
    lines.append(f"Messages, as the platform recorded and signed them: {len(pack['messages'])}")
    lines += [f"  {_moment(message['at'])}  {_told(message, names)}" for message in pack["messages"]]
    for name in pack["files"]:
        lines.append(
            f"{name}: {'the one given out with this pack' if name in files else 'not there, so not looked at'}"
        )
    return lines


def _told(message: dict[str, Any], names: dict[str, int]) -> str:
    if message["direction"] == "in":
        return f"received ({message['intent']})"
    data = message["decision"].get("data")
    record = str(data.get("record")) if isinstance(data, dict) else ""
    rests_on = f" (entry {names[record]})" if record in names else ""
    return f"{message['purpose']}, {message['status']}: {message['explanation'] or 'not decided yet'}{rests_on}"


def main(arguments: list[str] | None = None) -> int:
    """The command line; 0 only if everything holds."""
    parser = argparse.ArgumentParser(description="Verify a consent evidence pack.")
    parser.add_argument("pack", type=Path, help="the ZIP, its folder, its pack.json, or a log.json")
    parser.add_argument("--key", required=True, help="the public key, or a file with one a line")
    parser.add_argument("--checkpoint", help="a file with a checkpoint that was given out earlier")
    given = parser.parse_args(arguments)
    try:
        pack, files = load(given.pack)
        older = _text_of(given.checkpoint) if given.checkpoint else None
        keys = read_keys(_text_of(given.key))
        if isinstance(pack, dict) and pack.get("format") == LOG_FORMAT:
            lines = [
                f"HOLDS: {check_log(pack, keys, older).size} entries, and each older checkpoint is their beginning"
            ]
        else:
            at, entries = check(pack, keys, older, files)
            lines = _proven(pack, at, entries, files)
    except (Invalid, OSError, *DAMAGE, zipfile.BadZipFile) as problem:
        _say(f"NOT PROVEN: {problem}")
        return 1
    for line in lines:
        _say(line)
    if older is None:
        _say("Without an older checkpoint of your own this trusts that whoever holds the key did not rewrite the log.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
