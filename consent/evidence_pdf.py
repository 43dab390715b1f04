"""The evidence of a person as a PDF: for reading. What proves it is the pack that it comes with."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from consent.models import ConsentRecord
from consent.pdf_sheet import Sheet
from consent.purposes import Purpose

__all__ = ["evidence_pdf"]

_ACTS: Final = dict(ConsentRecord.Act.choices)
_SOURCES: Final = dict(ConsentRecord.Source.choices)
_PURPOSES: Final = {**dict(Purpose.choices), "all": "Everything"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Content = Mapping[str, Any]
"""Of a pack; see ``consent.verifier`` for the names in it."""


def evidence_pdf(content: Content, *, of: str) -> bytes:
    """The PDF of a pack; ``of`` is the name of the business."""
    entries = [{**json.loads(given["entry"]), **given} for given in content["entries"]]
    number = content["number"]
    sheet = Sheet(title=f"Evidence of consent: {number}", footer=f"Evidence of consent of {number}, kept by {of}")
    _head(sheet, content, entries, of)
    _standing(sheet, entries)
    _recorded(sheet, entries)
    _messages(sheet, content["messages"], {entry["id"]: entry["n"] for entry in entries})
    _check(sheet, content["checkpoint"])
    return sheet.finish()


def _head(sheet: Sheet, content: Content, entries: Sequence[Content], of: str) -> None:
    heads = json.loads(content["heads"]["entry"])
    sheet.heading("Evidence of consent", size=20)
    sheet.facts(
        [
            ("Number", content["number"]),
            ("Business", of),
            ("Complete as of", _moment(heads["at"])),
            ("Consent records", str(len(entries))),
            ("Messages", str(len(content["messages"]))),
            ("Log", f"{content['checkpoint'].splitlines()[0]}, {content['checkpoint'].splitlines()[1]} entries"),
        ]
    )
    sheet.gap(6)
    sheet.paragraph(
        "All times are UTC. A letter that this PDF cannot show stands as its code point, such as [U+4F60]; pack.json "
        "has every text as it was.",
        grey=True,
        size=8.5,
    )


def _standing(sheet: Sheet, entries: Sequence[Content]) -> None:
    """Where each purpose stands after all entries."""
    sheet.heading("Where consent stands")
    standing = _stands(entries)
    sheet.facts(
        (_PURPOSES[purpose], f"{_ACTS[entry['act']]} on {_moment(entry['at'])} (record {entry['n']})")
        for purpose, entry in standing.items()
    )
    if not standing:
        sheet.paragraph("Every record was taken back as an error.")


def _stands(entries: Sequence[Content]) -> dict[str, Content]:
    """As ``consent.ledger`` derives it: an opt-out of everything ends what there was, a later opt-in begins anew."""
    struck = {json.loads(entry["evidence"]).get("voids") for entry in entries if entry["act"] == "void"}
    standing: dict[str, Content] = {}
    for entry in entries:
        if entry["act"] == "void" or entry["id"] in struck:
            continue
        if entry["act"] == "opt_in":
            standing.pop("all", None)
        if entry["purpose"] == "all":
            standing = dict.fromkeys(standing, entry)
        standing[entry["purpose"]] = entry
    return standing


def _recorded(sheet: Sheet, entries: Sequence[Content]) -> None:
    sheet.heading("What was recorded")
    for entry in entries:
        sheet.gap(5)
        sheet.paragraph(f"{entry['n']}. {_ACTS[entry['act']]}: {_PURPOSES[entry['purpose']]}", bold=True)
        sheet.facts(_about(entry))
        if entry["wording"]:
            sheet.paragraph("The words, exactly:", grey=True)
            sheet.quote(entry["wording"])


def _about(entry: Content) -> Iterator[tuple[str, str]]:
    yield "When", _moment(entry["at"])
    yield "Recorded", _moment(entry["recorded"])
    yield "How", _SOURCES[entry["source"]]
    if entry["actor"]:
        yield "Recorded by member", entry["actor"]
    for name, value in json.loads(entry["evidence"]).items():
        yield f"Evidence: {name}", value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    yield "Place in the log", f"entry {entry['position']}, id {entry['id']}"


def _messages(sheet: Sheet, messages: Sequence[Content], records: Mapping[str, int]) -> None:
    sheet.heading("Messages")
    if not messages:
        sheet.paragraph("No text went to this number or came from it.")
    for message in messages:
        sheet.gap(5)
        if message["direction"] == "in":
            sheet.paragraph(f"{_moment(message['at'])}: from the person, to {message['sender']}", bold=True)
        else:
            sheet.paragraph(
                f"{_moment(message['at'])}: {_PURPOSES[message['purpose']]}, {message['status']}", bold=True
            )
            sheet.facts(_sent(message, records), labels=70)
        sheet.quote(message["body"])


def _sent(message: Content, records: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    if message["sender"]:
        yield "From", message["sender"]
    data = message["decision"].get("data") or {}
    rests_on = f" (record {records[data['record']]} above)" if data.get("record") in records else ""
    yield "Decision", (message["explanation"] or "Not decided yet") + rests_on
    if message["reason"] and message["status"] != "blocked":
        yield "Outcome", message["reason"]
    for attempt in message["attempts"]:
        said = f", {attempt['error_code']}" if attempt["error_code"] else ""
        name = f", as {attempt['provider_message_id']}" if attempt["provider_message_id"] else ""
        yield f"Attempt {attempt['n']}", f"{_moment(attempt['at'])}: {attempt['state']}{said}{name}"


def _check(sheet: Sheet, checkpoint: str) -> None:
    sheet.heading("How to check this")
    sheet.paragraph(
        "The consent records are entries of a log that can only be added to. Each entry holds the hash of the one before "
        "it, all of them are leaves of a Merkle tree (RFC 9162), and its root is signed (Ed25519). Whoever holds an "
        "earlier checkpoint can tell that nothing before it was changed since. The messages are not in that log: they "
        "are what the business's platform recorded, and signed with the pack."
    )
    sheet.gap(4)
    sheet.paragraph("Beside this PDF are pack.json and verifier.py. With Python 3.9 or newer, and without a network:")
    sheet.quote("python3 -I verifier.py pack.json --key PUBLIC_KEY --checkpoint CHECKPOINT")
    sheet.paragraph(
        "Take the public key and the checkpoint from your own records or from whom you trust, not from this folder. The "
        "check also tells whether this PDF is the one that was given out. The checkpoint of this pack:"
    )
    sheet.quote(checkpoint.strip())


def _moment(microseconds: int) -> str:
    return f"{_EPOCH + timedelta(microseconds=microseconds):%Y-%m-%d %H:%M:%S} UTC"
