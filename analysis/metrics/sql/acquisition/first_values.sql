-- The value of each session at its first event that has one. Campaigns and referrers are those of its first event with a
-- channel. A session without such an event is left out.
SELECT DISTINCT ON (session_id)
    session_id,
    value
FROM (
    SELECT
        session_id,
        event_timestamp,
        tie_order,
        CASE CAST($by AS TEXT)
            WHEN 'source' THEN utm_source
            WHEN 'medium' THEN utm_medium
            WHEN 'campaign' THEN utm_campaign
            WHEN 'referrer' THEN referrer_host
            WHEN 'landing_page' THEN page_path
            WHEN 'device' THEN device
            WHEN 'browser' THEN browser
            WHEN 'system' THEN system
            WHEN 'country' THEN country
            ELSE acquisition_channel
        END AS value,
        CASE CAST($by AS TEXT)
            WHEN 'landing_page' THEN page_path
            WHEN 'device' THEN device
            WHEN 'browser' THEN browser
            WHEN 'system' THEN system
            WHEN 'country' THEN country
            ELSE acquisition_channel
        END AS known
    FROM events
    WHERE session_id IS NOT NULL
) AS valued
WHERE known IS NOT NULL
ORDER BY session_id, event_timestamp, tie_order
