"""Who PostgreSQL runs as. It refuses to run as root, so root needs somebody else to be.

1. Not root: ourselves.
2. Root: a user namespace, in which we look like another user while the file system still sees root;
   this works below folders that only root may enter.
3. Where namespaces are refused: the system's `postgres` or `nobody`, who are given the data folder.
"""

import os
import pwd
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from smsplatform.embedded.errors import EmbeddedError
from smsplatform.embedded.linux import enter_user_namespace

OTHER_USERS = ("postgres", "nobody")


@dataclass(frozen=True)
class Identity:
    """`uid`/`gid` own the files as seen from outside; `become` is called in the child."""

    uid: int
    gid: int
    become: Callable[[], None] | None = None

    def give(self, folder: Path) -> None:
        """Make `folder` and what is in it belong to this identity; only root can and need do it."""
        if os.geteuid() != 0 or folder.stat().st_uid == self.uid:
            return
        for parent, folders, files in os.walk(folder):
            for name in (".", *folders, *files):
                os.chown(Path(parent, name), self.uid, self.gid, follow_symlinks=False)


def choose(*, home: Path, program: Path) -> Identity:
    """The identity that can run `program` on folders below `home`.

    Raises EmbeddedError when root finds nobody else to be.
    """
    if os.geteuid() != 0:
        return Identity(os.geteuid(), os.getegid())
    known = [user for user in map(_account, OTHER_USERS) if user is not None]
    for user in reversed(known):  # nobody first: the name only shows inside the namespace
        become = _namespace_of(user)
        if _works(become, home, program):
            return Identity(0, os.getegid(), become)
    mode = stat.S_IMODE(home.stat().st_mode)
    home.chmod(mode | 0o011)  # the way through; what the folder holds stays closed to others
    for user in known:
        become = _login_of(user)
        if _works(become, home, program):
            return Identity(user.pw_uid, user.pw_gid, become)
    home.chmod(mode)
    raise EmbeddedError(
        "PostgreSQL does not run as root, this system refuses user namespaces, and the users "
        f"{' and '.join(OTHER_USERS)} cannot reach {home} and {program}. Choose a data folder they "
        "can reach (SMSPLATFORM_HOME=/var/lib/smsplatform), start as a normal user, or give "
        "DATABASE_URL."
    )


def _account(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _namespace_of(user: pwd.struct_passwd) -> Callable[[], None]:
    return lambda: enter_user_namespace(user.pw_uid, user.pw_gid)


def _login_of(user: pwd.struct_passwd) -> Callable[[], None]:
    def become() -> None:
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)

    return become


def _works(become: Callable[[], None], home: Path, program: Path) -> bool:
    """Whether a child that became somebody else reaches both paths, tried for real."""
    pid = os.fork()
    if pid == 0:
        reached = False
        try:
            become()
            reached = os.access(home, os.X_OK) and os.access(program, os.X_OK)
        except (EmbeddedError, OSError):
            reached = False
        finally:
            os._exit(0 if reached else 1)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) == 0
