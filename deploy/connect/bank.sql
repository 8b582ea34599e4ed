-- Example tables of a bank, with the columns that fraudstream reads. Safe to run repeatedly.
CREATE TABLE IF NOT EXISTS transactions (
    transaction_id text PRIMARY KEY,
    customer_id text NOT NULL,
    terminal_id text NOT NULL,
    event_time timestamptz NOT NULL,
    amount numeric(15, 3) NOT NULL CHECK (amount >= 0),
    currency char(3) NOT NULL,
    channel text,
    mcc text,
    country text,
    device_id text,
    card_token text,
    latitude double precision,
    longitude double precision,
    status text NOT NULL DEFAULT 'authorised'
);
-- Records are keyed by customer_id, which is not the primary key: only FULL puts it into the change event of a delete.
ALTER TABLE transactions REPLICA IDENTITY FULL;

CREATE TABLE IF NOT EXISTS customers (
    customer_id text PRIMARY KEY,
    name text,
    country text,
    segment text
);

CREATE TABLE IF NOT EXISTS terminals (
    terminal_id text PRIMARY KEY,
    name text,
    mcc text,
    country text,
    city text
);
