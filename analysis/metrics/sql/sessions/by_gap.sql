-- Events by visitor, split at every gap of more than half an hour.
SELECT
    CAST(NULL AS TEXT) AS session_id,
    COALESCE(client_id, user_id) AS visitor,
    visitor AS visitor_key,
    1 + COUNT(*) FILTER (WHERE gap > 1800 * 1000000) OVER (
        PARTITION BY visitor ORDER BY event_timestamp, tie_order ROWS UNBOUNDED PRECEDING
    ) AS number,
    event_name,
    event_timestamp,
    microseconds,
    is_view
FROM (
    SELECT
        *,
        microseconds - LAG(microseconds) OVER (PARTITION BY visitor ORDER BY event_timestamp, tie_order) AS gap
    FROM events
    WHERE visitor IS NOT NULL
) AS gaps
