"""``manage.py seed_demo``: the demo tenants, once; prints the demo login."""

import json
import secrets
from typing import Any

from django.apps import apps
from django.db import transaction

from common.planner import refresh_statistics
from smsplatform.demo.seed import seed
from smsplatform.environment import home
from tenants.command_line import RecordedCommand
from tenants.owned import TenantOwned


class Command(RecordedCommand):
    help = "Make the demo tenants with contacts and history, unless they exist; prints the demo login."

    def handle(self, *args: Any, **options: Any) -> None:
        path = home() / "demo.json"
        login = json.loads(path.read_text()) if path.is_file() else {}
        password = login.get("password") or secrets.token_urlsafe(12)
        with transaction.atomic():
            owner = seed(password=password)
        refresh_statistics(*(model for model in apps.get_models() if issubclass(model, TenantOwned)))
        home().mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=True)
        path.write_text(json.dumps({"email": owner.email, "password": password}))
        self.stdout.write(f"demo login: {owner.email} / {password}")
