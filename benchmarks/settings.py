"""The product's settings with the naive baseline beside it."""

from smsplatform.settings import *  # noqa: F403
from smsplatform.settings import INSTALLED_APPS as _APPS

INSTALLED_APPS = [*_APPS, "benchmarks.naive.apps.NaiveConfig"]
