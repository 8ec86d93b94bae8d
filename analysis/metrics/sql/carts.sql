WITH ordered AS (
    SELECT
        session_id,
        event_name,
        context_product_id,
        event_name IN ('add_to_cart_click', 'remove_from_cart_click') AS changes_cart,
        ROW_NUMBER() OVER in_session AS position,
        COUNT(*) FILTER (WHERE event_name = 'checkout_complete') OVER in_session AS purchases_so_far
    FROM events
    WHERE
        session_id IS NOT NULL
        AND event_name IN ('add_to_cart_click', 'remove_from_cart_click', 'checkout_start', 'checkout_complete')
    WINDOW in_session AS (PARTITION BY session_id ORDER BY event_timestamp, tie_order)
),
since_add AS (
    SELECT
        *,
        MIN(CASE WHEN event_name = 'add_to_cart_click' THEN position END) OVER (PARTITION BY session_id) AS first_add,
        -- By how many products the cart grows. A purchase empties it.
        CASE
            WHEN event_name = 'add_to_cart_click' AND LAG(event_name) OVER of_product IS DISTINCT FROM event_name THEN 1
            WHEN event_name = 'remove_from_cart_click' AND LAG(event_name) OVER of_product <> event_name THEN -1
            ELSE 0
        END AS growth
    FROM ordered
    WINDOW of_product AS (
        PARTITION BY session_id, purchases_so_far, changes_cart, context_product_id ORDER BY position
    )
),
filled AS (
    SELECT
        *,
        SUM(growth) OVER (PARTITION BY session_id, purchases_so_far ORDER BY position) - growth AS products_before
    FROM since_add
),
carts AS (
    SELECT
        MIN(position) FILTER (WHERE event_name = 'checkout_start' AND position > first_add) AS first_start,
        MAX(position) FILTER (WHERE event_name = 'checkout_complete' AND position > first_add) AS last_purchase,
        COUNT(*) FILTER (WHERE event_name = 'add_to_cart_click' AND products_before = 0) AS carts_created,
        COUNT(*) FILTER (WHERE event_name = 'checkout_complete') AS carts_transacted
    FROM filled
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
