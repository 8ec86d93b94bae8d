-- One row per step that an attempt reaches within the window.
SELECT
    visitor,
    "group",
    step
FROM funnel_events
WHERE step = 1

UNION ALL

SELECT
    visitor,
    "group",
    step
FROM previous
WHERE step > 1 AND began IS NOT NULL
