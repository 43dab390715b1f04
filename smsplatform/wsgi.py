"""The WSGI entry point."""

import os
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smsplatform.settings")
_django = get_wsgi_application()

_NAMED_UTF_8: Final = re.compile(r";\s*charset\s*=\s*(\"?)utf-8\1\s*(?=;|$)", re.IGNORECASE)


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """The product, for requests in UTF-8.

    Django decodes forms and queries by whatever codec the content type names, while it makes the request: some are no
    text encodings and fail before any middleware runs, some make characters that no page can show. A charset that is
    the usual one is left out, because naming it makes Django read the query there and then.
    """
    environ["CONTENT_TYPE"] = _NAMED_UTF_8.sub("", environ.get("CONTENT_TYPE", ""))
    if not _names_no_charset(environ["CONTENT_TYPE"]):
        start_response("415 Unsupported Media Type", [("Content-Type", "text/plain; charset=utf-8")])
        return [b"Only UTF-8 can be read here."]
    return _django(environ, start_response)


def _names_no_charset(content_type: str) -> bool:
    # The star marks parameters in the encoded form of RFC 2231, over which the parser can fail; no browser writes it.
    return "*" not in content_type and "charset" not in parse_header_parameters(content_type)[1]
