-- The events of the steps, visitor by visitor. `position` counts on from one visitor to the next.
-- A strict funnel also needs the events of other names; their `step` is NULL.
SELECT
    visitor,
    ROW_NUMBER() OVER (ORDER BY visitor, event_timestamp, tie_order) AS position,
    microseconds,
    step,
    CASE CAST($by AS TEXT)
        WHEN 'category' THEN COALESCE(context_product_category, 'unknown')
        WHEN 'brand' THEN COALESCE(context_product_brand, 'unknown')
        WHEN 'visitor_type' THEN visitor_type
        ELSE ''
    END AS "group"
FROM events
LEFT JOIN funnel_steps USING (event_name)
WHERE visitor IS NOT NULL AND (step IS NOT NULL OR CAST($order AS TEXT) = 'strict')
