"""Where a person is signed in, and ending it."""

from datetime import timedelta
from typing import Final

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.utils.timezone import now

from tenants.models import User, UserSession

__all__ = ["SEEN_EVERY", "end_session", "end_sessions", "note_seen", "sessions_of"]

SEEN_EVERY: Final = timedelta(minutes=5)
"""Between two notes that a session is in use; a request in between writes nothing."""
_USER_AGENT_LENGTH: Final = 300


def note_seen(*, user: User, session_key: str, address: str, user_agent: str) -> None:
    """The session is in use: at most one write in ``SEEN_EVERY``, also when the cache is away."""
    if not cache.add(f"session-seen:{session_key}", 1, timeout=SEEN_EVERY.total_seconds()):
        return
    seen = {"last_seen_at": now(), "address": address or None, "user_agent": _storable(user_agent)}
    known = UserSession.objects.filter(session_id=session_key, user=user)
    if known.filter(last_seen_at__lt=now() - SEEN_EVERY).update(**seen) or known.exists():
        return
    try:
        with transaction.atomic():
            # The same browser may have been somebody else's a moment ago.
            UserSession.objects.filter(session_id=session_key).delete()
            UserSession.objects.create(session_id=session_key, user=user, **seen)
    except IntegrityError:
        # The session ended, or another request noted it, in this moment.
        return


def _storable(user_agent: str) -> str:
    return user_agent.replace("\0", "")[:_USER_AGENT_LENGTH]


def sessions_of(user: User) -> list[UserSession]:
    """Where the user is signed in now, the one used last first."""
    rows = UserSession.objects.filter(user=user, session__expire_date__gt=now()).select_related("session")
    stamp = user.get_session_auth_hash()
    # A session from before another password is still stored, but signs nobody in.
    valid = [row for row in rows if row.session.get_decoded().get(HASH_SESSION_KEY) == stamp]
    return sorted(valid, key=lambda row: row.last_seen_at, reverse=True)


@transaction.atomic
def end_sessions(*, user: User, except_session: str | None = None) -> int:
    """Sign a person out everywhere, or everywhere but in one session; how many sessions ended.

    Called whenever what a session was given for has changed: password, second step, e-mail address, role. Half-done
    sign-ins end as well: what was proven before this moment does not count any more.
    """
    User.objects.filter(id=user.id).update(signed_out_at=now())
    others = Session.objects.filter(signed_in__user=user)
    if except_session:
        others = others.exclude(session_key=except_session)
    _, rows = others.delete()
    return rows.get(Session._meta.label, 0)


@transaction.atomic
def end_session(*, session: UserSession) -> None:
    """Sign a person out in one place."""
    Session.objects.filter(session_key=session.session_id).delete()
