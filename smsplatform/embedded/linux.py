"""The few Linux calls that Python does not offer. Each does nothing on other systems."""

import ctypes
import os
import signal
import sys

from smsplatform.embedded.errors import EmbeddedError

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36
CLONE_NEWUSER = 0x10000000

IS_LINUX = sys.platform == "linux"


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int | bytes) -> None:
    if IS_LINUX:
        argument = ctypes.c_char_p(value) if isinstance(value, bytes) else ctypes.c_ulong(value)
        _libc().prctl(option, argument, 0, 0, 0)


def die_with(parent: int, sent: signal.Signals) -> None:
    """Have the kernel send `sent` to this process when `parent`, its parent, ends in any way.

    A change of user or of user namespace clears this, so call it after those and before exec.
    """
    _prctl(PR_SET_PDEATHSIG, int(sent))
    if IS_LINUX and os.getppid() != parent:  # it ended before the kernel was asked
        os.kill(os.getpid(), signal.SIGKILL)


def stop_with_parent() -> None:
    """Be sent SIGTERM when the process that started us ends, even if it was killed."""
    _prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))


def parent_blocks_interrupts() -> bool:
    """Whether the parent has SIGINT blocked, as make has while it handles one and waits for us.

    When only make is sent SIGINT (not the whole group, as by Ctrl-C), it does not pass it on.
    """
    try:
        with open(f"/proc/{os.getppid()}/status", encoding="utf-8", errors="replace") as file:
            blocked = next(line.split()[1] for line in file if line.startswith("SigBlk:"))
    except (OSError, StopIteration):
        return False
    return bool(int(blocked, 16) & 1 << (signal.SIGINT - 1))


def adopt_orphans() -> None:
    """Become the parent of grandchildren whose own parent ends, so that they can be ended too."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def name_process(name: str) -> None:
    """Set the name that `ps -o comm`, `top` and `pgrep` show; the kernel keeps 15 bytes."""
    _prctl(PR_SET_NAME, name.encode()[:15])


def show_command(*arguments: str) -> None:
    """Let `ps` and `pgrep -f` show these arguments for a child that was forked without exec.

    They go where the kernel reads them, over the arguments of the parent, as far as those reach.
    """
    if not IS_LINUX:
        return
    with open("/proc/self/stat", encoding="utf-8", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    begin, end = int(fields[45]), int(fields[46])  # arg_start and arg_end, 48 and 49 in proc(5)
    room = end - begin
    if begin and room > 1:
        text = "\0".join(arguments).encode()[: room - 1]
        ctypes.memmove(begin, text.ljust(room, b"\0"), room)


def enter_user_namespace(uid: int, gid: int) -> None:
    """Appear to ourselves as `uid`/`gid` while the file system keeps seeing who we are now.

    Raises EmbeddedError where the system does not allow it (seccomp, sysctl, no CAP_SETFCAP).
    """
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    if not IS_LINUX or _libc().unshare(CLONE_NEWUSER) != 0:
        raise EmbeddedError("User namespaces are not available here.")
    try:
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{uid} {outer_uid} 1")
        _write("/proc/self/gid_map", f"{gid} {outer_gid} 1")
    except OSError as error:
        raise EmbeddedError("User namespaces are not available here.") from error


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
