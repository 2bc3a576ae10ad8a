-- Every refusal of a credit's life with all that a client can read of it: SQLSTATE, name, message, figures.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = "$user", public, storecredit;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-11-27 09:00+00';
ALTER SEQUENCE account_number_seq RESTART 790001;

SELECT account_id FROM store_credit_credit('fault', '50 PLN', idempotency_key => 'used');
SELECT seq FROM store_credit_credit('fault', '10 PLN', expires_on => '2026-11-27');
SELECT seq, draws FROM store_credit_debit('fault', '12 PLN');
SELECT seq FROM store_credit_credit('fault', '10 PLN', expires_on => '2026-11-30');
SELECT hold_id FROM store_credit_authorize('fault', '4 PLN', idempotency_key => 'held');
SELECT status FROM store_credit_void(790001, 1);
SELECT hold_id, draws FROM store_credit_authorize('fault', '6 PLN', expires_at => '2026-11-28 12:00+00');
SELECT hold_id, draws FROM store_credit_authorize('fault', '10 PLN');
SELECT seq FROM store_credit_credit('fault', '5 PLN');
SELECT seq FROM store_credit_revoke(790001, 5);
SELECT store_credit_set_limit('PLN', max_balance => '100 PLN', max_credit => '60 PLN', max_debit => '30 PLN');
SET storecredit.test_clock = '2026-11-29 09:00+00';

CREATE FUNCTION pg_temp.refusal(call text, OUT code text, OUT name text, OUT message text, OUT detail text, OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'SELECT * FROM ' || call;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, name = CONSTRAINT_NAME, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END$$;
\x
SELECT call, r.* FROM unnest(ARRAY[
	$$store_credit_authorize('fault', '0 PLN')$$,
	$$store_credit_authorize('fault', '30.01 PLN')$$,
	$$store_credit_authorize('fault', '1 CZK')$$,
	$$store_credit_authorize(790999, '1 PLN')$$,
	$$store_credit_authorize(790001, '1 CZK')$$,
	$$store_credit_authorize('fault', '1 PLN', expires_at => '2026-11-29 09:00+00')$$,
	$$store_credit_authorize('fault', '1 PLN', idempotency_key => 'used')$$,
	$$store_credit_capture(790001, 3, '10.01 PLN')$$,
	$$store_credit_capture(790001, 3, '0 PLN')$$,
	$$store_credit_capture(790001, 3, '1 CZK')$$,
	$$store_credit_capture(790001, 1)$$,
	$$store_credit_capture(790001, 2)$$,
	$$store_credit_capture(790001, 4)$$,
	$$store_credit_capture(790999, 1)$$,
	$$store_credit_capture(790001, 3, idempotency_key => 'held')$$,
	$$store_credit_void(790001, 1)$$,
	$$store_credit_void(790001, 2)$$,
	$$store_credit_void(790001, 4)$$,
	$$store_credit_void(790999, 1)$$,
	$$store_credit_void(790001, 3, idempotency_key => 'used')$$,
	$$store_credit_revert(790001, 3, '12.01 PLN')$$,
	$$store_credit_revert(790001, 3, '0 PLN')$$,
	$$store_credit_revert(790001, 3, '1 CZK')$$,
	$$store_credit_revert(790001, 1)$$,
	$$store_credit_revert(790001, 99)$$,
	$$store_credit_revert(790999, 3)$$,
	$$store_credit_revert(790001, 3, expired => 'refuse')$$,
	$$store_credit_revert(790001, 3, expired => 'perhaps')$$,
	$$store_credit_edit(790001, 1, '7.99 PLN')$$,
	$$store_credit_edit(790001, 1, '110.01 PLN')$$,
	$$store_credit_edit(790001, 1, '92.01 PLN')$$,
	$$store_credit_edit(790001, 1, '-1 PLN')$$,
	$$store_credit_edit(790001, 1, '60 CZK')$$,
	$$store_credit_edit(790001, 2, '60 PLN')$$,
	$$store_credit_edit(790001, 3, '60 PLN')$$,
	$$store_credit_edit(790001, 5, '60 PLN')$$,
	$$store_credit_edit(790999, 1, '60 PLN')$$,
	$$store_credit_edit(790001, 1, expires_at => '2026-11-29 09:00+00')$$,
	$$store_credit_revoke(790001, 1)$$,
	$$store_credit_revoke(790001, 2)$$,
	$$store_credit_revoke(790001, 3)$$,
	$$store_credit_revoke(790999, 1)$$,
	$$store_credit_refund('fault', '60.01 PLN')$$,
	$$store_credit_refund('fault', '30 PLN', bonus => '30 PLN')$$,
	$$store_credit_refund('fault', '0 PLN', bonus => '1 PLN')$$,
	$$store_credit_refund('fault', '1 PLN', bonus => '-1 PLN')$$,
	$$store_credit_refund('fault', '1 PLN', bonus => '1 CZK')$$,
	$$store_credit_refund('fault/new', '1 PLN', bonus => '1 CZK')$$,
	$$store_credit_refund('fault', '1 PLN', bonus => '1 PLN', bonus_percent => 1)$$,
	$$store_credit_refund('fault', '1 PLN', bonus => '1 PLN', bonus_expires_on => '2026-11-28')$$,
	$$store_credit_refund('fault', '1 PLN', idempotency_key => 'used')$$,
	$$store_credit_credit_many('[]', on_error => 'log')$$,
	$$store_credit_expire(0)$$
]) AS call, LATERAL pg_temp.refusal(call) AS r;
\x

-- none of them has left anything behind, not even the end of the second hold
SELECT last_seq, balance, held, last_hold_id FROM account WHERE owner LIKE 'fault%';
SELECT hold_id, status FROM hold WHERE account_id = 790001 ORDER BY hold_id;
SELECT store_credit_set_limit('PLN');
SELECT * FROM verify();
