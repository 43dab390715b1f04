import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_loading_the_product_starts_no_thread_and_opens_no_connection() -> None:
    """Or forked children would share the connection, and miss the thread."""
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import os\n"
            "from smsplatform.embedded import product\n"
            "product.preload()\n"
            "print(len(os.listdir('/proc/self/task')))\n"
            "for number in os.listdir('/proc/self/fd'):\n"
            "    try:\n"
            "        target = os.readlink(f'/proc/self/fd/{number}')\n"
            "    except OSError:\n"
            "        continue\n"
            "    if target.startswith('socket:') and int(number) > 2:\n"
            "        print(target)\n",
        ],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert loaded.returncode == 0, loaded.stderr
    assert loaded.stdout == "1\n"
