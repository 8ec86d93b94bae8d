-- One row per step that an attempt reaches within the window, with no other event between its steps.
-- In such a run, position and step grow together. Step k of an attempt is its k-th event.
SELECT
    visitor,
    "group",
    step,
    microseconds - began AS took
FROM (
    SELECT
        visitor,
        step,
        microseconds,
        FIRST_VALUE("group") OVER run AS "group",
        FIRST_VALUE(microseconds) OVER run AS began,
        ROW_NUMBER() OVER run AS number
    FROM funnel_events
    WHERE step IS NOT NULL
    WINDOW run AS (PARTITION BY visitor, position - step ORDER BY step)
) AS followed
WHERE number = step AND microseconds <= began + CAST($window AS BIGINT) * 1000000
