-- Idempotency keys: the same call again answers with the first row and writes nothing; another call with the key is refused.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = "$user", public, storecredit;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-11-27 09:00+00';
ALTER SEQUENCE account_number_seq RESTART 860001;
\set SHOW_CONTEXT never

-- given a credit and a debit with keys
SELECT seq, amount, balance_after FROM store_credit_credit('key/one', '20 USD', expires_on => '2026-12-31', category => 'refund',
	memo => 'Return R7', reference => 'Order/7', issuer => 'Admin/1', idempotency_key => 'c-1', notify => true, metadata => '{"a": [1, 2]}');
SELECT seq, amount, balance_after FROM store_credit_debit('key/one', '30 USD', allow_partial => true, category => 'order',
	memo => 'Order', reference => 'Order/8', issuer => 'POS/1', idempotency_key => 'd-1', notify => true, metadata => '{"b": null}');
CREATE TEMP TABLE first_answers AS SELECT * FROM transaction WHERE account_id = 860001;

-- when they come again, later, after other entries, with their memos blanked, past the credit's end, at a limit of nothing
SELECT seq, balance_after FROM store_credit_credit('key/one', '5 USD');
SELECT store_credit_set_limit('USD', max_credit => '0 USD', max_debit => '0 USD');
UPDATE transaction SET memo = NULL, metadata = NULL WHERE account_id = 860001;
UPDATE first_answers SET memo = NULL, metadata = NULL;
SET storecredit.test_clock = '2027-06-01 09:00+00';
-- then the answers are the rows as they are by now
CREATE TEMP TABLE second_answers AS
SELECT * FROM store_credit_credit('key/one', '20 USD', expires_on => '2026-12-31', category => 'refund',
	memo => 'Return R7', reference => 'Order/7', issuer => 'Admin/1', idempotency_key => 'c-1', notify => true, metadata => '{"a": [1, 2]}')
UNION ALL
SELECT * FROM store_credit_debit('key/one', '30 USD', allow_partial => true, category => 'order',
	memo => 'Order', reference => 'Order/8', issuer => 'POS/1', idempotency_key => 'd-1', notify => true, metadata => '{"b": null}');
SELECT count(*) AS answers, count(*) FILTER (WHERE s = f) AS same FROM second_answers s JOIN first_answers f USING (account_id, seq);
-- and nothing was written: no entry, no balance, no notification
SELECT last_seq, balance FROM account WHERE account_id = 860001;
SELECT event, seq FROM notification WHERE account_id = 860001 ORDER BY notification_id;
SELECT store_credit_set_limit('USD');

-- the account may be named in either way, the day by its instant, null by nothing, and the arguments in the other overload
SET storecredit.test_clock = '2026-11-27 09:00+00';
SELECT seq FROM store_credit_credit(860001, 20.00, 'USD', expires_at => '2027-01-01 01:00+01', category => 'refund',
	memo => 'Return R7', reference => 'Order/7', issuer => 'Admin/1', idempotency_key => 'c-1', notify => true, metadata => '{"a":[1,2]}');
SELECT seq FROM store_credit_credit('key/one', '1 USD', idempotency_key => 'plain');
SELECT seq FROM store_credit_credit('key/one', '1 USD', NULL::timestamptz, NULL, NULL, NULL, NULL, NULL, 'plain', NULL, NULL);
SELECT seq FROM store_credit_debit('key/one', '1 USD', idempotency_key => 'plain debit');
SELECT seq FROM store_credit_debit('key/one', '1 USD', NULL::boolean, idempotency_key => 'plain debit', notify => NULL);
-- and a refused call leaves its key unused
SELECT seq FROM store_credit_debit('key/one', '1000 USD', idempotency_key => 'later');
SELECT seq, balance_after FROM store_credit_debit('key/one', '5 USD', idempotency_key => 'later');

-- any other argument is refused, before anything else is looked at
CREATE FUNCTION pg_temp.answer(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	entry store_credit_transaction;
	name text;
BEGIN
	EXECUTE format('SELECT * FROM %s', call) INTO entry;
	RETURN 'seq ' || entry.seq;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS name = CONSTRAINT_NAME;
	RETURN SQLSTATE || ' ' || name;
END$$;
SELECT seq FROM store_credit_credit('key/one', '2 USD', idempotency_key => 'args');
SELECT call, pg_temp.answer(call) FROM (VALUES
	($$store_credit_credit('key/one', '2 USD', idempotency_key => 'args')$$),
	($$store_credit_credit('key/one', '2.01 USD', idempotency_key => 'args')$$),
	($$store_credit_credit(860001, '2 EUR', idempotency_key => 'args')$$),
	($$store_credit_credit('key/one', '0 USD', idempotency_key => 'args')$$),
	($$store_credit_credit('key/one', '2 USD', expires_at => '2027-01-01', idempotency_key => 'args')$$),
	($$store_credit_credit('key/one', '2 USD', expires_at => '2000-01-01', idempotency_key => 'args')$$),
	($$store_credit_credit('key/one', '2 USD', expires_on => '2026-12-31', idempotency_key => 'args')$$),
	($$store_credit_credit('key/one', '2 USD', category => 'x', idempotency_key => 'args')$$),
	($$store_credit_credit('key/one', '2 USD', memo => '', idempotency_key => 'args')$$),
	($$store_credit_credit('key/one', '2 USD', reference => 'x', idempotency_key => 'args')$$),
	($$store_credit_credit('key/one', '2 USD', issuer => 'x', idempotency_key => 'args')$$),
	($$store_credit_credit('key/one', '2 USD', notify => true, idempotency_key => 'args')$$),
	($$store_credit_credit('key/one', '2 USD', metadata => 'null', idempotency_key => 'args')$$),
	($$store_credit_credit('key/one', '2 USD', memo => 'x', idempotency_key => 'args')$$),
	($$store_credit_debit('key/one', '2 USD', idempotency_key => 'args')$$),
	($$store_credit_debit('key/one', '2000 USD', idempotency_key => 'args')$$)) AS calls(call);
SELECT store_credit_credit('key/one', '2.01 USD', idempotency_key => 'args');
-- what is said in one argument is not the same said in another
SELECT seq FROM store_credit_debit('key/one', '0.01 USD', category => 'a', memo => 'b', idempotency_key => 'args of a debit');
SELECT call, pg_temp.answer(call) FROM (VALUES
	($$store_credit_debit('key/one', '0.01 USD', category => 'a', memo => 'b', idempotency_key => 'args of a debit')$$),
	($$store_credit_debit('key/one', '0.01 USD', category => 'ab', memo => '', idempotency_key => 'args of a debit')$$),
	($$store_credit_debit('key/one', '0.01 USD', category => 'a', reference => 'b', idempotency_key => 'args of a debit')$$),
	($$store_credit_debit('key/one', '0.01 USD', true, category => 'a', memo => 'b', idempotency_key => 'args of a debit')$$),
	($$store_credit_debit('key/one', '0.01 USD', category => 'a', memo => 'b', notify => true, idempotency_key => 'args of a debit')$$)
	) AS calls(call);

-- a key is of its account: another owner, or another currency, has keys of its own
SELECT account_id, seq FROM store_credit_credit('key/two', '2 USD', idempotency_key => 'args');
SELECT account_id, seq FROM store_credit_credit('key/one', '2 EUR', idempotency_key => 'args');

-- keys are told apart by every letter, and may be anything that is not empty and at most 255 letters long
SELECT key, seq FROM (VALUES (' '), ('  '), (E'\t\n'), ('k'), ('K'), ('k '), ('ключ'), ('''; DROP TABLE storecredit.account; --'), ('\'), ('"')) AS keys(key),
	LATERAL store_credit_credit('key/two', '2 USD', idempotency_key => key);
SELECT key, seq FROM (VALUES (' '), ('  '), (E'\t\n'), ('k'), ('K'), ('k '), ('ключ'), ('''; DROP TABLE storecredit.account; --'), ('\'), ('"')) AS keys(key),
	LATERAL store_credit_credit('key/two', '2 USD', idempotency_key => key);
SELECT seq FROM store_credit_credit('key/two', '2 USD', idempotency_key => repeat('ж', 255));
SELECT seq FROM store_credit_credit('key/two', '2 USD', idempotency_key => repeat('ж', 255));
SELECT store_credit_credit('key/two', '2 USD', idempotency_key => repeat('ж', 256));
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_credit('key/two', '2 USD', idempotency_key => '');
\echo SQLSTATE :LAST_ERROR_SQLSTATE

-- a transaction that is rolled back has used no key, and one that goes on finds its own
BEGIN;
SELECT seq FROM store_credit_debit('key/two', '1 USD', idempotency_key => 'undone');
SELECT seq FROM store_credit_debit('key/two', '1 USD', idempotency_key => 'undone');
ROLLBACK;
SELECT seq, balance_after FROM store_credit_debit('key/two', '2 USD', idempotency_key => 'undone');

-- texts too large for a page are answered as they were given
SELECT seq FROM store_credit_credit('key/large', '1 USD', idempotency_key => 'large',
	memo => (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 1000) AS n),
	metadata => (SELECT jsonb_agg(md5(n::text)) FROM generate_series(1, 1000) AS n));
SELECT seq, length(memo), md5(memo), jsonb_array_length(metadata), md5(metadata::text)
FROM store_credit_credit('key/large', '1 USD', idempotency_key => 'large',
	memo => (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 1000) AS n),
	metadata => (SELECT jsonb_agg(md5(n::text)) FROM generate_series(1, 1000) AS n));
SELECT seq, length(memo), md5(memo), jsonb_array_length(metadata), md5(metadata::text) FROM transaction JOIN account USING (account_id)
WHERE owner = 'key/large';
SELECT pg_temp.answer($$store_credit_credit('key/large', '1 USD', idempotency_key => 'large')$$);

SELECT * FROM verify();
