import sys
from pathlib import Path

from smsplatform.embedded.processes import Program
from smsplatform.embedded.service import LONGEST_PAUSE_SECONDS, Service


def crash() -> None:
    sys.stdout.write("out of paper\n")
    sys.exit(3)


def died(service: Service) -> str:
    assert service.process is not None
    assert service.process.wait(20)
    news = service.tend()
    assert news is not None
    return news


def test_a_death_is_told_with_its_last_words(tmp_path: Path) -> None:
    service = Service(Program(name="printer", run=crash), tmp_path)
    service.start()
    news = died(service)
    assert "printer ended with code 3." in news
    assert "out of paper" in news
    assert str(tmp_path / "printer.log") in news
    assert "started again in 1 s" in news


def test_it_is_restarted_after_the_pause_and_not_before(tmp_path: Path) -> None:
    service = Service(Program(name="printer", run=crash), tmp_path)
    service.start()
    died(service)
    assert service.tend() is None
    assert service.process is None
    service.restart_at = 0
    assert service.tend() is None
    assert died(service)


def test_the_pause_grows_to_a_limit_and_starts_over_after_a_steady_run(tmp_path: Path) -> None:
    service = Service(Program(name="printer", run=crash), tmp_path)
    pauses = []
    for _ in range(7):
        service.start()
        died(service)
        pauses.append(service.pause)
    assert pauses == [2, 4, 8, 16, 30, 30, 30]
    assert pauses[-1] == LONGEST_PAUSE_SECONDS
    service.start()
    assert service.process is not None
    service.process.started -= 61
    assert "started again in 1 s" in died(service)
