"""The warehouse's tables beside that of events, as SQL: rejects, tombstones, settings, hours, and its versions."""

from chalicelib.contract import TABLE

__all__ = [
    "CREATE_HOURS",
    "CREATE_REJECTS",
    "CREATE_SETTINGS",
    "CREATE_TOMBSTONES",
    "CREATE_VERSIONS",
    "DISMISS",
    "GUARD",
    "HOURS",
    "INSERT_REJECT",
    "IS_ERASED",
    "KEEP_OUT",
    "REJECTS",
    "SETTINGS",
    "TOMBSTONES",
    "TOMBSTONE_KEYS",
    "VERSIONS",
]

REJECTS = "public.clickstream_rejects"
TOMBSTONES = "public.clickstream_tombstones"
TOMBSTONE_KEYS = f"{TOMBSTONES}_keys"
SETTINGS = "public.clickstream_settings"
HOURS = "public.clickstream_hours"
VERSIONS = "public.clickstream_versions"
IS_ERASED = "public.clickstream_is_erased"
KEEP_OUT = "public.clickstream_keep_out"

CREATE_REJECTS = f"""\
CREATE TABLE IF NOT EXISTS {REJECTS} (
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    reason TEXT NOT NULL,
    first_seen TIMESTAMPTZ NOT NULL DEFAULT now(),
    dismissed TEXT,
    PRIMARY KEY (bucket, key)
);"""

# An HMAC-SHA256 (RFC 2104) by PostgreSQL itself: its two padded keys are all that it needs to be told.
CREATE_TOMBSTONES = f"""\
CREATE TABLE IF NOT EXISTS {TOMBSTONES} (hash BYTEA PRIMARY KEY, since TIMESTAMPTZ NOT NULL DEFAULT now());
CREATE TABLE IF NOT EXISTS {TOMBSTONE_KEYS} (inner_key BYTEA PRIMARY KEY, outer_key BYTEA NOT NULL);
CREATE OR REPLACE FUNCTION {IS_ERASED}(client_id TEXT, user_id TEXT) RETURNS BOOLEAN
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM {TOMBSTONE_KEYS} AS keys
        CROSS JOIN (VALUES ('client_id:' || client_id), ('user_id:' || user_id)) AS person (named)
        JOIN {TOMBSTONES} AS tombstone
            ON tombstone.hash = sha256(keys.outer_key || sha256(keys.inner_key || convert_to(person.named, 'UTF8')))
    );
END $$;
REVOKE ALL ON FUNCTION {IS_ERASED}(TEXT, TEXT) FROM PUBLIC;
CREATE OR REPLACE FUNCTION {KEEP_OUT}() RETURNS TRIGGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN CASE WHEN {IS_ERASED}(NEW.client_id, NEW.user_id) THEN NULL ELSE NEW END;
END $$;"""  # noqa: S608  # our own names

# The first erasure sets this trigger, not the upgrade: it more than doubles the time that a bulk insert takes.
GUARD = f"""\
CREATE OR REPLACE TRIGGER keep_out_erased BEFORE INSERT ON {TABLE}
FOR EACH ROW WHEN (NEW.client_id IS NOT NULL OR NEW.user_id IS NOT NULL)
EXECUTE FUNCTION {KEEP_OUT}();"""

# What rows were made with. Everybody may read it: who reads prices has to know their decimals.
CREATE_SETTINGS = f"""\
CREATE TABLE IF NOT EXISTS {SETTINGS} (name TEXT PRIMARY KEY, value TEXT NOT NULL);
GRANT SELECT ON {SETTINGS} TO PUBLIC;"""

# How far the data of each hour are complete. Everybody may read it: whoever computes a metric should know.
CREATE_HOURS = f"""\
CREATE TABLE IF NOT EXISTS {HOURS} (
    hour TIMESTAMPTZ PRIMARY KEY,
    objects BIGINT NOT NULL,
    rows BIGINT NOT NULL,
    rejects BIGINT NOT NULL,
    repeats BIGINT NOT NULL,
    erased BIGINT NOT NULL,
    before_horizon BIGINT NOT NULL,
    digest TEXT NOT NULL,
    checked_at TIMESTAMPTZ NOT NULL,
    complete BOOLEAN NOT NULL
);
GRANT SELECT ON {HOURS} TO PUBLIC;"""

# Everybody may read the version, so that an analyst's role needs no further right to be told that its code is old.
CREATE_VERSIONS = f"""\
CREATE TABLE IF NOT EXISTS {VERSIONS} (
    steps INTEGER NOT NULL,
    columns INTEGER NOT NULL,
    since TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (steps, columns)
);
GRANT SELECT ON {VERSIONS} TO PUBLIC;"""

INSERT_REJECT = f"""
INSERT INTO {REJECTS} (bucket, key, reason)
VALUES (%s, %s, %s)
ON CONFLICT (bucket, key) DO NOTHING
"""  # noqa: S608  # our own name
DISMISS = f"UPDATE {REJECTS} SET dismissed = %s WHERE bucket = %s AND key = %s"  # noqa: S608  # our own name
