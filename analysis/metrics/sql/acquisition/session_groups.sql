-- One row per session, with its group.
SELECT
    session_id,
    COALESCE(
        value,
        CASE CAST($by AS TEXT)
            WHEN 'channel' THEN 'Direct'
            WHEN 'source' THEN '(not set)'
            WHEN 'medium' THEN '(not set)'
            WHEN 'campaign' THEN '(not set)'
            WHEN 'referrer' THEN '(direct)'
            ELSE 'unknown'
        END
    ) AS "group"
FROM (SELECT DISTINCT session_id FROM session_visitors) AS listed
LEFT JOIN session_values USING (session_id)
