"""A small API with its schema, as a test of the prober: one door that holds and one that does not."""

import json
from contextlib import suppress
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.urls import path

from contacts.models import Contact
from smsplatform.urls import handler403, handler404, handler500
from smsplatform.urls import urlpatterns as product
from tenants.access import TenantRequest, public_view, tenant_view
from tenants.permissions import Permission
from tests.prober.careless import forgot_the_tenant

__all__ = ["SCHEMA", "handler403", "handler404", "handler500", "urlpatterns"]

_IDS = {"type": "array", "items": {"type": "string", "format": "uuid"}}
_BULK = {
    "post": {
        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Bulk"}}}},
        "responses": {"200": {"description": "Which were deleted, and which were not found."}},
    }
}
SCHEMA = {
    "openapi": "3.1.0",
    "components": {"schemas": {"Bulk": {"type": "object", "properties": {"contact_ids": _IDS}}}},
    "paths": {
        "/api/v1/contacts/": {"get": {"parameters": [{"name": "after", "in": "query", "schema": {"type": "string"}}]}},
        "/api/v1/contacts/{contact_id}/": {"get": {}},
        "/api/v1/contacts/bulk-delete/": _BULK,
        "/api/v1/contacts/bulk-change/": _BULK,
    },
}


@public_view("the schema is no secret")
def schema(request: TenantRequest) -> HttpResponse:
    """The schema of this API."""
    return JsonResponse(SCHEMA)


@tenant_view(Permission.VIEW)
def contacts(request: TenantRequest) -> HttpResponse:
    """All contacts behind ``after``."""
    rows = Contact.objects.order_by("id")
    with suppress(ValueError):
        rows = rows.filter(id__gt=UUID(request.GET.get("after", "")))
    return JsonResponse({"results": [str(one) for one in rows.values_list("id", flat=True)]})


@tenant_view(Permission.VIEW)
def contact(request: TenantRequest, contact_id: UUID) -> HttpResponse:
    """One contact."""
    found = Contact.objects.filter(id=contact_id).first()
    return JsonResponse({"name": found.first_name} if found else {"detail": "Not found."}, status=200 if found else 404)


@tenant_view(Permission.EDIT_CONTACTS)
def bulk_change(request: TenantRequest) -> HttpResponse:
    """Acts on the own ones; the others are not found, whether they exist or not."""
    ids = _ids(request)
    found = [str(one) for one in Contact.objects.filter(id__in=ids).values_list("id", flat=True)]
    Contact.objects.filter(id__in=found).update(language="en")
    return JsonResponse({"changed": found, "not_found": sorted(set(ids) - set(found))})


@tenant_view(Permission.EDIT_CONTACTS)
def bulk_delete(request: TenantRequest) -> HttpResponse:
    """Forgot the tenant."""
    found = forgot_the_tenant(Contact).filter(id__in=_ids(request))
    return JsonResponse({"changed": found.update(language="en")})


def _ids(request: TenantRequest) -> list[str]:
    try:
        return [str(UUID(one)) for one in json.loads(request.body)["contact_ids"]]
    except (KeyError, TypeError, ValueError):
        return []


urlpatterns = [
    *product,
    path("api/schema/", schema, name="schema"),
    path("api/v1/contacts/", contacts, name="api_contacts"),
    path("api/v1/contacts/bulk-delete/", bulk_delete, name="api_bulk_delete"),
    path("api/v1/contacts/bulk-change/", bulk_change, name="api_bulk_change"),
    path("api/v1/contacts/<uuid:contact_id>/", contact, name="api_contact"),
]
