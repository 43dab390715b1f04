"""Imported once by the fork server: the product, loaded but connected to nothing."""

from smsplatform.embedded.product import preload

preload()

import tests.faults.children  # noqa: E402, F401 - it needs Django's settings
