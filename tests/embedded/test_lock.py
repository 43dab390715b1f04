import os
import signal
from pathlib import Path

import pytest

from smsplatform.embedded.errors import EmbeddedError
from smsplatform.embedded.lock import lock


def test_a_second_start_names_the_first_process(home: Path) -> None:
    with lock(home), pytest.raises(EmbeddedError) as caught, lock(home):
        pass
    assert f"{home} is in use by process {os.getpid()}." in str(caught.value)
    assert "SMSPLATFORM_HOME=" in str(caught.value)


def test_the_folder_is_free_again_afterwards(home: Path) -> None:
    for _ in range(2):
        with lock(home):
            assert (home / "lock").read_text() == f"{os.getpid()}\n"


def test_a_start_waits_for_what_a_killed_supervisor_left(home: Path) -> None:
    """The supervisor is dead, but a child it forked still ends its work: no error, and no overlap."""
    done = home / "done"
    reading, writing = os.pipe()
    supervisor = os.fork()
    if supervisor == 0:
        try:
            with lock(home):
                if os.fork() == 0:
                    os.read(reading, 1)
                    done.touch()
                else:
                    os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(0)
    os.waitpid(supervisor, 0)
    assert not done.exists()
    os.write(writing, b"x")
    with lock(home):
        assert done.exists()


def test_somebody_elses_folder_is_refused_with_advice() -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    with pytest.raises(EmbeddedError, match="belongs to another user"), lock(Path("/")):
        pass
