
CREATE FUNCTION public.clickstream_is_erased(client_id text, user_id text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM public.clickstream_tombstones_keys AS keys
        CROSS JOIN (VALUES ('client_id:' || client_id), ('user_id:' || user_id)) AS person (named)
        JOIN public.clickstream_tombstones AS tombstone
            ON tombstone.hash = sha256(keys.outer_key || sha256(keys.inner_key || convert_to(person.named, 'UTF8')))
    );
END $$;

CREATE FUNCTION public.clickstream_keep_out() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    RETURN CASE WHEN public.clickstream_is_erased(NEW.client_id, NEW.user_id) THEN NULL ELSE NEW END;
END $$;

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
    first_seen timestamp with time zone DEFAULT now() NOT NULL,
    dismissed text
);

CREATE TABLE public.clickstream_tombstones (
    hash bytea NOT NULL,
    since timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.clickstream_tombstones_keys (
    inner_key bytea NOT NULL,
    outer_key bytea NOT NULL
);

INSERT INTO public.clickstream_events VALUES ('7c9e6679-7425-40de-944b-e07fc1f90a01', '2026-11-30 09:31:18.491+00', 'product_view', NULL, NULL, NULL, 'client-1', 'session-1', NULL, 'P1', 'Áo khoác', NULL, NULL, 199001, NULL, NULL);
INSERT INTO public.clickstream_events VALUES ('7c9e6679-7425-40de-944b-e07fc1f90a02', '2026-11-30 09:31:19.165+00', 'page_view', 'anna', NULL, NULL, 'client-1', 'session-1', true, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

INSERT INTO public.clickstream_rejects VALUES ('clickstream-s3-ingest', 'events/2026/11/30/09/event-00000000-0000-4000-8000-000000000001.json', 'the body is an array: send one JSON object', '2026-11-30 09:31:20.633035+00', 'a test of ours');

INSERT INTO public.clickstream_tombstones VALUES ('\x7a56ebd8861f51541adf8e6d2dff621661962b69caf9215c148dcfd9fe24e337', '2026-11-30 09:31:26.631951+00');

INSERT INTO public.clickstream_tombstones_keys VALUES ('\x4817a2399d6815c712cfebce3fc6337ddb6d23998f04644a92567fdf8c95b9cc3636363636363636363636363636363636363636363636363636363636363636', '\x227dc853f7027fad78a581a455ac5917b10749f3e56e0e20f83c15b5e6ffd3a65c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c');

ALTER TABLE ONLY public.clickstream_events
    ADD CONSTRAINT clickstream_events_pkey PRIMARY KEY (event_id);

ALTER TABLE ONLY public.clickstream_rejects
    ADD CONSTRAINT clickstream_rejects_pkey PRIMARY KEY (bucket, key);

ALTER TABLE ONLY public.clickstream_tombstones_keys
    ADD CONSTRAINT clickstream_tombstones_keys_pkey PRIMARY KEY (inner_key);

ALTER TABLE ONLY public.clickstream_tombstones
    ADD CONSTRAINT clickstream_tombstones_pkey PRIMARY KEY (hash);

CREATE INDEX clickstream_events_event_timestamp_idx ON public.clickstream_events USING btree (event_timestamp);

CREATE TRIGGER keep_out_erased BEFORE INSERT ON public.clickstream_events FOR EACH ROW WHEN (((new.client_id IS NOT NULL) OR (new.user_id IS NOT NULL))) EXECUTE FUNCTION public.clickstream_keep_out();

REVOKE ALL ON FUNCTION public.clickstream_is_erased(client_id text, user_id text) FROM PUBLIC;

