-- A page of the visitors, with their orders. Different currencies are not added.
WITH ordered AS (
    SELECT
        visitor AS visitor_key,
        COUNT(*) AS orders,
        CASE WHEN COUNT(DISTINCT currency) = 1 THEN MIN(currency) END AS currency,
        CASE WHEN COUNT(DISTINCT currency) = 1 THEN SUM(total) END AS revenue
    FROM first_orders
    WHERE visitor IS NOT NULL
    GROUP BY visitor
)
SELECT
    visitor_kind,
    visitor,
    first_event,
    last_event,
    events,
    sessions,
    checkout_completes,
    COALESCE(orders, 0) AS orders,
    currency,
    revenue
FROM chosen_visitors
LEFT JOIN ordered USING (visitor_key)
WHERE
    CAST($after_time AS TIMESTAMPTZ) IS NULL
    OR last_event < CAST($after_time AS TIMESTAMPTZ)
    OR (
        last_event = CAST($after_time AS TIMESTAMPTZ)
        AND (
            visitor_kind > CAST($after_kind AS TEXT)
            OR (visitor_kind = CAST($after_kind AS TEXT) AND visitor > CAST($after_visitor AS TEXT))
        )
    )
ORDER BY last_event DESC, visitor_kind, visitor
LIMIT CAST($limit AS BIGINT)
