"""Who opted out by the words of a file, such as "unsubscribed" or "stop".

It is recorded for the number before the first row is imported, whatever it had agreed to before and whatever else is
wrong with the row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from consent.models import ConsentRecord
from consent.revocation_lock import hold_exclusively
from consent.services import opt_out, suppressed_among
from contacts.models import ContactImport, ImportRow

__all__ = ["OptOut", "record_opt_outs", "who_opted_out"]

_SOURCE: Final = "import"


@dataclass(frozen=True, slots=True)
class OptOut:
    """A row that says that its person opted out, in these words."""

    number: str
    row: int
    wording: str


def who_opted_out(job: ContactImport) -> list[OptOut]:
    """The first opt-out of each number that has one."""
    rows = ImportRow.objects.filter(contact_import_id=job.id, said=ImportRow.Said.STOP, evidence__has_key="words")
    first: dict[str, OptOut] = {}
    for number, row, evidence in rows.order_by("row_number").values_list("number", "row_number", "evidence"):
        first.setdefault(number, OptOut(number, row, str((evidence or {})["words"])))
    return list(first.values())


def record_opt_outs(job: ContactImport, opt_outs: Sequence[OptOut]) -> bool:
    """Record some of them, each once per import however often its worker starts again; False when all were before."""
    hold_exclusively()
    rows = {each.number: each for each in opt_outs}
    new = _not_yet_out(job, list(rows))
    for number in new:
        opt_out(
            number=number,
            source=_SOURCE,
            wording=rows[number].wording,
            evidence=job.evidence(rows[number].row),
            actor_id=job.created_by_id,
        )
    return bool(new)


def _not_yet_out(job: ContactImport, numbers: Sequence[str]) -> list[str]:
    """Those that are neither suppressed nor were opted out by this import before; they may have come back since."""
    done = ConsentRecord.objects.filter(
        number__in=numbers, act=ConsentRecord.Act.OPT_OUT, evidence__import=str(job.id)
    ).values_list("number", flat=True)
    known = {*done, *suppressed_among(numbers=numbers)}
    return [number for number in numbers if number not in known]
