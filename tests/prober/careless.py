"""An URL configuration with views as they must not be written; the prober has to find each of them.

Only the tests of the prober serve it.
"""

from uuid import UUID

from django.core.cache import cache
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path

from contacts.models import Contact, ContactList, ListMember
from smsplatform.urls import handler403, handler404, handler500
from smsplatform.urls import urlpatterns as product
from tenants.access import TenantRequest, tenant_view
from tenants.models import Tenant
from tenants.permissions import Permission

__all__ = ["forgot_the_tenant", "handler403", "handler404", "handler500", "urlpatterns"]

_FORM = '<form method="post"><input type="hidden" name="contact" value="{}"></form>'


def forgot_the_tenant(model: type[models.Model]) -> "models.QuerySet[models.Model]":
    return models.QuerySet(model)


def undeclared(request: HttpRequest) -> HttpResponse:
    """Says nowhere who may call it."""
    return HttpResponse("Anybody reads this.")


@tenant_view(Permission.VIEW)
def leaky(request: TenantRequest, contact_id: UUID) -> HttpResponse:
    """Shows a row of whichever tenant."""
    found = forgot_the_tenant(Contact).filter(id=contact_id).values_list("first_name", flat=True)
    return HttpResponse(" ".join(found))


@tenant_view(Permission.VIEW)
def telling(request: TenantRequest, contact_id: UUID) -> HttpResponse:
    """Shows nothing, but tells whether another tenant has the row."""
    if not forgot_the_tenant(Contact).filter(id=contact_id).exists():
        raise Http404
    return HttpResponse("It exists.")


@tenant_view(Permission.EDIT_CONTACTS)
def writing(request: TenantRequest, contact_id: UUID) -> HttpResponse:
    """Writes to a row of whichever tenant."""
    if request.method == "POST":
        forgot_the_tenant(Contact).filter(id=contact_id).update(language="en")
    return HttpResponse(_FORM.format(contact_id))


@tenant_view(Permission.EDIT_CONTACTS)
def pointing(request: TenantRequest) -> HttpResponse:
    """Takes an id from the form as it comes."""
    own = Contact.objects.order_by("id")[0]
    if request.method == "POST":
        new = ContactList.objects.create(name="New")
        ListMember.objects.create(contact_list=new, contact_id=UUID(request.POST["contact"]))
    return HttpResponse(_FORM.format(own.id))


@tenant_view(Permission.VIEW)
def remembering(request: TenantRequest) -> HttpResponse:
    """Keeps what one tenant saw and shows it to the next one."""
    return HttpResponse(cache.get_or_set("first-contact", lambda: Contact.objects.order_by("id")[0].first_name))


@tenant_view(Permission.VIEW)
def filtering(request: TenantRequest) -> HttpResponse:
    """Hands the address to the ORM, which follows it into other tables."""
    named = Tenant.objects.filter(**{f"{name}__startswith": value for name, value in request.GET.items()})
    return HttpResponse(" ".join(named.values_list("name", flat=True)))


@tenant_view(Permission.VIEW)
def naming(request: TenantRequest, contact_id: UUID) -> HttpResponse:
    """Names its file after a row of whichever tenant."""
    found = forgot_the_tenant(Contact).filter(id=contact_id).values_list("email", flat=True)
    return HttpResponse("", headers={"Content-Disposition": f'attachment; filename="{"".join(found)}.csv"'})


urlpatterns = [
    *product,
    path("careless/undeclared/", undeclared, name="undeclared"),
    path("careless/<uuid:contact_id>/leaky/", leaky, name="leaky"),
    path("careless/<uuid:contact_id>/telling/", telling, name="telling"),
    path("careless/<uuid:contact_id>/writing/", writing, name="writing"),
    path("careless/pointing/", pointing, name="pointing"),
    path("careless/remembering/", remembering, name="remembering"),
    path("careless/filtering/", filtering, name="filtering"),
    path("careless/<uuid:contact_id>/naming/", naming, name="naming"),
]
