"""Files with signs of a bought list, of tenants in trial: a platform admin looks at them before they are imported."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from contacts.importing import progress
from contacts.importing.review import none_waits_any_more
from contacts.models import ContactImport
from tenants.audit import record
from tenants.models import Tenant
from tenants.scope import current_tenant_id

__all__ = ["ask_for_review", "refuse_import", "release_import"]


def ask_for_review(*, job: ContactImport) -> None:
    """Whoever vouches for the people in a file asks the platform's admins to look at it."""
    if job.review_asked_at:
        raise ValidationError("We have been asked to look at this list already.")
    job.review_asked_at, job.review_refusal = timezone.now(), ""
    job.save(update_fields=["review_asked_at", "review_refusal"])
    Tenant.objects.filter(id=current_tenant_id(), import_review_asked_at=None).update(
        import_review_asked_at=timezone.now()
    )
    record("import.review_asked", target=job, after={"vouched_for": [each["sign"] for each in job.warnings]})


@transaction.atomic
def release_import(*, job: ContactImport) -> None:
    """The tenant may import this file; whoever imports it confirms that once more. For the platform's admins."""
    job = _waiting(job)
    job.released_at = timezone.now()
    job.save(update_fields=["released_at"])
    none_waits_any_more()
    record("import.released", target=job)


@transaction.atomic
def refuse_import(*, job: ContactImport, reason: str) -> None:
    """The file stays out; the tenant reads why, and may ask again. For the platform's admins."""
    job = _waiting(job)
    job.review_asked_at, job.review_refusal = None, reason.strip()
    job.save(update_fields=["review_asked_at", "review_refusal"])
    none_waits_any_more()
    record("import.refused", target=job)


def _waiting(job: ContactImport) -> ContactImport:
    job = progress.hold(job)
    if job.status != ContactImport.Status.CHECKED or not job.waits_for_review:
        raise ValidationError("This import does not wait for anybody.")
    return job
