-- The events, with the time that the zone's clocks show, and the instants at which the zone's hour and day began.
-- The zone's offsets from UTC are parameters, because the engines' own copies of such rules differ. Sessions are in UTC,
-- so a cast between the two types of time changes no clock.
SELECT
    *,
    -- A change of the clocks begins another hour: the hour that clocks show twice is two.
    GREATEST(
        CAST(date_trunc('hour', local_time) - zone_seconds * INTERVAL '1 second' AS TIMESTAMPTZ), zone_start
    ) AS hour_start,
    -- The day in which clocks change may have begun before the change, with the other offset.
    CASE
        WHEN CAST(date_trunc('day', local_time) - zone_seconds * INTERVAL '1 second' AS TIMESTAMPTZ) <= zone_start
            THEN zone_day
        ELSE CAST(date_trunc('day', local_time) - zone_seconds * INTERVAL '1 second' AS TIMESTAMPTZ)
    END AS day_start
FROM (
    SELECT
        *,
        CAST(event_timestamp AS TIMESTAMP) + zone_seconds * INTERVAL '1 second' AS local_time
    FROM events
    INNER JOIN (
        SELECT
            UNNEST(CAST($zone_starts AS TIMESTAMPTZ[])) AS zone_start,
            UNNEST(CAST($zone_ends AS TIMESTAMPTZ[])) AS zone_end,
            UNNEST(CAST($zone_seconds AS BIGINT[])) AS zone_seconds,
            UNNEST(CAST($zone_days AS TIMESTAMPTZ[])) AS zone_day
    ) AS zone_offsets ON event_timestamp >= zone_start AND event_timestamp < zone_end
) AS timed
