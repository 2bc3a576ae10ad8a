-- The same call again: a key names one thing that is done to an account, whatever it is, and it is done once.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = "$user", public, storecredit;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-11-27 09:00+00';
ALTER SEQUENCE account_number_seq RESTART 780001;
\set SHOW_CONTEXT never

-- What a call answers: the rows, without what is the same in all of them; or SQLSTATE and name of its error.
CREATE FUNCTION pg_temp.answer(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
	name text;
BEGIN
	EXECUTE format('SELECT string_agg(concat_ws('' '', j->>''kind'', j->>''seq'', j->>''status'', j->>''hold_id'', j->>''amount'', j->>''captured'', j->>''created_at''), '', '')'
		' FROM (SELECT to_jsonb(x) AS j FROM %s AS x) AS rows', call) INTO answer;
	RETURN answer;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS name = CONSTRAINT_NAME;
	RETURN SQLSTATE || ' ' || name;
END$$;
CREATE TEMP TABLE call (n int GENERATED ALWAYS AS IDENTITY, call text, first_answer text);
CREATE FUNCTION pg_temp.figures(OUT last_seq bigint, OUT balance money_ccy, OUT held money_ccy, OUT holds text, OUT notifications bigint) LANGUAGE sql AS $$
	SELECT last_seq, balance, held, (SELECT string_agg(status, ' ' ORDER BY hold_id) FROM hold h WHERE h.account_id = a.account_id),
		(SELECT count(*) FROM notification n WHERE n.account_id = a.account_id)
	FROM account a WHERE account_id = 780001$$;

-- given a key on every call of a credit's life
INSERT INTO call (call) VALUES
	($$store_credit_credit('replay', '100 USD', expires_on => '2026-12-31', idempotency_key => 'credit', notify => true)$$),
	($$store_credit_refund('replay', '20 USD', bonus_percent => 10, idempotency_key => 'refund', notify => true)$$),
	($$store_credit_authorize('replay', '30 USD', idempotency_key => 'authorize 1')$$),
	($$store_credit_capture(780001, 1, '5 USD', final => false, idempotency_key => 'capture 1', notify => true)$$),
	($$store_credit_capture(780001, 1, '5 USD', final => false, idempotency_key => 'capture 2')$$),
	($$store_credit_capture(780001, 1, '5 USD', idempotency_key => 'capture 3')$$),
	($$store_credit_authorize(780001, '1000 USD', allow_partial => true, expires_at => '2026-11-27 10:00+00', idempotency_key => 'authorize 2')$$),
	($$store_credit_void(780001, 2, idempotency_key => 'void')$$),
	($$store_credit_debit('replay', '40 USD', idempotency_key => 'debit')$$),
	($$store_credit_revert(780001, 7, '10 USD', idempotency_key => 'revert 1', notify => true)$$),
	($$store_credit_revert(780001, 7, '10 USD', idempotency_key => 'revert 2')$$),
	($$store_credit_revert(780001, 7, idempotency_key => 'revert 3')$$),
	($$store_credit_edit(780001, 1, '90 USD', idempotency_key => 'edit 1', notify => true)$$),
	($$store_credit_edit(780001, 1, memo => 'for good', idempotency_key => 'edit 2')$$),
	($$store_credit_revoke(780001, 3, idempotency_key => 'revoke', notify => true)$$);
DO $$
DECLARE
	c record;
BEGIN
	FOR c IN SELECT n, call FROM call ORDER BY n LOOP
		UPDATE call SET first_answer = pg_temp.answer(c.call) WHERE n = c.n;
	END LOOP;
END$$;
SELECT call, first_answer FROM call ORDER BY n;
SELECT * FROM pg_temp.figures();

-- when all of them come again, much later, with other limits, another rule and nothing left to do them with
SET storecredit.test_clock = '2027-06-01 09:00+00';
SET storecredit.revert_expired = 'refuse';
SELECT store_credit_set_limit('USD', max_balance => '0 USD', max_credit => '0 USD', max_debit => '0 USD');
-- then each has its first answer, but that a hold is answered as it is by now, and nothing is written
SELECT call, pg_temp.answer(call) AS answer FROM call WHERE pg_temp.answer(call) <> first_answer ORDER BY n;
SELECT count(*) FROM call WHERE pg_temp.answer(call) = first_answer;
SELECT * FROM pg_temp.figures();
SELECT store_credit_set_limit('USD');
RESET storecredit.revert_expired;
SET storecredit.test_clock = '2026-11-27 09:00+00';

-- a key that was used in one way cannot be used in any other: on every call, the key of every call
SELECT count(*), count(*) FILTER (WHERE pg_temp.answer(regexp_replace(c.call, 'idempotency_key => ''.*''', 'idempotency_key => ' || quote_literal(k.key)))
	IS DISTINCT FROM 'SC008 idempotency_key_parameter_mismatch') AS otherwise
FROM call c, (SELECT n, substring(call FROM 'idempotency_key => ''(.*)''') AS key FROM call) AS k WHERE c.n <> k.n AND c.call NOT LIKE '%notify%';
SELECT * FROM pg_temp.figures();
-- nor with any other argument
SELECT call, pg_temp.answer(call) FROM (VALUES
	($$store_credit_authorize('replay', '30.01 USD', idempotency_key => 'authorize 1')$$),
	($$store_credit_authorize('replay', '30 USD', allow_partial => true, idempotency_key => 'authorize 1')$$),
	($$store_credit_authorize('replay', '30 USD', expires_at => '2027-01-01', idempotency_key => 'authorize 1')$$),
	($$store_credit_authorize('replay', '30 USD', memo => 'x', idempotency_key => 'authorize 1')$$),
	($$store_credit_authorize('replay', '30 USD', reference => 'x', idempotency_key => 'authorize 1')$$),
	($$store_credit_authorize('replay', '30 USD', issuer => 'x', idempotency_key => 'authorize 1')$$),
	($$store_credit_authorize('replay', '30 USD', metadata => '{}', idempotency_key => 'authorize 1')$$),
	($$store_credit_authorize('replay', 30.0, 'USD', false, 'infinity', idempotency_key => 'authorize 1')$$),
	($$store_credit_capture(780001, 1, idempotency_key => 'capture 3')$$),
	($$store_credit_capture(780001, 1, '5 USD', final => false, idempotency_key => 'capture 3')$$),
	($$store_credit_capture(780001, 2, '5 USD', idempotency_key => 'capture 3')$$),
	($$store_credit_capture(780001, 9, '5 USD', idempotency_key => 'capture 3')$$),
	($$store_credit_capture(780001, 1, '5 EUR', idempotency_key => 'capture 3')$$),
	($$store_credit_capture(780001, 1, '5 USD', category => 'x', idempotency_key => 'capture 3')$$),
	($$store_credit_capture(780001, 1, '5 USD', NULL, idempotency_key => 'capture 3')$$),
	($$store_credit_void(780001, 1, idempotency_key => 'void')$$),
	($$store_credit_void(780001, 1, idempotency_key => 'authorize 1')$$),
	($$store_credit_revert(780001, 7, '10.01 USD', idempotency_key => 'revert 1')$$),
	($$store_credit_revert(780001, 6, '10 USD', idempotency_key => 'revert 1', notify => true)$$),
	($$store_credit_revert(780001, 7, '10 USD', expired => 'reinstate', idempotency_key => 'revert 1', notify => true)$$),
	($$store_credit_revert(780001, 7, '10 USD', expired => NULL, idempotency_key => 'revert 1', notify => true)$$),
	($$store_credit_revert(780001, 7, '20 USD', idempotency_key => 'revert 3')$$),
	($$store_credit_edit(780001, 1, '90.01 USD', idempotency_key => 'edit 1', notify => true)$$),
	($$store_credit_edit(780001, 1, '90 USD', expires_on => '2026-12-31', idempotency_key => 'edit 1', notify => true)$$),
	($$store_credit_edit(780001, 1, expires_at => 'infinity', memo => 'for good', idempotency_key => 'edit 2')$$),
	($$store_credit_edit(780001, 1, '90 USD', memo => 'for good', idempotency_key => 'edit 2')$$),
	($$store_credit_revoke(780001, 2, idempotency_key => 'revoke', notify => true)$$),
	($$store_credit_revoke(780001, 3, memo => 'x', idempotency_key => 'revoke', notify => true)$$),
	($$store_credit_revoke(780999, 3, idempotency_key => 'revoke', notify => true)$$)) AS calls(call);
SELECT * FROM pg_temp.figures();

-- a refused call has used no key
SELECT store_credit_capture(780001, 9, idempotency_key => 'later');
SELECT store_credit_void(780001, 1, idempotency_key => 'later');
SELECT store_credit_authorize('replay', '1000 USD', idempotency_key => 'later');
SELECT store_credit_revert(780001, 7, idempotency_key => 'later');
SELECT store_credit_edit(780001, 1, '0.01 USD', idempotency_key => 'later');
SELECT store_credit_revoke(780001, 3, idempotency_key => 'later');
SELECT pg_temp.answer($$store_credit_authorize('replay', '10 USD', idempotency_key => 'later')$$);
-- a call that was rolled back neither
BEGIN;
SELECT pg_temp.answer($$store_credit_void(780001, 3, idempotency_key => 'undone')$$);
SELECT pg_temp.answer($$store_credit_void(780001, 3, idempotency_key => 'undone')$$);
ROLLBACK;
SELECT pg_temp.answer($$store_credit_capture(780001, 3, idempotency_key => 'undone')$$);
SELECT pg_temp.answer($$store_credit_void(780001, 3, idempotency_key => 'undone')$$);

-- another account has keys of its own
SELECT account_id, seq FROM store_credit_credit('replay/other', '10 USD', idempotency_key => 'credit');
SELECT pg_temp.answer($$store_credit_authorize('replay/other', '1 USD', idempotency_key => 'authorize 1')$$);
SELECT pg_temp.answer($$store_credit_void(780002, 1, idempotency_key => 'void')$$);

-- a memo or metadata that was blanked since is still the same call
SELECT pg_temp.answer($$store_credit_authorize('replay', '1 USD', memo => 'to be erased', metadata => '{"name": "x"}', idempotency_key => 'blank')$$);
SELECT pg_temp.answer($$store_credit_void(780001, 4)$$);
UPDATE hold SET memo = NULL, metadata = NULL WHERE account_id = 780001;
SELECT pg_temp.answer($$store_credit_authorize('replay', '1 USD', memo => 'to be erased', metadata => '{"name": "x"}', idempotency_key => 'blank')$$);

SELECT * FROM verify();
