-- One row per step that an attempt reaches within the window, and the time from its beginning.
SELECT
    visitor,
    "group",
    step,
    CAST(0 AS BIGINT) AS took
FROM funnel_events
WHERE step = 1

UNION ALL

SELECT
    visitor,
    "group",
    step,
    microseconds - began AS took
FROM previous
WHERE step > 1 AND began IS NOT NULL
