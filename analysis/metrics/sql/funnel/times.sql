-- The time that each visitor needs to a step at the soonest. Times are whole microseconds, so all engines agree.
WITH soonest AS (
    SELECT
        "group",
        visitor,
        step,
        MIN(took) AS took
    FROM funnel_attempts
    GROUP BY "group", visitor, step
),
ranked AS (
    SELECT
        *,
        ROW_NUMBER() OVER (PARTITION BY "group", step ORDER BY took) AS place,
        COUNT(*) OVER (PARTITION BY "group", step) AS visitors_of_step
    FROM soonest
),
timed AS (
    SELECT
        "group",
        step,
        COUNT(*) AS visitors,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY CAST(took AS DOUBLE PRECISION)) / 1000000 AS median_time,
        CAST(MIN(took) FILTER (WHERE place * 10 >= visitors_of_step * 9) AS DOUBLE PRECISION) / 1000000 AS p90_time
    FROM ranked
    GROUP BY "group", step
),
groups AS (
    SELECT "group" FROM timed
    UNION
    SELECT '' AS "group" WHERE CAST($by AS TEXT) IS NULL
)
SELECT
    groups."group",
    funnel_steps.step,
    CASE WHEN CAST($order AS TEXT) <> 'any' THEN funnel_steps.event_name END AS event_name,
    COALESCE(timed.visitors, 0) AS visitors,
    timed.median_time,
    timed.p90_time
FROM groups
CROSS JOIN funnel_steps
LEFT JOIN timed ON timed."group" = groups."group" AND timed.step = funnel_steps.step
ORDER BY 1, 2
