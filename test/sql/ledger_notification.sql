-- The outbox: a row for each call that asks for one, in the transaction that moves the money.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = "$user", public, storecredit;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-11-27 09:00+00';
ALTER SEQUENCE account_number_seq RESTART 920001;

-- only where it is asked for, and never twice for one key
SELECT seq FROM store_credit_credit('notify/one', '5 USD', idempotency_key => 'c', notify => true);
SELECT seq FROM store_credit_credit('notify/one', '5 USD', idempotency_key => 'c', notify => true);
SELECT seq FROM store_credit_credit('notify/one', '5 USD');
SELECT seq FROM store_credit_debit('notify/one', '2 USD', notify => true);
SELECT seq FROM store_credit_debit('notify/one', '2 USD', notify => NULL);
SELECT store_credit_account_credit('notify/one', '{"creditAmount": {"amount": 1, "currencyCode": "USD"}, "notify": true}') -> 'userErrors' AS errors;
-- none for what is refused or rolled back
SELECT store_credit_debit('notify/one', '200 USD', notify => true);
BEGIN;
SELECT seq FROM store_credit_debit('notify/one', '2 USD', notify => true);
ROLLBACK;
-- and one for the entry that was asked for, not for the ends that were booked on the way
SELECT seq FROM store_credit_credit('notify/one', '5 USD', expires_on => '2026-11-27');
SET storecredit.test_clock = '2026-11-28 00:00+00';
SELECT seq FROM store_credit_debit('notify/one', '2 USD', notify => true);

-- when a worker takes them out
WITH sent AS (DELETE FROM notification WHERE account_id = 920001 RETURNING *)
SELECT event, created_at, seq, amount, balance_after
FROM sent JOIN transaction USING (account_id, seq, created_at) ORDER BY notification_id;
-- then they are gone
SELECT count(*) FROM notification WHERE account_id = 920001;

SELECT * FROM verify();
