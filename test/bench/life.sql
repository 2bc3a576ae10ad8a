-- What bench/life.sh measures; variables: due, rounds, items.

SET session_replication_role = replica;		-- verify() instead of a check per account
SET synchronous_commit = off;

CREATE FUNCTION bench.due_at(due_day integer) RETURNS timestamptz LANGUAGE sql
RETURN '2100-01-01 00:00+00'::timestamptz + due_day * interval '1 day';

SET search_path = storecredit, pg_catalog;

-- Each account has a credit of every campaign, due in one second of a day, and one that never is: the days but
-- the last are swept between UPDATEs; the last while others debit.
INSERT INTO account (account_id, opened_at, last_seq, balance, held, credit_line, last_hold_id, currency, owner)
SELECT n, now(), :rounds + 2, '1000000 USD'::money_ccy + '10 USD'::money_ccy * (:rounds + 1), '0 USD', '0 USD', 0, 'USD', n::text
  FROM generate_series(1, :due) AS n;
INSERT INTO transaction (account_id, seq, kind, amount, balance_after, created_at, expires_at, issuer, recorded_by)
SELECT n, day + 1, 'credit', '10 USD', '10 USD'::money_ccy * (day + 1), now(), bench.due_at(day), session_user, session_user
  FROM generate_series(0, :rounds) AS day, generate_series(1, :due) AS n;
INSERT INTO transaction (account_id, seq, kind, amount, balance_after, created_at, issuer, recorded_by)
SELECT account_id, last_seq, 'credit', '1000000 USD', balance, now(), session_user, session_user FROM account;
INSERT INTO open_credit (account_id, expires_at, seq, remaining)
SELECT account_id, coalesce(expires_at, 'infinity'), seq, amount FROM transaction;
SELECT setval('account_number_seq', :due + 1) \g /dev/null

INSERT INTO bench.shop_account (account_id, owner, currency, balance, updated_at)
SELECT account_id, owner, currency, money_ccy_to_minor(balance), now() FROM account;
INSERT INTO bench.shop_credit (account_id, amount, remaining, expires_at, created_at, updated_at)
SELECT n, 1000, 1000, bench.due_at(day), now(), now()
  FROM generate_series(0, :rounds) AS day, generate_series(1, :due) AS n;

-- A batch in each form, for accounts that exist.
CREATE TABLE bench.batch AS
SELECT jsonb_agg(jsonb_build_object('owner', n::text, 'amount', '5.00 USD', 'memo', 'campaign', 'reference', 'spring',
           'expires_at', '2200-01-01 00:00+00')) AS items
  FROM generate_series(1, :items) AS n;

SET search_path = pg_catalog;

-- The set-based way: one statement a table, for a whole batch.
CREATE FUNCTION bench.shop_credit_many(items jsonb) RETURNS void LANGUAGE sql AS
$$
    WITH item AS MATERIALIZED (
        SELECT a.account_id, i.amount, i.expires_at
          FROM jsonb_to_recordset(items) AS i (owner text, amount text, expires_at timestamptz)
          JOIN bench.shop_account a ON a.owner = i.owner AND a.currency = split_part(i.amount, ' ', 2)
    ), credit AS (
        INSERT INTO bench.shop_credit (account_id, amount, remaining, expires_at, created_at, updated_at)
        SELECT account_id, (split_part(amount, ' ', 1)::numeric * 100)::bigint, (split_part(amount, ' ', 1)::numeric * 100)::bigint,
               expires_at, now(), now()
          FROM item
        RETURNING account_id, amount
    ), account AS (
        UPDATE bench.shop_account a
           SET balance = a.balance + c.amount, updated_at = now()
          FROM (SELECT account_id, sum(amount) AS amount FROM credit GROUP BY account_id) c
         WHERE a.account_id = c.account_id
        RETURNING a.account_id, a.balance, c.amount
    )
    INSERT INTO bench.shop_transaction (account_id, kind, amount, balance_after, created_at)
    SELECT account_id, 'credit', amount, balance, now() FROM account;
$$;

-- Lines of results.tsv, for the shell to collect.
CREATE TABLE bench.noted (line text);

CREATE PROCEDURE bench.measure_operations(rounds integer, calls integer) LANGUAGE plpgsql AS
$$
DECLARE
    statements CONSTANT text[] := ARRAY[
        'debit', 'SELECT storecredit.store_credit_debit($1, ''0.01 USD''::storecredit.money_ccy)',
        'credit', 'SELECT storecredit.store_credit_credit($1, ''0.05 USD''::storecredit.money_ccy)',
        'refund', 'SELECT storecredit.store_credit_refund($1, ''0.05 USD''::storecredit.money_ccy, bonus_percent => 10)',
        'authorize', 'SELECT storecredit.store_credit_authorize($1, ''0.01 USD''::storecredit.money_ccy)',
        'capture', 'SELECT storecredit.store_credit_capture($1, (SELECT last_hold_id FROM storecredit.account WHERE account_id = $1))',
        'authorize_2', 'SELECT storecredit.store_credit_authorize($1, ''0.01 USD''::storecredit.money_ccy)',
        'void', 'SELECT storecredit.store_credit_void($1, (SELECT last_hold_id FROM storecredit.account WHERE account_id = $1))',
        'edit', 'SELECT storecredit.store_credit_edit($1, 2, memo => ''looked at'')',
        'debit_2', 'SELECT storecredit.store_credit_debit($1, ''0.01 USD''::storecredit.money_ccy)',
        'revert', 'SELECT storecredit.store_credit_revert($1, (SELECT last_seq FROM storecredit.account WHERE account_id = $1))',
        'credit_2', 'SELECT storecredit.store_credit_credit($1, ''0.05 USD''::storecredit.money_ccy)',
        'revoke', 'SELECT storecredit.store_credit_revoke($1, (SELECT last_seq FROM storecredit.account WHERE account_id = $1))'];
    began timestamptz;
BEGIN
    SET synchronous_commit = off;
    FOR round IN 0 .. rounds LOOP		-- round 0 warms up
        FOR s IN 1 .. cardinality(statements) BY 2 LOOP
            began := clock_timestamp();
            FOR n IN 1 .. calls LOOP
                EXECUTE statements[s + 1] USING round::bigint * calls + n;
                COMMIT;
            END LOOP;
            CONTINUE WHEN round = 0 OR statements[s] LIKE '%\_2';
            INSERT INTO bench.noted VALUES (concat_ws(E'\t', 'operation', round, statements[s],
                round(extract(epoch FROM clock_timestamp() - began) * 1000000 / calls, 1)));
        END LOOP;
    END LOOP;
END
$$;

-- In batches of 200, a commit each, as the worker does; with the clock at the due_day's second.
CREATE PROCEDURE bench.sweep(due_day integer) LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM set_config('storecredit.test_clock', bench.due_at(due_day)::text, false);
    WHILE storecredit.store_credit_expire(200) > 0 LOOP
        COMMIT;
    END LOOP;
    PERFORM set_config('storecredit.test_clock', '', false);
END
$$;

-- Of this session, so far; in Linux a tick is a hundredth of a second.
CREATE FUNCTION bench.processor_seconds() RETURNS numeric LANGUAGE sql
RETURN (SELECT (field[14]::numeric + field[15]::numeric) / 100 FROM string_to_array(pg_read_file('/proc/self/stat'), ' ') AS field);

CREATE PROCEDURE bench.measure_sweep(rounds integer) LANGUAGE plpgsql AS
$$
DECLARE
    at timestamptz[];
    used numeric[];
    updated bigint;
BEGIN
    SET synchronous_commit = off;
    FOR due_day IN 0 .. rounds - 1 LOOP
        at[0] := clock_timestamp();
        used[0] := bench.processor_seconds();
        UPDATE bench.shop_credit SET remaining = 0, updated_at = now() WHERE expires_at = bench.due_at(due_day) AND remaining > 0;
        GET DIAGNOSTICS updated = ROW_COUNT;
        COMMIT;
        at[1] := clock_timestamp();
        used[1] := bench.processor_seconds();
        CALL bench.sweep(due_day);
        at[2] := clock_timestamp();
        used[2] := bench.processor_seconds();
        FOR way IN 1 .. 2 LOOP
            INSERT INTO bench.noted VALUES (concat_ws(E'\t', 'sweep', due_day, (ARRAY['update', 'sweep'])[way],
                round(extract(epoch FROM at[way] - at[way - 1]) * 1000000 / updated, 2),
                round((used[way] - used[way - 1]) * 1000000 / updated, 2)));
        END LOOP;
    END LOOP;
END
$$;

CREATE PROCEDURE bench.sweep_last() LANGUAGE plpgsql AS
$$
DECLARE
    last_day integer := (SELECT max(extract(day FROM expires_at - bench.due_at(0))) FROM storecredit.open_credit
                          WHERE expires_at < '2101-01-01');
BEGIN
    SET synchronous_commit = off;
    CALL bench.sweep(last_day);
END
$$;

CREATE PROCEDURE bench.measure_batches(rounds integer) LANGUAGE plpgsql AS
$$
DECLARE
    batch jsonb := (SELECT items FROM bench.batch);
    count integer := jsonb_array_length(batch);
    began timestamptz;
BEGIN
    SET synchronous_commit = off;
    FOR round IN 0 .. rounds LOOP		-- round 0 warms up
        FOR way IN 1 .. 2 LOOP
            began := clock_timestamp();
            IF way = 1 THEN
                PERFORM count(*) FROM storecredit.store_credit_credit_many(batch);
            ELSE
                PERFORM bench.shop_credit_many(batch);
            END IF;
            COMMIT;
            CONTINUE WHEN round = 0;
            INSERT INTO bench.noted VALUES (concat_ws(E'\t', 'batch', round, (ARRAY['many', 'set_based'])[way],
                round(count / extract(epoch FROM clock_timestamp() - began))));
        END LOOP;
    END LOOP;
END
$$;
