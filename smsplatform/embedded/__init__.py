"""Runs the whole product on one machine, without Docker: real PostgreSQL and Valkey as children.

For a laptop, a demonstration and the tests; production gives `DATABASE_URL` and `REDIS_URL` and
starts the same processes under its own service manager. Linux is what this is built for: on other
systems everything but the clean-up after a `kill -9` of the supervisor works the same.
"""
