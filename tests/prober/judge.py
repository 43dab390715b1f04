"""What an answer must not hold, and what a request must not have done."""

import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

import pypdfium2
from django.conf import settings
from django.shortcuts import resolve_url

from tenants.permissions import Role
from tests.prober.asking import NOBODY, STRANGER
from tests.prober.probes import Probe
from tests.prober.witness import Write
from tests.prober.world import Side

__all__ = ["Answer", "body_text", "foreign_writes", "judge", "judge_twins"]

_ALSO_SEEN = 300
UNREADY = "readyz"
"""Without workers and beat the product is not ready, and says so with 503."""
_NUMBER = 10
_OF_ONESELF = ("tenants_user", "tenants_usersession")
"""Where it is noted that somebody was here."""
_TOKEN = r'name="csrfmiddlewaretoken" value="[^"]*"|"X-CSRFToken": "[^"]*"|csrf=[^;]*'
_TOKENS = re.compile(_TOKEN)
"""Random letters, among them now and then a short canary's."""
_VARIES = re.compile(
    _TOKEN + r'|data:image/svg\+xml;base64,[^"]*|<code id="totp-key">[^<]*|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
    # Hashes and signatures of a log that says of what moment it is.
    r"|[0-9a-f]{64}|\b1[0-9]{15}\b|[A-Za-z0-9+/]{43,}={0,2}"
    r"|\+?1?[ (]*(415|617|503)\D{0,3}555\D?01\d\d|expires=[^;]*|\d+ (second|minute)s?\b|\d\d:\d\d:\d\d"
)


@dataclass
class Answer:
    """All that came of one probe: the answer's parts by name, the rows written, and what else was said."""

    status: int
    location: str = ""
    parts: dict[str, str] = field(default_factory=dict)
    """Head, body, session, mails, log."""
    written: list[Write] = field(default_factory=list)
    broken: str = ""
    """Why the transaction could not be committed."""


def judge(probe: Probe, answer: Answer) -> Iterator[str]:
    """Everything that is wrong with an answer, in words."""
    if answer.status >= 500 and probe.route.name != UNREADY:
        yield f"answered {answer.status}: {answer.parts.get('log', '')[-_ALSO_SEEN:]}"
    if answer.broken:
        yield f"wrote a row that points into another tenant, or breaks another rule at its commit: {answer.broken}"
    for side in probe.actor.must_not_see:
        yield from _leaks(probe, answer, side)
        yield from foreign_writes(answer.written, side)
    yield from _wrong_door(probe, answer)


def _leaks(probe: Probe, answer: Answer, side: Side) -> Iterator[str]:
    asked = unquote(
        f"{probe.url} {probe.body.decode(errors='replace')} {' '.join(probe.names)} {probe.actor.knows}"
    ).lower()
    for part, whole in answer.parts.items():
        text = _TOKENS.sub("", whole)
        for canary in sorted(side.canaries.found_in(text)):
            if canary not in asked and (_digits(canary) not in _digits(asked) or len(_digits(canary)) < _NUMBER):
                where = text.lower().find(canary)
                yield f"LEAK: {canary} of tenant {side.letter} in its {part}: …{text[max(0, where - 80) : where + 80]}…"


def foreign_writes(written: Iterable[Write], side: Side) -> Iterator[str]:
    """The rows of a tenant that were written to."""
    owners = {str(side.tenant.id), *(str(user.id) for user in side.people.values())}
    for write in written:
        if write.owner in owners:
            yield f"FOREIGN WRITE: {write.act} of a row of tenant {side.letter} in {write.table}"


def _wrong_door(probe: Probe, answer: Answer) -> Iterator[str]:
    """The declared permission decides, exactly: who has it not is refused, and nothing is written."""
    if probe.about.startswith("malformed path") or (probe.route.door and probe.route.door.public):
        return
    if probe.route.door is None:
        if answer.status not in (302, 403, 404, 405) or _in_tenants(answer.written):
            yield f"{probe.route.pattern} declares no permission and answered {answer.status}"
        return
    refused = _refusal(probe, answer)
    if refused is None:
        # For others a row or a form may ask for more than the address does: a colleague's note, for instance.
        if answer.status == 403 and probe.actor.role == Role.OWNER:
            yield "refused, although an owner may do everything"
        return
    if not refused:
        yield f"let in without the declared permission (status {answer.status})"
    if _in_tenants(answer.written):
        yield f"refused, but it wrote: {answer.written}"


def _refusal(probe: Probe, answer: Answer) -> bool | None:
    """Whether somebody without the permission was turned away as they must be; None for whom the door is open."""
    if probe.actor.name == NOBODY:
        return answer.status == 401 or answer.location.startswith(resolve_url(settings.LOGIN_URL))
    if probe.actor.name == STRANGER:
        return answer.status in (401, 403, 404) or answer.location == resolve_url("tenant_switch")
    if not probe.route.door or probe.route.door.opens_for(probe.actor, probe.method):
        return None
    return answer.status == 403


def _in_tenants(written: Iterable[Write]) -> bool:
    return any(write.table not in _OF_ONESELF for write in written)


def judge_twins(foreign: Answer, nobodys: Answer, probes: tuple[Probe, Probe]) -> Iterator[str]:
    """Another tenant's row must be answered like one that exists nowhere: else the answer tells that it exists."""
    if foreign.status != nobodys.status:
        yield f"ORACLE: {foreign.status} for a foreign row, {nobodys.status} for one that exists nowhere"
        return
    ours, theirs = (_neutral(answer, probe) for answer, probe in zip((foreign, nobodys), probes, strict=True))
    if ours != theirs:
        at = next((n for n, (x, y) in enumerate(zip(ours, theirs, strict=False)) if x != y), 0)
        shown = (ours[max(0, at - 60) : at + 60], theirs[max(0, at - 60) : at + 60])
        yield f"ORACLE: a foreign row is answered otherwise than one that exists nowhere: …{shown[0]}… / …{shown[1]}…"


def _neutral(answer: Answer, probe: Probe) -> str:
    """The answer without what must differ: tokens, and the ids that the request itself named."""
    text = unquote(f"{answer.location}\n{answer.parts.get('body', '')}")
    for name in sorted(probe.names, key=len, reverse=True):
        text = text.replace(name, "<named>")
    return _VARIES.sub("<varies>", text)


def _digits(text: str) -> str:
    """A number that was typed in comes back in another spelling."""
    return re.sub(r"\D", "", text)


def body_text(content: bytes) -> str:
    """The text of a body; of a workbook or an archive that of all files in it."""
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return "\n".join(_file_text(archive.read(name)) + name for name in archive.namelist())
    return _file_text(content)


def _file_text(content: bytes) -> str:
    """The text of a file; of a PDF what it shows, without the ends of its lines, at which long words are cut."""
    if not content.startswith(b"%PDF-"):
        return content.decode(errors="replace")
    document = pypdfium2.PdfDocument(content)
    return "".join("".join(page.get_textpage().get_text_range().split("\r\n")) for page in document)
