-- The bank's tables, as far as fraudstream reads them. Run again, it changes nothing.
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
-- A delete then tells the whole row: the customer is not the table's key, but the record's.
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
