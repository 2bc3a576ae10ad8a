-- What storecredit is measured against: the bare statement, and a hand-written
-- ledger of ordinary tables, used through PL/pgSQL and as an ORM uses it.

CREATE SCHEMA bench;

-- The floor: one row changed, one row written, no index on the history, no check
-- of the funds, no expiry.  It does less than any ledger must.
CREATE TABLE bench.bare_account
(
    account_id bigint PRIMARY KEY,
    balance    bigint NOT NULL
);

CREATE TABLE bench.bare_history
(
    account_id    bigint NOT NULL,
    amount        bigint NOT NULL,
    balance_after bigint NOT NULL,
    created_at    timestamptz NOT NULL
);

-- The hand-written ledger: foreign keys, checks, credits used in the order of
-- their expiry, a running balance in the history.
CREATE TABLE bench.shop_account
(
    account_id bigint PRIMARY KEY,
    owner      text NOT NULL,
    currency   char(3) NOT NULL,
    balance    bigint NOT NULL CHECK (balance >= 0),
    updated_at timestamptz NOT NULL,
    UNIQUE (owner, currency)
) WITH (fillfactor = 90);

CREATE TABLE bench.shop_credit
(
    credit_id  bigserial PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES bench.shop_account,
    amount     bigint NOT NULL CHECK (amount > 0),
    remaining  bigint NOT NULL CHECK (remaining BETWEEN 0 AND amount),
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
) WITH (fillfactor = 90);

CREATE INDEX ON bench.shop_credit (account_id, expires_at, credit_id) WHERE remaining > 0;
CREATE INDEX ON bench.shop_credit (expires_at) WHERE remaining > 0;

CREATE TABLE bench.shop_transaction
(
    transaction_id bigserial PRIMARY KEY,
    account_id     bigint NOT NULL REFERENCES bench.shop_account,
    kind           text NOT NULL CHECK (kind IN ('credit', 'debit')),
    amount         bigint NOT NULL,
    balance_after  bigint NOT NULL CHECK (balance_after >= 0),
    created_at     timestamptz NOT NULL
);

CREATE INDEX ON bench.shop_transaction (account_id, transaction_id);

CREATE FUNCTION bench.shop_debit(p_account bigint, p_amount bigint) RETURNS bigint
LANGUAGE plpgsql AS
$$
DECLARE
    v_balance bigint;
    v_left    bigint := p_amount;
    v_taken   bigint;
    v_credit  record;
BEGIN
    SELECT balance INTO v_balance
      FROM bench.shop_account
     WHERE account_id = p_account
       FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'account % does not exist', p_account;
    END IF;

    FOR v_credit IN
        SELECT credit_id, remaining
          FROM bench.shop_credit
         WHERE account_id = p_account AND remaining > 0 AND expires_at > clock_timestamp()
         ORDER BY expires_at, credit_id
    LOOP
        v_taken := least(v_left, v_credit.remaining);
        UPDATE bench.shop_credit
           SET remaining = remaining - v_taken, updated_at = now()
         WHERE credit_id = v_credit.credit_id;
        v_left := v_left - v_taken;
        EXIT WHEN v_left = 0;
    END LOOP;
    IF v_left > 0 THEN
        RAISE EXCEPTION 'insufficient funds' USING DETAIL = format('%s short of %s.', v_left, p_amount);
    END IF;

    UPDATE bench.shop_account
       SET balance = balance - p_amount, updated_at = now()
     WHERE account_id = p_account
    RETURNING balance INTO v_balance;
    INSERT INTO bench.shop_transaction (account_id, kind, amount, balance_after, created_at)
    VALUES (p_account, 'debit', -p_amount, v_balance, now());
    RETURN v_balance;
END
$$;

CREATE FUNCTION bench.shop_credit(p_account bigint, p_amount bigint, p_expires_at timestamptz) RETURNS bigint
LANGUAGE plpgsql AS
$$
DECLARE
    v_balance bigint;
BEGIN
    UPDATE bench.shop_account
       SET balance = balance + p_amount, updated_at = now()
     WHERE account_id = p_account
    RETURNING balance INTO v_balance;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'account % does not exist', p_account;
    END IF;
    INSERT INTO bench.shop_credit (account_id, amount, remaining, expires_at, created_at, updated_at)
    VALUES (p_account, p_amount, p_amount, p_expires_at, now(), now());
    INSERT INTO bench.shop_transaction (account_id, kind, amount, balance_after, created_at)
    VALUES (p_account, 'credit', p_amount, v_balance, now());
    RETURN v_balance;
END
$$;

