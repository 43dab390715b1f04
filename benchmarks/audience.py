"""A tenant that texts over the fake provider, and people who agreed to its offers, made set-based."""

from typing import Any, Final

__all__ = ["company_with_audience", "launch_campaign"]

AT_ONCE: Final = 100_000

_PEOPLE: Final = """
WITH people AS (
    SELECT gen_random_uuid() AS record, n, '+1' || (2020000000 + n)::text AS number
    FROM generate_series(%(begin)s, %(end)s - 1) n
), contacts AS (
    INSERT INTO contacts_contact (id, tenant_id, number, first_name, last_name, first_key, last_key, email, language,
                                  timezone, fields, created_at, updated_at)
    SELECT (lpad(to_hex(1760000000000 + n), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8'
            || substr(md5(n::text), 1, 15))::uuid,
           %(tenant)s, number, 'Ann', 'Bee', 'ann', 'bee', '', '', '', '{{}}', now(), now()
    FROM people
), records AS (
    {records}
)
INSERT INTO consent_consentstate (tenant_id, number, purpose, act, since, record_id)
SELECT %(tenant)s, number, 'marketing', 'opt_in', now(), record FROM people
"""


_AGREED: Final = """
SELECT record AS id, number, 'marketing' AS purpose, 'opt_in' AS act, 'web_form' AS source, '' AS wording,
       '{}'::jsonb AS evidence, NULL::uuid AS actor_id, now() AS occurred_at FROM people
"""


def company_with_audience(people: int) -> Any:
    """The named cast's company (``tests.cast``) with an account at the fake provider and so many opted-in contacts."""
    from django.db import connection
    from django.utils import timezone

    from common.planner import refresh_statistics
    from consent.appending import chained_sql
    from consent.models import ConsentRecord, ConsentState
    from contacts.models import Contact
    from messaging.models import Sender
    from messaging.services import add_provider_account, add_sender
    from tenants.scope import tenant_scope
    from tests.cast import make_company

    company = make_company("Bench", "bench@bench.example", "+12025550190")
    with tenant_scope(company.tenant.id):
        secrets = {"account_sid": "AC" + "a" * 32, "auth_token": "t" * 32}
        account = add_provider_account(kind="twilio", name="Twilio", credentials=secrets)
        sender = add_sender(tenant=company.tenant, account=account, value="+12025550180", kind="long_code")
        # What is measured is the platform, and not what a carrier allows.
        Sender.objects.filter(id=sender.id).update(parts_per_second=100_000)
    for begin in range(0, people, AT_ONCE):
        with tenant_scope(company.tenant.id), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '600s'")
            end = min(begin + AT_ONCE, people)
            values = {"tenant": company.tenant.id, "begin": begin, "end": end, "now": timezone.now()}
            cursor.execute(_PEOPLE.format(records=chained_sql(_AGREED)), values)
    refresh_statistics(Contact, ConsentRecord, ConsentState)
    return company


def launch_campaign(company: Any) -> Any:
    """Launch a campaign to everybody; returns its id. Planning is left to the workers, or to ``plan_campaign``."""
    from campaigns.models import Campaign
    from campaigns.services import choose_audience, launch, save_draft
    from messaging.models import Sender
    from tenants.scope import tenant_scope

    with tenant_scope(company.tenant.id):
        sender = Sender.objects.get(provider_account__kind="twilio")
        campaign = Campaign(
            name="Bench", body="Bench: hi {{ first_name | there }}, our sale starts today", sender=sender
        )
        save_draft(campaign=campaign, known_tags={"first_name"})
        choose_audience(campaign=campaign, lists=[], tags=[], everyone=True)
        launch(campaign=campaign)
    return campaign.id
