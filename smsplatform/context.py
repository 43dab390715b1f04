from django.http import HttpRequest


def dashboard(request: HttpRequest) -> dict[str, object]:
    return {}
