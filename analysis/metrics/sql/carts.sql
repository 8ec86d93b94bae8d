WITH ordered AS (
    SELECT
        session_id,
        event_name,
        ROW_NUMBER() OVER (PARTITION BY session_id ORDER BY event_timestamp, tie_order) AS position
    FROM events
    WHERE session_id IS NOT NULL AND event_name IN ('add_to_cart_click', 'checkout_start', 'checkout_complete')
),
since_add AS (
    SELECT
        *,
        MIN(CASE WHEN event_name = 'add_to_cart_click' THEN position END) OVER (PARTITION BY session_id) AS first_add
    FROM ordered
),
carts AS (
    SELECT
        session_id,
        MIN(position) FILTER (WHERE event_name = 'checkout_start') AS first_start,
        MAX(position) FILTER (WHERE event_name = 'checkout_complete') AS last_purchase
    FROM since_add
    WHERE position >= first_add
    GROUP BY session_id
),
counted AS (
    SELECT
        COUNT(*) AS sessions_with_cart,
        COUNT(last_purchase) AS sessions_with_purchase,
        COUNT(first_start) AS sessions_with_checkout_start,
        COUNT(*) FILTER (WHERE first_start < last_purchase) AS completed_checkouts
    FROM carts
)
SELECT
    sessions_with_cart,
    sessions_with_purchase,
    1 - CAST(sessions_with_purchase AS DOUBLE PRECISION) / NULLIF(sessions_with_cart, 0) AS abandonment,
    sessions_with_checkout_start,
    1 - CAST(completed_checkouts AS DOUBLE PRECISION) / NULLIF(sessions_with_checkout_start, 0) AS checkout_abandonment
FROM counted
