"""Choosing the columns of the list of contacts."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from common.form_pages import form_of
from contacts.services import choose_columns
from tenants.access import TenantRequest, tenant_view
from tenants.permissions import Permission

__all__ = ["contact_columns"]

_QUERY_LENGTH = 4_000


@tenant_view(Permission.VIEW, restricted_too=True)
@form_of("contacts")
def contact_columns(request: TenantRequest) -> HttpResponse:
    """Keep what the member chose; ``query`` is what the list was filtered by, to which they come back."""
    try:
        choose_columns(membership=request.membership, columns=request.POST.getlist("column"))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    query = QueryDict(request.POST.get("query", "")[:_QUERY_LENGTH]).urlencode()
    return HttpResponseRedirect(reverse("contacts") + (f"?{query}" if query else ""))
