WITH sold AS (
    SELECT
        currency,
        category,
        COUNT(DISTINCT order_id) AS orders,
        COUNT(DISTINCT visitor) AS buyers,
        CAST(SUM(quantity) AS BIGINT) AS items,
        SUM(revenue) AS revenue,
        COUNT(*) FILTER (WHERE revenue IS NULL) AS lines_without_revenue
    FROM sold_items
    GROUP BY currency, category
),
ranked AS (
    SELECT
        *,
        ROW_NUMBER() OVER (PARTITION BY currency ORDER BY revenue DESC NULLS LAST, category) AS place
    FROM sold
)
SELECT
    currency,
    category,
    orders,
    buyers,
    items,
    revenue,
    lines_without_revenue
FROM ranked
WHERE CAST($limit AS BIGINT) IS NULL OR place <= CAST($limit AS BIGINT)
ORDER BY currency, place
