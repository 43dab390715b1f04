"""Who says no in a file, anywhere in it: read before the first row is imported.

A no on one row beats a yes on another row with the same number. A word that says more than no ("unsubscribed",
"stop") is the person's opt-out: it is recorded for the number, whatever it had agreed to before and whatever else
is wrong with the row.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from common.formulas import plain_cell
from common.phone_numbers import NumberProblem, parse
from consent.models import ConsentRecord
from consent.revocation_lock import hold_exclusively
from consent.services import opt_out, suppressed_among
from contacts.importing.consent_words import Said, said
from contacts.importing.decoding import Row
from contacts.importing.records import MAX_KEPT_CHARACTERS
from contacts.models import ContactImport

__all__ = ["OptOut", "Refusals", "find_refusals", "record_opt_outs"]

_SOURCE: Final = "import"


@dataclass(frozen=True, slots=True)
class OptOut:
    """A row that says that its person opted out, in these words."""

    number: str
    row: int
    wording: str


@dataclass(frozen=True, slots=True)
class Refusals:
    """The numbers for which some row is not a yes, and the first opt-out of each that has one."""

    numbers: set[str] = field(default_factory=set)
    opt_outs: dict[str, OptOut] = field(default_factory=dict)


def find_refusals(rows: Iterable[Row], columns: Sequence[str], country: str) -> Refusals:
    """Read the whole file for them; nothing when it has no column that says who agreed or opted out."""
    found = Refusals()
    asked = [(columns.index(name), name) for name in ("opted_out", "consent") if name in columns]
    if not asked:
        return found
    number_at = columns.index("number")
    for row in rows:
        answer, words = _answer(row, asked)
        if answer is Said.YES:
            continue
        try:
            number = parse(_cell(row, number_at), country).e164
        except NumberProblem:
            continue
        found.numbers.add(number)
        if answer is Said.STOP:
            found.opt_outs.setdefault(number, OptOut(number, row.number, words[:MAX_KEPT_CHARACTERS]))
    return found


def _answer(row: Row, asked: Sequence[tuple[int, str]]) -> tuple[Said, str]:
    """The row's strictest answer, with the words. In a column of opt-outs a yes is an opt-out, and a no says nothing."""
    strictest, words = Said.YES, ""
    for position, name in asked:
        cell = _cell(row, position)
        answer = said(cell)
        if name == "opted_out":
            answer = Said.STOP if answer in (Said.YES, Said.STOP) else Said.YES
        if answer is Said.STOP:
            return Said.STOP, cell
        if answer is Said.NO:
            strictest, words = Said.NO, cell
    return strictest, words


def _cell(row: Row, position: int) -> str:
    return plain_cell(row.cells[position]) if position < len(row.cells) else ""


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
