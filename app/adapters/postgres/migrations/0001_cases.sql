-- Times are milliseconds since the epoch. Texts are as in the topics; the columns of a case are those of app/cases/case.py.
CREATE TABLE cases (
    case_id text PRIMARY KEY,
    customer_id text NOT NULL,
    status text NOT NULL CHECK (status IN ('open', 'claimed', 'snoozed', 'closed')),
    version bigint NOT NULL CHECK (version >= 1),
    opened_at bigint NOT NULL,
    due_at bigint NOT NULL,
    changed_at bigint NOT NULL,
    alert_count bigint NOT NULL,
    expected_loss bigint NOT NULL CHECK (expected_loss >= 0),
    assignee text,
    lease_until bigint,
    snoozed_until bigint,
    disposition text,
    closed_at bigint,
    CHECK ((status IN ('claimed', 'closed')) = (assignee IS NOT NULL)),
    CHECK ((status = 'claimed') = (lease_until IS NOT NULL)),
    CHECK ((status = 'snoozed') = (snoozed_until IS NOT NULL)),
    CHECK ((status = 'closed') = (disposition IS NOT NULL)),
    CHECK ((status = 'closed') = (closed_at IS NOT NULL))
);
-- One open case for each customer, whatever program writes.
CREATE UNIQUE INDEX cases_open ON cases (customer_id) WHERE status <> 'closed';
CREATE INDEX cases_queue ON cases (status, opened_at) WHERE status <> 'closed';
CREATE INDEX cases_customer ON cases (customer_id, opened_at);

-- An expiry is mandatory.
CREATE TABLE suppressions (
    suppression_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text NOT NULL CHECK (key IN ('customer', 'terminal', 'device', 'card')),
    value text NOT NULL,
    reason text NOT NULL,
    created_by text NOT NULL,
    starts_at bigint NOT NULL,
    ends_at bigint NOT NULL CHECK (ends_at > starts_at)
);
CREATE INDEX suppressions_ends ON suppressions (ends_at);

-- An alert is in a case, or a suppression hides it. The body is the record's value as JSON; it is missing for an alert that was
-- restored from a change of its case and not read again.
CREATE TABLE alerts (
    alert_id text PRIMARY KEY,
    case_id text REFERENCES cases DEFERRABLE INITIALLY DEFERRED,
    suppression_id bigint REFERENCES suppressions,
    transaction_id text NOT NULL,
    customer_id text NOT NULL,
    terminal_id text NOT NULL,
    device_id text,
    card_token text,
    event_time bigint NOT NULL,
    scored_at bigint NOT NULL,
    score double precision NOT NULL,
    outcome text NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    body bytea,
    CHECK ((case_id IS NULL) <> (suppression_id IS NULL))
);
CREATE INDEX alerts_case ON alerts (case_id);
CREATE INDEX alerts_transaction ON alerts (transaction_id);
CREATE INDEX alerts_customer ON alerts (customer_id, scored_at);
CREATE INDEX alerts_suppression ON alerts (suppression_id) WHERE suppression_id IS NOT NULL;

-- The newest label and the newest answer of each transaction, also of those without an alert: it may arrive later.
CREATE TABLE labels (
    transaction_id text PRIMARY KEY,
    is_fraud boolean NOT NULL,
    source text NOT NULL,
    reported_at bigint NOT NULL
);
CREATE TABLE answers (
    transaction_id text PRIMARY KEY,
    is_fraud boolean NOT NULL,
    answered_at bigint NOT NULL
);

-- The offset of the next record of each partition, changed in the transaction of the rows.
CREATE TABLE offsets (
    topic text NOT NULL,
    partition integer NOT NULL,
    topic_id text NOT NULL,
    next_offset bigint NOT NULL,
    PRIMARY KEY (topic, partition)
);

-- Changes of cases on their way to the topic. The id of a case's later change is higher: its row is locked from before.
CREATE TABLE outbox (
    outbox_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id text NOT NULL,
    version bigint NOT NULL,
    body bytea NOT NULL,
    published_at bigint,
    UNIQUE (case_id, version)
);
CREATE INDEX outbox_waiting ON outbox (outbox_id) WHERE published_at IS NULL;
CREATE INDEX outbox_published ON outbox (published_at) WHERE published_at IS NOT NULL;
