WITH summed AS (
    SELECT
        currency,
        COALESCE("group", 'unknown') AS "group",
        COUNT(*) AS orders,
        SUM(total) AS revenue,
        CAST(SUM(total) AS DOUBLE PRECISION) / NULLIF(COUNT(total), 0) AS average_order_value
    FROM first_orders
    LEFT JOIN session_groups USING (session_id)
    GROUP BY 1, 2
),
ranked AS (
    SELECT
        *,
        ROW_NUMBER() OVER (PARTITION BY currency ORDER BY revenue DESC NULLS LAST, "group") AS place
    FROM summed
)
SELECT
    currency,
    "group",
    orders,
    revenue,
    average_order_value
FROM ranked
WHERE CAST($limit AS BIGINT) IS NULL OR place <= CAST($limit AS BIGINT)
ORDER BY currency, place
