-- What has gone wrong in shops elsewhere, each tried here.  The numbers are those of "What has gone wrong elsewhere" in doc/life.md.
-- What takes two sessions to go wrong is tried by the isolation specs.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = "$user", public, storecredit;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-11-27 09:00+00';
ALTER SEQUENCE account_number_seq RESTART 800001;
\set SHOW_CONTEXT never

-- 1. The same credit is spent twice: by a checkout that holds it and by another one, by two holds, or behind the functions' back.
SELECT account_id FROM store_credit_credit('elsewhere/1', '10 USD');
SELECT hold_id FROM store_credit_authorize('elsewhere/1', '8 USD');
SELECT store_credit_debit('elsewhere/1', '3 USD');
SELECT store_credit_authorize('elsewhere/1', '3 USD');
SELECT seq FROM store_credit_debit('elsewhere/1', '2 USD');
SELECT seq, balance_after FROM store_credit_capture(800001, 1);
UPDATE account SET balance = '-0.01 USD' WHERE account_id = 800001;

-- 3. One checkout is settled twice.
SELECT store_credit_capture(800001, 1);
SELECT store_credit_capture(800001, 1, '8 USD');
SELECT store_credit_void(800001, 1);
SELECT balance, held FROM account WHERE account_id = 800001;

-- 4. "Infinite money glitch": each step back to the previous page gives the credit back once more.
SELECT account_id FROM store_credit_credit('elsewhere/4', '10 USD');
SELECT hold_id FROM store_credit_authorize('elsewhere/4', '10 USD');
SELECT status FROM store_credit_void(800002, 1);
SELECT store_credit_void(800002, 1);
SELECT seq FROM store_credit_debit('elsewhere/4', '10 USD');
SELECT seq FROM store_credit_revert(800002, 2);
SELECT store_credit_revert(800002, 2);
SELECT balance, available FROM balance WHERE account_id = 800002;

-- 5. An abandoned checkout never gives the credit back: here it does so with nobody's help.
SELECT hold_id FROM store_credit_authorize('elsewhere/4', '10 USD', expires_at => '2026-11-27 09:15+00');
SELECT store_credit_balance('elsewhere/4', 'USD');
SET storecredit.test_clock = '2026-11-27 09:15+00';
SELECT store_credit_balance('elsewhere/4', 'USD');

-- 6. A return is refunded twice, or not at all because credit had paid: in parts, up to what was paid, and once for a key.
SELECT seq, balance_after FROM store_credit_debit('elsewhere/4', '10 USD', reference => 'Order/6');
SELECT seq, balance_after FROM store_credit_revert(800002, 4, '4 USD', reference => 'Return/6a', idempotency_key => 'Return/6a');
SELECT seq, balance_after FROM store_credit_revert(800002, 4, '4 USD', reference => 'Return/6a', idempotency_key => 'Return/6a');
SELECT seq, balance_after FROM store_credit_revert(800002, 4, '6 USD', reference => 'Return/6b', idempotency_key => 'Return/6b');
SELECT store_credit_revert(800002, 4, '4 USD', reference => 'Return/6c');

-- 7. The credit is taken back after it has been spent: what is spent is spent, and no balance falls below zero for it.
SELECT account_id FROM store_credit_credit('elsewhere/7', '10 USD');
SELECT seq FROM store_credit_debit('elsewhere/7', '7 USD');
SELECT store_credit_edit(800003, 1, '6.99 USD');
SELECT seq, amount, balance_after FROM store_credit_revoke(800003, 1, memo => 'charged back', issuer => 'Admin/1');

-- 8. A call has no idempotency key: here each that moves money takes one, those with JSON in it; the sweep may come as often as it likes.
SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'storecredit'::regnamespace AND provolatile = 'v' AND proname LIKE 'store\_credit\_%'
	AND NOT 'idempotency_key' = ANY (proargnames) ORDER BY proname;

-- 9. A webhook that is delivered again is a gift.
SELECT account_id, seq, balance_after FROM store_credit_credit('elsewhere/9', '10 USD', idempotency_key => 'Payment/9');
SELECT account_id, seq, balance_after FROM store_credit_credit('elsewhere/9', '10 USD', idempotency_key => 'Payment/9');
SELECT seq, balance_after FROM store_credit_refund('elsewhere/9', '10 USD', bonus_percent => 10, idempotency_key => 'Return/9');
SELECT seq, balance_after FROM store_credit_refund('elsewhere/9', '10 USD', bonus_percent => 10, idempotency_key => 'Return/9');
SELECT count(DISTINCT seq) FROM store_credit_credit_many('[{"owner": "elsewhere/9", "amount": "10 USD", "idempotency_key": "Payment/9"},
	{"owner": "elsewhere/9", "amount": "1 USD", "idempotency_key": "Payment/10"}, {"owner": "elsewhere/9", "amount": "1 USD", "idempotency_key": "Payment/10"}]');
SELECT last_seq, balance FROM account WHERE account_id = 800004;
-- 10. A key is forgotten after a while, and then it is a gift again.
SET storecredit.test_clock = '2036-11-27 09:00+00';
SELECT seq, balance_after FROM store_credit_credit('elsewhere/9', '10 USD', idempotency_key => 'Payment/9');
SELECT last_seq, balance FROM account WHERE account_id = 800004;
SET storecredit.test_clock = '2026-11-27 09:00+00';

-- 12. One end takes the whole balance along: each credit has its own.
SELECT account_id FROM store_credit_credit('elsewhere/12', '10 USD', expires_on => '2026-11-30');
SELECT seq FROM store_credit_credit('elsewhere/12', '20 USD', expires_on => '2026-12-31');
SELECT seq FROM store_credit_credit('elsewhere/12', '40 USD');
SET storecredit.test_clock = '2026-12-01 00:00+00';
SELECT store_credit_balance('elsewhere/12', 'USD');
SELECT seq, balance_after, draws FROM store_credit_debit('elsewhere/12', '1 USD');
SELECT seq, remaining FROM open_credit WHERE account_id = 800005 ORDER BY seq;
-- 17. The credits are spent in the wrong order: those that end first come first, those that never end last, then by age.
SELECT seq, expires_at FROM store_credit_credit('elsewhere/12', '1 USD', expires_on => '2026-12-31');
SELECT seq, expires_at FROM store_credit_credit('elsewhere/12', '1 USD', expires_on => '2026-12-30');
SELECT seq FROM store_credit_credit('elsewhere/12', '1 USD');
SELECT draws FROM store_credit_debit('elsewhere/12', '61.50 USD');

-- 13. It ends a day early, or 14. nobody can tell when: a day ends when it is over in the shop, and what is kept is the instant.
SET storecredit.timezone = 'America/Los_Angeles';
SELECT account_id, expires_at FROM store_credit_credit('elsewhere/13', '10 USD', expires_on => '2026-12-31');
RESET storecredit.timezone;
SET storecredit.test_clock = '2027-01-01 07:59:59.999999+00';
SELECT store_credit_balance('elsewhere/13', 'USD');
SET storecredit.test_clock = '2027-01-01 08:00+00';
SELECT store_credit_balance('elsewhere/13', 'USD');

-- 15. It has ended, and can be spent until it is swept; or it is swept before it has ended.
SELECT store_credit_debit('elsewhere/13', '0.01 USD', allow_partial => true);
SELECT store_credit_authorize('elsewhere/13', '0.01 USD', allow_partial => true);
SELECT store_credit_revoke(800006, 1);
SELECT store_credit_edit(800006, 1, expires_at => 'infinity');
SELECT count(*) FROM open_credit WHERE account_id = 800006;

-- 16. It ends while a payment is under way.
SET storecredit.test_clock = '2026-12-31 23:00+00';
SELECT account_id FROM store_credit_credit('elsewhere/16', '10 USD', expires_on => '2026-12-31');
SELECT hold_id FROM store_credit_authorize('elsewhere/16', '10 USD', expires_at => '2027-01-01 01:00+00');
SET storecredit.test_clock = '2027-01-01 00:30+00';
SELECT balance, held, available FROM balance WHERE account_id = 800007;
SELECT seq, balance_after FROM store_credit_capture(800007, 1);

-- 18. What comes back to a credit that has ended is lost as a whole, or nothing comes back: it is said for each part what becomes of it.
SELECT account_id FROM store_credit_credit('elsewhere/18', '10 USD', expires_on => '2027-01-02');
SELECT seq FROM store_credit_credit('elsewhere/18', '10 USD');
SELECT seq FROM store_credit_debit('elsewhere/18', '15 USD');
SET storecredit.test_clock = '2027-01-05 00:00+00';
SELECT store_credit_revert(800008, 3, '7 USD', expired => 'refuse');
SELECT seq, draws FROM store_credit_revert(800008, 3, '7 USD', expired => 'expire');
SELECT seq, draws FROM store_credit_revert(800008, 3, '2 USD', expired => 'reinstate');
SELECT seq, kind, amount, balance_after, related_seq, expires_at FROM transaction WHERE account_id = 800008 AND seq > 3 ORDER BY seq;

-- 20. The rows do not add up to the balance, by a cent: no step rounds but a bonus of so many per cent, and that is a row.
SELECT account_id FROM store_credit_credit('elsewhere/20', '0.10 USD');
SELECT count(*) FROM generate_series(1, 7), LATERAL store_credit_refund('elsewhere/20', '0.33 USD', bonus_percent => 33.333);
SELECT count(*) FROM generate_series(1, 3), LATERAL store_credit_debit('elsewhere/20', '0.85 USD', allow_partial => true);
SELECT a.balance, sum(t.amount), a.balance = sum(t.amount) AS same FROM account a JOIN transaction t USING (account_id) WHERE a.account_id = 800009 GROUP BY a.balance;
SELECT store_credit_capture(800001, 1, '0.005 USD');
SELECT store_credit_refund('elsewhere/20', 0.005, 'USD');

-- 21. An amount of zero is taken for all of it.
SELECT account_id FROM store_credit_credit('elsewhere/21', '10 USD');
SELECT hold_id FROM store_credit_authorize('elsewhere/21', '5 USD');
SELECT store_credit_capture(800010, 1, '0 USD');
SELECT seq FROM store_credit_debit('elsewhere/21', '1 USD');
SELECT store_credit_revert(800010, 2, '0 USD');
SELECT store_credit_edit(800010, 1, '0 USD');
SELECT store_credit_debit('elsewhere/21', '0 USD', allow_partial => true);
SELECT balance, held FROM account WHERE account_id = 800010;

-- 22. Several currencies are added up, or only the shop's own is given back.
SELECT account_id FROM store_credit_credit('elsewhere/22', '10 EUR');
SELECT account_id FROM store_credit_credit('elsewhere/22', '2000 JPY');
SELECT seq FROM store_credit_debit('elsewhere/22', '500 JPY');
SELECT seq, amount FROM store_credit_revert(800012, 2, '200 JPY');
SELECT store_credit_revert(800012, 2, '2 EUR');
SELECT store_credit_debit('elsewhere/22', '20 EUR', allow_partial => false);
SELECT currency, balance FROM account WHERE owner = 'elsewhere/22' ORDER BY currency;

-- 23. Only all of the credit can be used, or none.
SELECT seq, amount FROM store_credit_debit('elsewhere/22', '3.50 EUR');
SELECT hold_id, amount FROM store_credit_authorize('elsewhere/22', '100 EUR', allow_partial => true);
SELECT seq, amount FROM store_credit_capture(800011, 1, '1.25 EUR');
SELECT balance, available FROM balance WHERE account_id = 800011;

-- 27. An administrator overwrites the balance, and nobody knows who it was, and why; or a deduction becomes a grant.
UPDATE account SET balance = '1000 EUR' WHERE account_id = 800011;
UPDATE open_credit SET remaining = '1000 EUR' WHERE account_id = 800011;
UPDATE transaction SET amount = '1000 EUR' WHERE account_id = 800011 AND seq = 1;
DELETE FROM transaction WHERE account_id = 800011;
SELECT seq, kind, amount, balance_after, memo, issuer, recorded_by = session_user AS recorded FROM store_credit_edit(800011, 1, '12 EUR', memo => 'goodwill', issuer => 'Admin/7');
SELECT store_credit_set_account_limits(800011, credit_line => '20 EUR');
SELECT seq, balance_after FROM store_credit_debit('elsewhere/22', '20 EUR');
SELECT store_credit_edit(800011, 1, '4 EUR');
SELECT store_credit_edit(800011, 1, '-4 EUR');
SELECT balance FROM account WHERE account_id = 800011;

-- 28. There is no place for a note: every call that changes a credit has one, and 29. every note can be erased, the money staying.
SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'storecredit'::regnamespace AND provolatile = 'v' AND proname ~ '^store_credit_(credit|debit|refund|authorize|capture|revert|edit|revoke)$'
	AND NOT ('memo' = ANY (proargnames) AND 'issuer' = ANY (proargnames) AND 'reference' = ANY (proargnames) AND 'metadata' = ANY (proargnames));
UPDATE transaction SET memo = NULL, metadata = NULL WHERE account_id = 800011;
UPDATE hold SET memo = NULL, metadata = NULL WHERE account_id = 800011;
DELETE FROM account WHERE account_id = 800011;
SELECT count(*) FROM transaction WHERE account_id = 800011;

SELECT * FROM verify();
