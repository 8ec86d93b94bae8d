-- The events that may lead on from an attempt, for each group in which an attempt of the visitor begins. Left out are
-- attempts that begin just before another one of the group, and steps that occur again at once: neither gets further.
-- `began` is when the latest attempt began that has reached the event's step.
SELECT
    visitor,
    starts."group",
    position,
    microseconds,
    step,
    CAST(1 AS BIGINT) AS level,
    CASE WHEN step = 1 THEN microseconds END AS began
FROM funnel_events
INNER JOIN (
    SELECT DISTINCT
        visitor,
        "group"
    FROM funnel_events
    WHERE step = 1
) AS starts USING (visitor)
WHERE
    CASE
        WHEN step > 1 THEN step_before IS DISTINCT FROM step
        ELSE funnel_events."group" = starts."group" AND (step_after > 1 OR group_after <> starts."group")
    END
