WITH ordered AS (
    SELECT
        session_id,
        visitor,
        event_name,
        search_term,
        is_view,
        ROW_NUMBER() OVER (PARTITION BY session_id ORDER BY event_timestamp, tie_order) AS position
    FROM events
    WHERE search_term IS NOT NULL OR event_name = 'checkout_complete'
),
with_last_purchase AS (
    SELECT
        *,
        MAX(CASE WHEN event_name = 'checkout_complete' THEN position END) OVER (PARTITION BY session_id) AS last_purchase
    FROM ordered
)
SELECT
    search_term,
    COUNT(*) FILTER (WHERE is_view) AS views,
    COUNT(DISTINCT visitor) AS visitors,
    COUNT(DISTINCT session_id) AS sessions,
    -- Events without a session are of no session: COUNT leaves out their NULL.
    COUNT(DISTINCT session_id) FILTER (WHERE position < last_purchase) AS purchase_sessions,
    CAST(COUNT(DISTINCT session_id) FILTER (WHERE position < last_purchase) AS DOUBLE PRECISION)
        / NULLIF(COUNT(DISTINCT session_id), 0) AS conversion
FROM with_last_purchase
WHERE search_term IS NOT NULL
GROUP BY search_term
ORDER BY sessions DESC, search_term
LIMIT CAST($limit AS BIGINT)
