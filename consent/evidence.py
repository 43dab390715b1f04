"""Evidence packs: what is recorded of one number, with all that somebody needs to check it without us."""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from django.db.models import TextField
from django.db.models.functions import Cast

from consent import verifier
from consent.canonical import entry_text, head_bucket
from consent.daily import give_out, held_by_readers
from consent.evidence_pdf import evidence_pdf
from consent.heads import Head, HeadTree, head_leaf
from consent.merkle import inclusion_ranges, root_of
from consent.models import Checkpoint, ConsentRecord, HeadBucket, LedgerHead, LedgerLeaf
from consent.notes import origin_of
from consent.sealing import lock_log, seal, signer
from consent.tree import StoredTree
from tenants.models import Tenant
from tenants.scope import current_tenant_id

__all__ = ["NothingRecorded", "evidence_pack", "evidence_zip", "log_of", "text_of"]

PDF: Final = "evidence.pdf"
MOST_CONNECTED: Final = 1_000
_README: Final = """This folder proves what is recorded about the consent of {number}.

evidence.pdf is for reading: what was recorded, in which words, and every message with the decision behind it.
pack.json holds the same with the proofs, and verifier.py checks both:

    python3 -I verifier.py pack.json --key PUBLIC_KEY --checkpoint CHECKPOINT

needs nothing but Python 3.9 or newer, and no network. Take the public key from the platform's page of keys or from
whoever you trust, and a checkpoint that the business received earlier: neither must come from this folder. Read
verifier.py, or take it from the platform's source, if you do not trust this copy.
"""


FORMAT: Final = "consent-evidence/2"

Message = Mapping[str, object]
"""A text from or to the number, with the names of ``verifier.MESSAGE_KEYS``."""


class NothingRecorded(Exception):
    """There is no record of this number."""


def evidence_pack(
    *, number: str, messages: Sequence[Message] = (), older_sizes: Sequence[int] | None = None
) -> dict[str, object]:
    """The pack of a number of the active tenant, as of now; raises ``NothingRecorded``.

    ``messages``: every text from and to the number, the oldest first; ``older_sizes``: the checkpoints that the reader
    may hold, those that were given out unless told.
    """
    return _signed({**_proofs(number, older_sizes), "messages": list(messages)}, files={})


def evidence_zip(*, number: str, messages: Sequence[Message] = ()) -> bytes:
    """The pack as a ZIP, with a PDF to read, the verifier and a word on how to use it."""
    content = {**_proofs(number, None), "messages": list(messages)}
    pdf = evidence_pdf(content, of=Tenant.objects.get(id=current_tenant_id()).name)
    pack = _signed(content, files={PDF: sha256(pdf).hexdigest()})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(PDF, pdf)
        archive.writestr("pack.json", json.dumps(pack, ensure_ascii=False, indent=1))
        archive.writestr("verifier.py", Path(verifier.__file__).read_bytes())
        archive.writestr("README.txt", _README.format(number=number))
    return buffer.getvalue()


def log_of(newest: Checkpoint, *, most: int = MOST_CONNECTED) -> dict[str, object]:
    """A checkpoint with the proofs that its log goes on from those given out before, the last ``most`` of them."""
    older = [one for one in held_by_readers() if one.size < newest.size][-most:]
    return {"format": verifier.LOG_FORMAT, "checkpoint": newest.note, "older": _older(older, StoredTree(newest.size))}


def _signed(content: dict[str, object], *, files: dict[str, str]) -> dict[str, object]:
    """What does not stand in the log is proven by a signature over all of the pack."""
    pack = {"format": FORMAT, **content, "files": files}
    text = f"{FORMAT}\n{origin_of(current_tenant_id())}\n{verifier.digest_of(pack)}\n"
    return {**pack, "manifest": signer().sign(text)}


def _proofs(number: str, older_sizes: Sequence[int] | None) -> dict[str, object]:
    """What the log proves of a number."""
    lock_log()
    while seal():
        pass
    older = held_by_readers() if older_sizes is None else list(Checkpoint.objects.filter(size__in=older_sizes))
    checkpoint = seal(even_if_nothing_is_new=True)
    records = list(
        ConsentRecord.objects.filter(number=number).order_by("n").annotate(evidence_text=Cast("evidence", TextField()))
    )
    if not records or checkpoint is None:
        raise NothingRecorded(number)
    # Who gets this pack may come back with its checkpoint.
    give_out(checkpoint)
    tree = StoredTree(checkpoint.size)
    return {
        "number": number,
        "salt": bytes(records[0].salt).hex(),
        "checkpoint": checkpoint.note,
        "entries": _entries(records, tree),
        "heads": _heads(records[-1], checkpoint, tree),
        "older": _older(older, tree),
    }


def _older(older: Sequence[Checkpoint], tree: StoredTree) -> list[dict[str, object]]:
    return [
        {"checkpoint": one.note, "proof": _hex(tree.consistency(one.size))}
        for one in sorted(older, key=lambda one: one.size)
    ]


def _entries(records: Sequence[ConsentRecord], tree: StoredTree) -> list[dict[str, object]]:
    leaves = LedgerLeaf.objects.filter(record_id__in=[record.id for record in records])
    positions = dict(leaves.values_list("record_id", "position"))
    return [
        {
            "entry": text_of(record),
            "wording": record.wording,
            "evidence": record.evidence_text,  # type: ignore[attr-defined]
            "position": positions[record.id],
            "proof": _hex(tree.inclusion(positions[record.id])),
        }
        for record in records
    ]


def text_of(record: ConsentRecord) -> str:
    """The entry of a record, as it stands in the log."""
    return entry_text(
        log=current_tenant_id(),
        record_id=record.id,
        act=record.act,
        purpose=record.purpose,
        source=record.source,
        actor=record.actor_id,
        occurred_at=record.occurred_at,
        recorded_at=record.recorded_at,
        subject=bytes(record.subject),
        n=record.n,
        prev=bytes(record.prev),
        details=bytes(record.details),
    )


def _heads(newest: ConsentRecord, checkpoint: Checkpoint, tree: StoredTree) -> dict[str, object]:
    subject = bytes(newest.subject)
    bucket = head_bucket(subject)
    rows = LedgerHead.objects.filter(bucket=bucket).values_list("subject", "n", "leaf")
    heads = sorted(Head(bytes(one), n, bytes(leaf)) for one, n, leaf in rows)
    leaves = [head_leaf(head) for head in heads]
    index = [head.subject for head in heads].index(subject)
    ranges = inclusion_ranges(index, len(leaves))
    buckets = {place: bytes(value) for place, value in HeadBucket.objects.values_list("bucket", "hash")}
    return {
        "entry": checkpoint.heads,
        "proof": _hex(tree.inclusion(checkpoint.size - 1)),
        "subjects": len(leaves),
        "index": index,
        "proof_in_bucket": _hex([root_of(leaves[begin:end]) for begin, end in ranges]),
        "path": _hex(HeadTree(buckets).path(bucket)),
    }


def _hex(hashes: Sequence[bytes]) -> list[str]:
    return [one.hex() for one in hashes]
