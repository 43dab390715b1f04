"""Each hostile input has tests that prove its answer, and they exist."""

import re
from pathlib import Path

import pytest

from tests.hostile_inputs import CASES


@pytest.mark.parametrize("case_id", CASES)
def test_each_case_is_proven(case_id: str) -> None:
    proofs = CASES[case_id]["proof"]
    assert proofs
    for proof in proofs:
        path, name = proof.split("::")
        assert re.search(rf"^def {name}\(", Path(path).read_text(encoding="utf-8"), re.MULTILINE), proof
