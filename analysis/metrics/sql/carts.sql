WITH ordered AS (
    SELECT
        session_id,
        event_name,
        ROW_NUMBER() OVER in_session AS position,
        COUNT(*) FILTER (WHERE event_name = 'checkout_complete') OVER in_session AS purchases_so_far
    FROM events
    WHERE session_id IS NOT NULL AND event_name IN ('add_to_cart_click', 'checkout_start', 'checkout_complete')
    WINDOW in_session AS (PARTITION BY session_id ORDER BY event_timestamp, event_id)
),
since_add AS (
    SELECT
        *,
        MIN(CASE WHEN event_name = 'add_to_cart_click' THEN position END) OVER (PARTITION BY session_id) AS first_add
    FROM ordered
),
carts AS (
    SELECT
        MIN(position) FILTER (WHERE event_name = 'checkout_start' AND position > first_add) AS first_start,
        MAX(position) FILTER (WHERE event_name = 'checkout_complete' AND position > first_add) AS last_purchase,
        -- The first add, and the first add after each purchase, create a cart.
        COUNT(DISTINCT purchases_so_far) FILTER (WHERE event_name = 'add_to_cart_click') AS carts_created,
        COUNT(*) FILTER (WHERE event_name = 'checkout_complete') AS carts_transacted
    FROM since_add
    WHERE first_add IS NOT NULL
    GROUP BY session_id
),
counted AS (
    SELECT
        COUNT(*) AS sessions_with_cart,
        COUNT(last_purchase) AS sessions_with_purchase,
        COUNT(first_start) AS sessions_with_checkout_start,
        COUNT(*) FILTER (WHERE first_start < last_purchase) AS completed_checkouts,
        CAST(COALESCE(SUM(carts_created), 0) AS BIGINT) AS number_carts_created,
        CAST(COALESCE(SUM(carts_transacted), 0) AS BIGINT) AS number_carts_transacted,
        COUNT(*) FILTER (WHERE carts_transacted < carts_created) AS session_cart_abandoned
    FROM carts
)
SELECT
    sessions_with_cart,
    sessions_with_purchase,
    1 - CAST(sessions_with_purchase AS DOUBLE PRECISION) / NULLIF(sessions_with_cart, 0) AS abandonment,
    sessions_with_checkout_start,
    1 - CAST(completed_checkouts AS DOUBLE PRECISION) / NULLIF(sessions_with_checkout_start, 0) AS checkout_abandonment,
    number_carts_created,
    number_carts_transacted,
    session_cart_abandoned,
    CAST(session_cart_abandoned AS DOUBLE PRECISION) / NULLIF(sessions_with_cart, 0) AS session_cart_abandonment
FROM counted
