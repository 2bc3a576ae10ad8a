-- Every refusal with all that a client can read of it: SQLSTATE, name, message, figures.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = "$user", public, storecredit;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-11-27 09:00+00';
ALTER SEQUENCE account_number_seq RESTART 880001;

SELECT account_id FROM store_credit_credit('error/one', '50 PLN', idempotency_key => 'used');
SELECT store_credit_set_limit('PLN', max_balance => '100 PLN', max_credit => '60 PLN', max_debit => '60 PLN');
SELECT account_id FROM store_credit_credit('error/line', '10 CZK');
SELECT store_credit_set_account_limits(880002, credit_line => '5 CZK');
SELECT seq FROM store_credit_debit('error/line', '15 CZK');
SELECT account_id FROM store_credit_credit('error/full', '10 DKK');
SELECT store_credit_set_account_limits(880003, max_balance => '10 DKK');

CREATE FUNCTION pg_temp.refusal(call text, OUT code text, OUT name text, OUT message text, OUT detail text, OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'SELECT ' || call;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, name = CONSTRAINT_NAME, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END$$;
\x
SELECT call, r.* FROM unnest(ARRAY[
	$$store_credit_credit('error/one', '0 PLN')$$,
	$$store_credit_debit('error/one', '-3 PLN')$$,
	$$store_credit_credit('error/one', '60.01 PLN')$$,
	$$store_credit_credit(880001, '50.01 PLN')$$,
	$$store_credit_credit(880001, '92233720368547758.07 PLN')$$,
	$$store_credit_credit(880003, '92233720368547758.07 DKK')$$,
	$$store_credit_debit('error/one', '50.01 PLN')$$,
	$$store_credit_debit('error/none', '1 PLN')$$,
	$$store_credit_debit(880999, '1 PLN')$$,
	$$store_credit_credit(880999, '1 PLN')$$,
	$$store_credit_set_account_limits(880999)$$,
	$$store_credit_debit(880001, '1 CZK')$$,
	$$store_credit_credit(880001, '1 CZK')$$,
	$$store_credit_set_limit('PLN', max_balance => '1 CZK')$$,
	$$store_credit_set_account_limits(880001, credit_line => '1 CZK')$$,
	$$store_credit_credit('error/one', '1 PLN', expires_at => '2026-11-27 09:00+00')$$,
	$$store_credit_credit('error/one', '1 HRK')$$,
	$$store_credit_credit('error/one', '51 PLN', idempotency_key => 'used')$$,
	$$store_credit_set_account_limits(880002, credit_line => '4.99 CZK')$$,
	$$store_credit_debit('error/one', '60.01 PLN')$$
]) AS call, LATERAL pg_temp.refusal(call) AS r;
\x

-- none of them has left anything behind
SELECT account_id, last_seq, balance FROM account WHERE owner LIKE 'error/%' ORDER BY account_id;
SELECT store_credit_set_limit('PLN');
SELECT * FROM verify();
