"""The variables of an application with every integration, as the extension's page names them, one by one."""

from __future__ import annotations

PARTS = ("SCHEME", "NETLOC", "PATH", "PARAMS", "QUERY", "FRAGMENT", "HOSTNAME", "PORT")
DATABASE = (*PARTS, "USERNAME", "PASSWORD", "NAME")
VARIABLES = (
    "POSTGRESQL_DB_CONNECT_STRING",
    *(f"POSTGRESQL_DB_{part}" for part in DATABASE),
    "MYSQL_DB_CONNECT_STRING",
    *(f"MYSQL_DB_{part}" for part in DATABASE),
    "MONGODB_DB_CONNECT_STRING",
    *(f"MONGODB_DB_{part}" for part in DATABASE),
    "REDIS_DB_CONNECT_STRING",
    *(f"REDIS_DB_{part}" for part in PARTS),
    "SAML_ENTITY_ID",
    "SAML_METADATA_URL",
    "SAML_SINGLE_SIGN_ON_REDIRECT_URL",
    "SAML_SIGNING_CERTIFICATE",
    "S3_ACCESS_KEY",
    "S3_SECRET_KEY",
    "S3_BUCKET",
    "S3_REGION",
    "S3_STORAGE_CLASS",
    "S3_ENDPOINT",
    "S3_PATH",
    "S3_API_VERSION",
    "S3_URI_STYLE",
    "S3_ADDRESSING_STYLE",
    "S3_ATTRIBUTES",
    "RABBITMQ_CONNECT_STRING",
    "RABBITMQ_SCHEME",
    "RABBITMQ_NETLOC",
    "RABBITMQ_PATH",
    "RABBITMQ_PARAMS",
    "RABBITMQ_QUERY",
    "RABBITMQ_FRAGMENT",
    "RABBITMQ_USERNAME",
    "RABBITMQ_PASSWORD",
    "RABBITMQ_HOSTNAME",
    "RABBITMQ_PORT",
    "RABBITMQ_VHOST",
    "DJANGO_BASE_URL",
    "DJANGO_ALLOWED_HOSTS",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    # a user's own option
    "DJANGO_OUTSIDE",
    # and what the page does not name, but its integrations have
    "SMTP_HOST",
    "SMTP_PORT",
    "SMTP_USER",
    "SMTP_PASSWORD",
    "SMTP_AUTH_TYPE",
    "FGA_STORE_ID",
    "FGA_TOKEN",
    "FGA_HTTP_API_URL",
    "FGA_GRPC_API_URL",
    "DJANGO_OIDC_CLIENT_ID",
    "DJANGO_OIDC_CLIENT_SECRET",
    "DJANGO_OIDC_API_BASE_URL",
    "DJANGO_OIDC_AUTHORIZE_URL",
    "DJANGO_OIDC_ACCESS_TOKEN_URL",
    "DJANGO_OIDC_USER_URL",
    "DJANGO_OIDC_JWKS_URL",
    "DJANGO_OIDC_CLIENT_KWARGS",
    "VALKEY_DB_CONNECT_STRING",
)
MAY_BE_EMPTY = ("_PARAMS", "_QUERY", "_FRAGMENT", "REDIS_DB_PATH")
WITHOUT = {
    "REDIS_DB_USERNAME": "the interface redis has no field for credentials: upstream leaves it out too",
    "REDIS_DB_PASSWORD": "the interface redis has no field for credentials: upstream leaves it out too",
    "REDIS_DB_NAME": "the interface redis has no field for a database, the URL no path: upstream leaves it out too",
}
"""Documented, and never there, whatever the server: the provider says `leader-host`, or `hostname` and `port`."""
PORTS = {"POSTGRESQL_DB": "5432", "MYSQL_DB": "3306", "MONGODB_DB": "27017", "REDIS_DB": "6379", "RABBITMQ": "5672"}
