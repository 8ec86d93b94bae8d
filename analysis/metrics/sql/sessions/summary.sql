-- Add and halve durations as whole microseconds, so that the order of sessions cannot change the last digit.
WITH timed AS (
    SELECT
        *,
        CAST(ROUND(duration * 1000000) AS BIGINT) AS microseconds
    FROM sessions
)
SELECT
    CAST($method AS TEXT) AS method,
    COUNT(*) AS sessions,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY CAST(microseconds AS DOUBLE PRECISION)) / 1000000 AS median_duration,
    CAST(CAST(SUM(microseconds) AS BIGINT) AS DOUBLE PRECISION) / 1000000 / NULLIF(COUNT(*), 0) AS average_duration,
    CAST(CAST(SUM(events) AS BIGINT) AS DOUBLE PRECISION) / NULLIF(COUNT(*), 0) AS events_per_session,
    CAST(CAST(SUM(views) AS BIGINT) AS DOUBLE PRECISION) / NULLIF(COUNT(*), 0) AS views_per_session,
    CAST(COUNT(*) FILTER (WHERE is_bounce) AS DOUBLE PRECISION) / NULLIF(COUNT(*), 0) AS bounce_rate,
    CAST(COUNT(*) FILTER (WHERE is_engaged) AS DOUBLE PRECISION) / NULLIF(COUNT(*), 0) AS engagement_rate
FROM timed
