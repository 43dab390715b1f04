"""PostgreSQL stops as by a power cut while a batch is with the provider."""

import time

import pytest

from tests.faults.children import Setup, child, until, work
from tests.faults.database import own_server
from tests.faults.test_processes import at_the_first_text
from tests.faults.world import World, numbers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

PEOPLE = numbers(8)
PATIENCE = 3.0


@pytest.mark.fault("F08")
@pytest.mark.counterproof("F08")
@pytest.mark.parametrize("insisting", [True, False])
def test_the_answers_of_a_batch_in_flight_are_written_down_when_it_is_back(clinic: World, insisting: bool) -> None:
    """No sweep and no question to the provider: the worker that has the answers writes them. One that does not insist
    (counter-proof) leaves texts that were taken in doubt."""
    constants = {} if insisting else {"messaging.pipeline.dispatch.RECORD_SECONDS": 0.0}
    with own_server() as server, child(work, Setup(constants=constants)):
        done = at_the_first_text(clinic, server.power_cut)
        clinic.queue(PEOPLE)
        until(lambda: done and set(clinic.provider.created) == set(PEOPLE))
        server.start()
        if insisting:
            until(lambda: clinic.outcomes() == {("accepted", ""): len(PEOPLE)})
        else:
            deadline = time.monotonic() + PATIENCE
            until(lambda: time.monotonic() > deadline)
            assert clinic.outcomes() == {("submitting", ""): len(PEOPLE)}
        assert clinic.taken() == dict.fromkeys(PEOPLE, 1)
