# One image for every process of the product; the command decides which one it is (see docker-compose.yml).

FROM node:22-bookworm-slim AS assets
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY assets assets
RUN npm run build

FROM python:3.11-slim-bookworm AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.lock ./
RUN python -m venv /opt/venv && /opt/venv/bin/pip install --require-hashes -r requirements.lock

FROM python:3.11-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=smsplatform.settings \
    STATIC_MANIFEST=true \
    STATIC_ROOT=/srv/static
RUN useradd --system --uid 10001 --home-dir /srv --shell /usr/sbin/nologin smsplatform \
    && mkdir -p /srv/static && chown smsplatform /srv/static
COPY --from=packages /opt/venv /opt/venv
WORKDIR /srv/app
COPY manage.py ./
COPY smsplatform smsplatform
COPY analytics analytics
COPY campaigns campaigns
COPY support support
COPY messaging messaging
COPY contacts contacts
COPY consent consent
COPY tenants tenants
COPY common common
COPY templates templates
COPY static static
COPY --from=assets /build/static/build static/build
RUN SECRET_KEY=only-to-collect-files python manage.py collectstatic --no-input --verbosity 0
USER smsplatform
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--blocking-threads", "16", "smsplatform.wsgi:application"]
