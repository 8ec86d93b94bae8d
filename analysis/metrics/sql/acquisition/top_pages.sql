SELECT
    page_path,
    COUNT(*) AS events,
    COUNT(*) FILTER (WHERE is_view) AS views,
    COUNT(DISTINCT visitor) AS visitors,
    COUNT(DISTINCT session_id) AS sessions
FROM events
WHERE page_path IS NOT NULL
GROUP BY page_path
ORDER BY views DESC, page_path
LIMIT CAST($limit AS BIGINT)
