-- The events with their groups.
SELECT
    visitor,
    event_name,
    event_timestamp,
    tie_order,
    microseconds,
    CASE CAST($by AS TEXT)
        WHEN 'category' THEN COALESCE(context_product_category, 'unknown')
        WHEN 'brand' THEN COALESCE(context_product_brand, 'unknown')
        WHEN 'login_state' THEN COALESCE(user_login_state, 'unknown')
        WHEN 'visitor_type' THEN visitor_type
        ELSE ''
    END AS "group"
FROM events
