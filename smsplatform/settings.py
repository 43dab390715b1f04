"""Settings, all from the environment (see ``.env.example``); nothing here depends on where the product runs."""

import secrets
from datetime import date
from typing import Any, Final
from urllib.parse import urlsplit

import django_stubs_ext
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from common.lanes import LANES
from smsplatform.environment import BASE_DIR, home, load
from smsplatform.queues import ROUTES

django_stubs_ext.monkeypatch()
env = load()

# --- Where we are -------------------------------------------------------------------------------------------------

PUBLIC_BASE_URL: Final[str] = env.str("PUBLIC_BASE_URL", default="http://127.0.0.1:8000").rstrip("/")
_HTTPS: Final = PUBLIC_BASE_URL.startswith("https://")
ALLOWED_HOSTS: list[str] = env.list(
    "ALLOWED_HOSTS", default=[urlsplit(PUBLIC_BASE_URL).hostname, "127.0.0.1", "localhost"]
)
CSRF_TRUSTED_ORIGINS = [PUBLIC_BASE_URL]
DEBUG: bool = env.bool("DEBUG", default=False)

SECRET_KEY: str = env.str("SECRET_KEY", default="")
SECRET_KEY_IS_EPHEMERAL = not SECRET_KEY
if SECRET_KEY_IS_EPHEMERAL:
    # Enough for commands and pure functions; `check --deploy` refuses it and sessions end with the process.
    SECRET_KEY = secrets.token_urlsafe(50)
FIELD_ENCRYPTION_KEYS: list[str] = env.list("FIELD_ENCRYPTION_KEYS", default=[])
LEDGER_SIGNING_KEY: str = env.str("LEDGER_SIGNING_KEY", default="")
LEDGER_PUBLIC_KEYS: list[str] = env.list("LEDGER_PUBLIC_KEYS", default=[])
"""Of the keys that signed before this one."""

SIMULATOR_ENABLED: bool = env.bool("SIMULATOR_ENABLED", default=False)
SIMULATOR_URL: str = env.str("SIMULATOR_URL", default="http://127.0.0.1:8009").rstrip("/")
SIMULATOR_SECRET: str = env.str("SIMULATOR_SECRET", default="")
TWILIO_API_BASE_URL: str = env.str("TWILIO_API_BASE_URL", default="https://api.twilio.com").rstrip("/")
TWILIO_PARENT_ACCOUNT_SID: str = env.str("TWILIO_PARENT_ACCOUNT_SID", default="")
TWILIO_PARENT_AUTH_TOKEN: str = env.str("TWILIO_PARENT_AUTH_TOKEN", default="")
TENANT_BATCHES_AT_ONCE: int = env.int("TENANT_BATCHES_AT_ONCE", default=0)
"""So many batches of one tenant and lane are handed over at once at most; 0: as many as there are workers."""
TELNYX_API_BASE_URL: str = env.str("TELNYX_API_BASE_URL", default="https://api.telnyx.com").rstrip("/")

# --- The parts ----------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "smsplatform.apps.PlatformConfig",
    "analytics.apps.AnalyticsConfig",
    "campaigns.apps.CampaignsConfig",
    "support.apps.SupportConfig",
    "messaging.apps.MessagingConfig",
    "contacts.apps.ContactsConfig",
    "consent.apps.ConsentConfig",
    "tenants.apps.TenantsConfig",
    "common.apps.CommonConfig",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "lucide",
    "csp",
    "smsplatform.apps.PlatformAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "smsplatform.middleware.HealthFirst",
    "django.middleware.security.SecurityMiddleware",
    "smsplatform.middleware.CallbacksShort",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "smsplatform.middleware.SeenSessions",
    # Nothing above reads a body; the check of a form's token, which does, runs after all of this list.
    "smsplatform.middleware.BoundedBodies",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "smsplatform.middleware.PrivateResponses",
    "smsplatform.middleware.PagesForForms",
]

ROOT_URLCONF = "smsplatform.urls"
WSGI_APPLICATION = "smsplatform.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "smsplatform.context.dashboard",
            ],
        },
    }
]

# Ordered: the first handler that claims an inbound text wins; the last one takes whatever is left.
INBOUND_HANDLERS = [
    "messaging.own_numbers.take_confirmation",
    "campaigns.inbound.note_answer",
    "support.inbound.take_reply",
]

# Each names what still uses a filter of contacts, which then cannot be deleted (contacts.services.filters).
FILTER_USES = ["campaigns.recipients.campaigns_using"]

# Takes in a text from a person that was found on a provider's record.
INBOUND_TAKER = "messaging.services.receiving.receive"

# Each erases its app's data of people who are erased (contacts.erasure).
ERASURE_HANDLERS = ["support.erasure.erase_conversations", "messaging.erasure.erase_texts"]

# Upwards by name only: what a mail of a kind says about its row, and its "attachments"; None when
# there is nothing left to say.
MAIL_CONTEXTS = {"checkpoint": "consent.checkpoint_mail.mail_context"}

# Upwards by name only: which of some numbers the tenant has otherwise than as evidence (consent.retention).
NUMBERS_IN_USE = "contacts.numbers_in_use.numbers_in_use"

# The day from which a STOP to one kind of text ends all kinds by US law (47 CFR 64.1200(a)(10); FCC DA 26-12).
REVOKE_ALL_FROM = date.fromisoformat(env.str("REVOKE_ALL_FROM", default="2027-01-31"))

# Upwards by name only: an opt-out waits for the calls to its number (consent.revocation_lock).
CALLS_UNDER_WAY = "messaging.pipeline.under_way.any_to"

# Upwards by name only: which numbers a member who sees only assigned conversations may see.
ASSIGNED_NUMBERS = "support.assignment.assigned_numbers"

# Each re-points its app's rows when two contacts become one (contacts.merging).
MERGE_HANDLERS = [
    "campaigns.merging.move_recipients",
    "support.merging.move_conversations",
    "messaging.merging.move_messages",
]

# --- Data ---------------------------------------------------------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db("DATABASE_URL", default=f"postgresql://app@/app?host={home()}/run")
}
DATABASES["default"].update(
    ENGINE="tenants.postgres",
    CONN_MAX_AGE=600,
    CONN_HEALTH_CHECKS=True,
    DISABLE_SERVER_SIDE_CURSORS=True,
)
_options: dict[str, Any] = DATABASES["default"].setdefault("OPTIONS", {})
_options["options"] = (
    "-c statement_timeout=30s -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s -c timezone=UTC"
)
# A server that vanished without a word (host gone, firewall restarted) is noticed within these seconds, not after hours.
_options.update(
    connect_timeout=5, keepalives_idle=10, keepalives_interval=5, keepalives_count=3, tcp_user_timeout=20_000
)
_runtime_role: str = env.str("DATABASE_RUNTIME_ROLE", default="app_rw")
if _runtime_role:
    _options["assume_role"] = _runtime_role
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL: str = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
CACHES = {
    "default": {
        "BACKEND": "common.cache.TolerantCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "smsplatform",
        "OPTIONS": {
            "socket_connect_timeout": 1,
            "socket_timeout": 1,
            # A connection from before a restart is made anew; for one that does not answer nobody waits twice.
            "retry": Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        },
    }
}

# --- Work in the background ---------------------------------------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "background"
CELERY_TASK_ROUTES = ROUTES
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_QUEUES = {lane: {"exchange": lane, "routing_key": lane} for lane in LANES}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 600
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_connect_timeout": 2,
    "socket_timeout": 5,
    "socket_keepalive": True,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# For ever: meanwhile a worker finds its work in the database.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_SEND_TASK_EVENTS = False
# Celery would end the database connection after each task. A new one costs more than handing over a code: it is kept, and
# looked at before each task (common.hints).
CELERY_DB_REUSE_MAX = 1_000_000
CELERY_ENABLE_UTC = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "smsplatform.schedule:Ticker"

# --- Signing in ---------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "tenants.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_ADAPTER = "tenants.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
SIGNUP_OPEN: bool = env.bool("SIGNUP_OPEN", default=True)
"""Whether anybody may make an account and a tenant of their own, which begins in trial."""
ACCOUNT_SIGNUP_REDIRECT_URL = "tenant_new"
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
# The session in which it is changed goes on; all others end (tenants.accounts).
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
# Nobody works under an address that they have not shown to be theirs: a code is mailed to it.
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_RATE_LIMITS = {"confirm_email": "5/10m/key"}
ACCOUNT_PREVENT_ENUMERATION = True
# The answer is the same for an address with and without an account, and only the one with an account gets mail.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = True

ACCOUNT_EMAIL_NOTIFICATIONS = True

MFA_ADAPTER = "tenants.second_step.SecondStepAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# A code of half a minute ago or ahead is taken too: clocks differ. tenants.services.spend_code takes each once.
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_FORMS = {
    "authenticate": "tenants.second_step_forms.CodeForm",
    "authenticate_webauthn": "tenants.second_step_forms.PasskeyForm",
    "reauthenticate": "tenants.second_step_forms.ConfirmByCodeForm",
    "reauthenticate_webauthn": "tenants.second_step_forms.ConfirmByPasskeyForm",
    "login_webauthn": "tenants.second_step_forms.LoginByPasskeyForm",
    "activate_totp": "tenants.second_step_forms.AppForm",
    "add_webauthn": "tenants.second_step_forms.AddPasskeyForm",
    "edit_webauthn": "tenants.second_step_forms.RenamePasskeyForm",
}

SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_NAME = "__Host-session" if _HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if _HTTPS else "csrf"
CSRF_FAILURE_VIEW = "smsplatform.errors.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# Without a mail server the mails are files in the data folder, where the demo's password links can be read.
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = str(home() / "mail")
EMAIL_TIMEOUT = 10
vars().update(env.email("EMAIL_URL") if env.str("EMAIL_URL", default="") else {})
DEFAULT_FROM_EMAIL: str = env.str("DEFAULT_FROM_EMAIL", default="no-reply@localhost")

# --- Security headers ---------------------------------------------------------------------------------------------

SECURE_SSL_REDIRECT: bool = env.bool("SECURE_SSL_REDIRECT", default=_HTTPS)
BEHIND_TLS_PROXY: bool = env.bool("BEHIND_TLS_PROXY", default=_HTTPS)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS_PROXY else None
TRUSTED_PROXY_COUNT: int = env.int("TRUSTED_PROXY_COUNT", default=1 if BEHIND_TLS_PROXY else 0)
"""So many proxies of our own append to ``X-Forwarded-For``; see ``common.client_address``."""
SECURE_HSTS_SECONDS = 63_072_000 if _HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
"""Bodies over this are refused with 413 before they are read, except an import file of somebody signed in."""
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_500_000

IMPORT_MAX_BYTES = env.int("IMPORT_MAX_BYTES", default=200 * 1024 * 1024)
IMPORT_MAX_ROWS = env.int("IMPORT_MAX_ROWS", default=2_000_000)
IMPORT_TRIAL_ROWS = env.int("IMPORT_TRIAL_ROWS", default=100_000)
"""The most rows of a file of a tenant in trial; a platform admin can set another bound for a tenant."""
IMPORT_MAX_UNFINISHED = env.int("IMPORT_MAX_UNFINISHED", default=20)
"""Files of one tenant that are uploaded, being checked or imported, at the same time."""
IMPORT_KEPT_DAYS = env.int("IMPORT_KEPT_DAYS", default=90)
"""How long an import's file and rows are kept; what it did, and the consent it recorded, stay."""

# --- Language, time, files ----------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-us"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATIC_ROOT = env.path("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")).__str__()
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if env.bool("STATIC_MANIFEST", default=False)
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
# One machine serves the files straight from their sources; a release image runs collectstatic with STATIC_MANIFEST.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not env.bool("STATIC_MANIFEST", default=False)

# --- Logs ---------------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "common.log_redaction.RedactingFormatter",
            "format": "{asctime} {levelname} {name} {message}",
            "style": "{",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "twilio": {"level": "WARNING"},
        # Granian sets up its loggers itself; these entries put ours in their place.
        "_granian": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "granian.access": {"handlers": ["console"], "level": "INFO", "propagate": False},
        # A line for each tick and hint would bury what matters.
        "celery.beat": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
    },
}
