WITH active_periods AS (
    SELECT
        BOOL_OR(CAST($cohort AS TEXT) = 'range' OR COALESCE(is_first_visit, FALSE)) AS begins_cohort,
        visitor,
        CAST(date_trunc(CAST($grain AS TEXT), local_time) AS DATE) AS active_in
    FROM local_events
    WHERE visitor IS NOT NULL
    GROUP BY 2, 3
),
cohorts AS (
    SELECT
        MIN(active_in) FILTER (WHERE begins_cohort) OVER (PARTITION BY visitor) AS cohort,
        active_in
    FROM active_periods
),
counted AS (
    SELECT
        cohort,
        active_in,
        COUNT(*) AS active
    FROM cohorts
    WHERE active_in >= cohort
    GROUP BY cohort, active_in
)
SELECT
    cohort,
    CASE CAST($grain AS TEXT)
        WHEN 'month' THEN CAST(
            (EXTRACT(YEAR FROM active_in) - EXTRACT(YEAR FROM cohort)) * 12
            + EXTRACT(MONTH FROM active_in) - EXTRACT(MONTH FROM cohort)
            AS BIGINT
        )
        WHEN 'week' THEN CAST((CAST(active_in AS DATE) - CAST(cohort AS DATE)) / 7.0 AS BIGINT)
        ELSE CAST(CAST(active_in AS DATE) - CAST(cohort AS DATE) AS BIGINT)
    END AS period,
    FIRST_VALUE(active) OVER periods AS visitors,
    active,
    CAST(active AS DOUBLE PRECISION) / FIRST_VALUE(active) OVER periods AS share
FROM counted
-- Every visitor of a cohort is active in its first period.
WINDOW periods AS (PARTITION BY cohort ORDER BY active_in)
ORDER BY cohort, period
