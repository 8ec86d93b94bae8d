
CREATE TABLE public.clickstream_events (
    event_id uuid NOT NULL,
    event_timestamp timestamp with time zone NOT NULL,
    event_name text NOT NULL,
    user_id text,
    user_login_state text,
    identity_source text,
    client_id text,
    session_id text,
    is_first_visit boolean,
    context_product_id text,
    context_product_name text,
    context_product_category text,
    context_product_brand text,
    context_product_price bigint,
    context_product_discount_price bigint,
    context_product_url_path text
);

CREATE TABLE public.clickstream_rejects (
    bucket text NOT NULL,
    key text NOT NULL,
    reason text NOT NULL,
    first_seen timestamp with time zone DEFAULT now() NOT NULL
);

INSERT INTO public.clickstream_events VALUES ('7c9e6679-7425-40de-944b-e07fc1f90a01', '2026-11-30 09:31:18.491+00', 'product_view', NULL, NULL, NULL, 'client-1', 'session-1', NULL, 'P1', 'Áo khoác', NULL, NULL, 199001, NULL, NULL);
INSERT INTO public.clickstream_events VALUES ('7c9e6679-7425-40de-944b-e07fc1f90a02', '2026-11-30 09:31:19.165+00', 'page_view', 'anna', NULL, NULL, 'client-1', 'session-1', true, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.clickstream_events VALUES ('7c9e6679-7425-40de-944b-e07fc1f90a03', '2026-11-30 09:31:19.222+00', 'click', NULL, NULL, NULL, 'client-2', 'session-2', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

INSERT INTO public.clickstream_rejects VALUES ('clickstream-s3-ingest', 'events/2026/11/30/09/event-00000000-0000-4000-8000-000000000001.json', 'the body is an array: send one JSON object', '2026-11-30 09:31:20.633035+00');

ALTER TABLE ONLY public.clickstream_events
    ADD CONSTRAINT clickstream_events_pkey PRIMARY KEY (event_id);

ALTER TABLE ONLY public.clickstream_rejects
    ADD CONSTRAINT clickstream_rejects_pkey PRIMARY KEY (bucket, key);

CREATE INDEX clickstream_events_event_timestamp_idx ON public.clickstream_events USING btree (event_timestamp);

