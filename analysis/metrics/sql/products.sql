WITH shown AS (
    SELECT
        context_product_id AS product_id,
        COUNT(*) FILTER (WHERE event_name = 'product_view') AS views,
        COUNT(*) FILTER (WHERE event_name = 'add_to_cart_click') AS adds,
        COUNT(*) FILTER (WHERE event_name = 'remove_from_cart_click') AS removes,
        COUNT(*) FILTER (WHERE event_name = 'wishlist_toggle') AS wishlists,
        COUNT(DISTINCT session_id) FILTER (WHERE event_name = 'product_view') AS view_sessions
    FROM events
    WHERE context_product_id IS NOT NULL
    GROUP BY context_product_id
),
ordered AS (
    SELECT
        session_id,
        event_name,
        context_product_id,
        ROW_NUMBER() OVER (PARTITION BY session_id ORDER BY event_timestamp, tie_order) AS position
    FROM events
    WHERE session_id IS NOT NULL AND event_name IN ('add_to_cart_click', 'checkout_complete')
),
with_last_purchase AS (
    SELECT
        *,
        MAX(CASE WHEN event_name = 'checkout_complete' THEN position END) OVER (PARTITION BY session_id) AS last_purchase
    FROM ordered
),
purchased AS (
    SELECT
        context_product_id AS product_id,
        COUNT(DISTINCT session_id) AS purchase_sessions
    FROM with_last_purchase
    WHERE event_name = 'add_to_cart_click' AND position < last_purchase
    GROUP BY context_product_id
)
SELECT
    product_id,
    product_name,
    category,
    brand,
    views,
    adds,
    removes,
    wishlists,
    view_sessions,
    COALESCE(purchase_sessions, 0) AS purchase_sessions,
    CAST(adds AS DOUBLE PRECISION) / NULLIF(views, 0) AS add_rate,
    CAST(COALESCE(purchase_sessions, 0) AS DOUBLE PRECISION) / NULLIF(view_sessions, 0) AS conversion
FROM shown
INNER JOIN latest_products USING (product_id)
LEFT JOIN purchased USING (product_id)
ORDER BY views DESC, product_id
LIMIT CAST($limit AS BIGINT)
