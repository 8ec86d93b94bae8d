-- The events, with the time that the zone's clocks show, and the instant at which the period began.
-- The zone's offsets from UTC are parameters, because the engines' own copies of such rules differ. Sessions are in UTC,
-- so a cast between the two types of time changes no clock.
SELECT
    *,
    CASE CAST($grain AS TEXT)
        WHEN 'minute' THEN GREATEST(
            CAST(date_trunc('minute', local_time) - zone_seconds * INTERVAL '1 second' AS TIMESTAMPTZ), zone_start
        )
        -- A change of the clocks begins another hour: the hour that clocks show twice is two.
        WHEN 'hour' THEN GREATEST(
            CAST(date_trunc('hour', local_time) - zone_seconds * INTERVAL '1 second' AS TIMESTAMPTZ), zone_start
        )
        -- The day in which clocks change may have begun before the change, with the other offset.
        WHEN 'day' THEN
            CASE
                WHEN CAST(date_trunc('day', local_time) - zone_seconds * INTERVAL '1 second' AS TIMESTAMPTZ) <= zone_start
                    THEN zone_day
                ELSE CAST(date_trunc('day', local_time) - zone_seconds * INTERVAL '1 second' AS TIMESTAMPTZ)
            END
        -- A week or a month may begin before the offsets that are known: this is its first midnight as clocks show it.
        ELSE CAST(date_trunc(CAST($grain AS TEXT), local_time) AS TIMESTAMPTZ)
    END AS period
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
