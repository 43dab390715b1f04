#!/bin/sh
# Runs once, when the database is made: the login that the product works as. The first migration grants it its rights.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set password="$RUNTIME_PASSWORD" <<'SQL'
CREATE ROLE app_rw LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'password';
SQL
