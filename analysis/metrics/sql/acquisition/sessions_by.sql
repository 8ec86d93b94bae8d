SELECT
    "group",
    COUNT(DISTINCT session_id) AS sessions,
    COUNT(DISTINCT visitor) AS visitors,
    COUNT(DISTINCT visitor) FILTER (WHERE is_buying) AS buyers,
    CAST(COUNT(DISTINCT session_id) FILTER (WHERE is_buying) AS DOUBLE PRECISION)
        / COUNT(DISTINCT session_id) AS session_conversion,
    CAST(COUNT(DISTINCT visitor) FILTER (WHERE is_buying) AS DOUBLE PRECISION)
        / NULLIF(COUNT(DISTINCT visitor), 0) AS visitor_conversion
FROM session_visitors
INNER JOIN session_groups USING (session_id)
GROUP BY "group"
ORDER BY sessions DESC, "group"
LIMIT CAST($limit AS BIGINT)
