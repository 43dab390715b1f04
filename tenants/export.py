"""Writing an export: a ZIP of JSON Lines, one file per table, in pieces that go to the database as they fill.

Every tenant-owned table is in it without being named here, so that a new one cannot be forgotten; secrets and files are
left out. A worker that dies leaves pieces that the next try removes: a ZIP cannot be continued in the middle.
"""

import io
import json
import logging
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from common.retries import each
from tenants.models import ExportPiece, Membership, OutgoingMail, Tenant, TenantExport, User
from tenants.owned import TenantOwned
from tenants.scope import all_tenants, tenant_scope

__all__ = ["KEPT_FOR", "exported_fields", "pieces_of", "write_exports"]

KEPT_FOR: Final = timedelta(hours=24)
LEASE: Final = timedelta(minutes=5)
MOST_TRIES: Final = 3
PIECE_BYTES: Final = 1_000_000
ROWS_AT_ONCE: Final = 2_000
LEFT_OUT: Final = frozenset(
    {
        "consent.HeadBucket",
        "consent.LedgerHead",
        "consent.LedgerTile",
        "consent.PendingSeal",
        "contacts.ExportPiece",
        "contacts.ImportFilePart",
        "tenants.ExportPiece",
        "tenants.OutgoingMail",
        "tenants.TenantExport",
    }
)
"""Files, and work of the product itself. The checkpoints of the ledger are exported, and the records they prove."""

_log = logging.getLogger(__name__)

_README: Final = """Everything that is stored for {name}, as of {moment}.

Each file holds one table, one JSON object a line. Passwords, keys and uploaded files are not in it.
consent.ConsentRecord is the proof of who agreed to what and who opted out; consent.Suppression lists the numbers that
must not be texted. People who sign in are in members.
"""


def exported_fields(model: type[TenantOwned]) -> list[str]:
    """The columns of a table that an export holds: all but secrets and files."""
    return [
        field.attname
        for field in model._meta.local_fields
        if not isinstance(field, models.BinaryField) and not field.attname.endswith("_hash")
    ]


def pieces_of(tenant_id: UUID, export_id: UUID) -> Iterator[bytes]:
    """The file, piece by piece, each read in a scope of its own."""
    position = 0
    while True:
        with tenant_scope(tenant_id):
            found = ExportPiece.objects.filter(export_id=export_id, position=position).first()
        if found is None:
            return
        yield bytes(found.content)
        position += 1


def write_exports() -> None:
    """Write what waits or was left behind by a dead worker; remove what is old."""
    waiting = Q(status=TenantExport.Status.WAITING) | Q(status=TenantExport.Status.RUNNING, leased_until__lt=now())
    with all_tenants("exports to write and to remove"):
        found = list(TenantExport.objects.filter(waiting).order_by("created_at").values_list("tenant_id", "id"))
        old = list(TenantExport.objects.filter(expires_at__lt=now(), size__gt=0).values_list("tenant_id", "id"))
    each(found, lambda one: _write(*one), doing="write an export")
    each(old, lambda one: _remove(*one), doing="remove an old export")


def _remove(tenant_id: UUID, export_id: UUID) -> None:
    with tenant_scope(tenant_id):
        ExportPiece.objects.filter(export_id=export_id).delete()
        TenantExport.objects.filter(id=export_id).update(size=0)


def _write(tenant_id: UUID, export_id: UUID) -> None:
    if not _lease(tenant_id, export_id):
        return
    writer = _Pieces(tenant_id, export_id)
    with zipfile.ZipFile(writer, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        for name, lines in _files(tenant_id):
            with archive.open(name, "w", force_zip64=True) as file:
                for line in lines:
                    file.write(line)
    writer.finish()
    with tenant_scope(tenant_id, durable=True):
        done = TenantExport.objects.filter(id=export_id, status=TenantExport.Status.RUNNING).update(
            status=TenantExport.Status.DONE, size=writer.size, finished_at=now(), expires_at=now() + KEPT_FOR
        )
        export = TenantExport.objects.select_related("created_by").get(id=export_id)
        if done and export.created_by:
            OutgoingMail.objects.create(kind=OutgoingMail.Kind.EXPORT_READY, address=export.created_by.email)


def _lease(tenant_id: UUID, export_id: UUID) -> bool:
    """Take the export, and remove what an earlier try has left; False when it is somebody else's or hopeless."""
    with tenant_scope(tenant_id, durable=True):
        export = TenantExport.objects.select_for_update(skip_locked=True).filter(id=export_id).first()
        if export is None or export.status not in (TenantExport.Status.WAITING, TenantExport.Status.RUNNING):
            return False
        if export.leased_until and export.leased_until > now():
            return False
        ExportPiece.objects.filter(export_id=export_id).delete()
        export.tries += 1
        export.leased_until = now() + LEASE
        hopeless = export.tries > MOST_TRIES
        export.status = TenantExport.Status.FAILED if hopeless else TenantExport.Status.RUNNING
        export.save(update_fields=["tries", "leased_until", "status"])
        return not hopeless


def _files(tenant_id: UUID) -> Iterator[tuple[str, Iterator[bytes]]]:
    tenant = Tenant.objects.get(id=tenant_id)
    yield "README.txt", iter([_README.format(name=tenant.name, moment=now().isoformat()).encode()])
    yield "tenant.jsonl", iter([_line(_of_tenant(tenant))])
    yield "members.jsonl", _members(tenant_id)
    for model in apps.get_models():
        if issubclass(model, TenantOwned) and model._meta.label not in LEFT_OUT:
            yield f"{model._meta.label}.jsonl", _rows(tenant_id, model)


def _of_tenant(tenant: Tenant) -> dict[str, object]:
    return {field.attname: getattr(tenant, field.attname) for field in Tenant._meta.local_fields}


def _members(tenant_id: UUID) -> Iterator[bytes]:
    with tenant_scope(tenant_id):
        people = list(User.objects.filter(id__in=Membership.objects.values("user_id")).values("id", "email", "name"))
    yield from (_line(dict(person)) for person in people)


def _rows(tenant_id: UUID, model: type[TenantOwned]) -> Iterator[bytes]:
    """All rows of a table in the order of its key, a page per transaction."""
    fields = exported_fields(model)
    key = [field.attname for field in model._meta.pk_fields]
    last: Any = None
    while True:
        with tenant_scope(tenant_id):
            rows = model._base_manager.order_by("tenant_id", "pk")
            page = list(
                (rows.filter(pk__gt=last) if last else rows).values(*dict.fromkeys([*key, *fields]))[:ROWS_AT_ONCE]
            )
        yield from map(_line, page)
        if len(page) < ROWS_AT_ONCE:
            return
        last = page[-1][key[0]] if len(key) == 1 else tuple(page[-1][name] for name in key)


def _line(row: dict[str, Any]) -> bytes:
    return json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False).encode() + b"\n"


class _Pieces(io.RawIOBase):
    """A file that can only be written on; each full piece goes to the database and renews the lease."""

    def __init__(self, tenant_id: UUID, export_id: UUID) -> None:
        super().__init__()
        self.tenant_id, self.export_id = tenant_id, export_id
        self.buffer = bytearray()
        self.position = 0
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.buffer += data
        while len(self.buffer) >= PIECE_BYTES:
            self._store(bytes(self.buffer[:PIECE_BYTES]))
            del self.buffer[:PIECE_BYTES]
        return len(data)

    def finish(self) -> None:
        """Store what is left."""
        if self.buffer:
            self._store(bytes(self.buffer))
            self.buffer.clear()

    def _store(self, content: bytes) -> None:
        with tenant_scope(self.tenant_id, durable=True):
            ExportPiece.objects.create(export_id=self.export_id, position=self.position, content=content)
            TenantExport.objects.filter(id=self.export_id).update(leased_until=now() + LEASE)
        self.position += 1
        self.size += len(content)
