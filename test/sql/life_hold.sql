-- Holds: a checkout sets money aside, then takes it, in one piece or in several, or lets it go.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = "$user", public, storecredit;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-11-27 09:00+00';
ALTER SEQUENCE account_number_seq RESTART 610001;
\set SHOW_CONTEXT never

-- given three credits, of which the second ends first
SELECT account_id, seq FROM store_credit_credit('hold/anna', '10 USD');
SELECT seq FROM store_credit_credit('hold/anna', '20 USD', expires_on => '2026-12-10');
SELECT seq FROM store_credit_credit('hold/anna', '30 USD', expires_on => '2026-12-31');

-- when 35.00 are set aside, they come from the credits in the order in which a debit would take them
SELECT hold_id, amount, captured, status, created_at, expires_at, closed_at, memo, reference, issuer, recorded_by = session_user AS recorded_by_session,
	metadata, authorized, draws
FROM store_credit_authorize('hold/anna', '35 USD', memo => 'checkout', reference => 'Cart/1', issuer => 'Web/1', metadata => '{"step": 3}');
SELECT balance, held, available, next_expiry FROM balance WHERE account_id = 610001;
SELECT store_credit_balance('hold/anna', 'USD');
SELECT seq, remaining FROM open_credit WHERE account_id = 610001 ORDER BY expires_at, seq;
SELECT debit_seq, credit_seq, amount, kind, hold_id FROM allocation WHERE account_id = 610001;
-- it is no entry in the history: nothing is spent yet
SELECT last_seq, last_hold_id FROM account WHERE account_id = 610001;

-- nobody else can have it, neither by a debit nor by another hold
SELECT store_credit_debit('hold/anna', '25.01 USD');
SELECT store_credit_authorize(610001, '25.01 USD');
SELECT seq, amount, balance_after, draws FROM store_credit_debit('hold/anna', '25.01 USD', allow_partial => true);
SELECT store_credit_debit('hold/anna', '0.01 USD', allow_partial => true);
SELECT store_credit_authorize('hold/anna', '0.01 USD', allow_partial => true);

-- and it cannot end: after both ends it is there, and can be captured
SET storecredit.test_clock = '2027-01-05 09:00+00';
SELECT balance, held, available FROM balance WHERE account_id = 610001;
SELECT seq, kind, amount, balance_after, category, memo, reference, issuer, hold_id, draws, metadata
FROM store_credit_capture(610001, 1, category => 'order', memo => 'Order R1', reference => 'Order/R1', issuer => 'Web/2', metadata => '{"a": 1}');
SELECT hold_id, amount, captured, status, closed_at, authorized, draws FROM hold WHERE account_id = 610001;
SELECT balance, held, available FROM balance WHERE account_id = 610001;
SELECT debit_seq, credit_seq, amount, kind, hold_id, seq FROM allocation WHERE account_id = 610001 ORDER BY seq, credit_seq;

-- a part is captured and the rest let go, the last drawn first: it goes back to where it came from
SET storecredit.test_clock = '2026-11-27 09:00+00';
SELECT account_id, seq FROM store_credit_credit('hold/ben', '20 USD', expires_on => '2026-12-10');
SELECT seq FROM store_credit_credit('hold/ben', '30 USD');
SELECT hold_id, draws FROM store_credit_authorize('hold/ben', '40 USD');
SELECT seq, amount, balance_after, hold_id, draws FROM store_credit_capture(610002, 1, '25 USD');
SELECT amount, captured, status, closed_at, authorized, draws FROM hold WHERE account_id = 610002;
SELECT seq, remaining FROM open_credit WHERE account_id = 610002 ORDER BY expires_at, seq;
SELECT debit_seq, credit_seq, amount, kind, hold_id, seq FROM allocation WHERE account_id = 610002 ORDER BY seq, credit_seq;

-- or the rest stays set aside, for one shipment after the other; the last one closes the hold
SELECT hold_id, draws FROM store_credit_authorize('hold/ben', '20 USD', reference => 'Cart/2');
SELECT seq, amount, balance_after, draws FROM store_credit_capture(610002, 2, '5 USD', final => false);
SELECT status, captured, draws, closed_at FROM hold WHERE account_id = 610002 AND hold_id = 2;
SELECT balance, held, available FROM balance WHERE account_id = 610002;
SELECT seq, amount, balance_after, draws FROM store_credit_capture(610002, 2, '7.50 USD', final => false);
SELECT seq, amount, balance_after, draws FROM store_credit_capture(610002, 2, final => false);
SELECT status, captured, draws, closed_at FROM hold WHERE account_id = 610002 AND hold_id = 2;
SELECT hold_id, sum(amount), count(*) FROM transaction WHERE account_id = 610002 AND kind = 'debit' GROUP BY hold_id ORDER BY hold_id;

-- a hold over several credits, captured in parts: each part takes the next of what was drawn
SELECT account_id, seq FROM store_credit_credit('hold/cleo', '3 USD', expires_on => '2026-12-10');
SELECT seq FROM store_credit_credit('hold/cleo', '3 USD', expires_on => '2026-12-11');
SELECT seq FROM store_credit_credit('hold/cleo', '3 USD', expires_on => '2026-12-12');
SELECT hold_id, draws FROM store_credit_authorize('hold/cleo', '9 USD');
SELECT amount, draws FROM store_credit_capture(610003, 1, '4 USD', final => false);
SELECT amount, draws FROM store_credit_capture(610003, 1, '1 USD', final => false);
SELECT amount, draws FROM store_credit_capture(610003, 1, '2 USD');
SELECT seq, remaining FROM open_credit WHERE account_id = 610003;
SELECT coalesce(debit_seq::text, kind) AS debit, credit_seq, amount FROM allocation WHERE account_id = 610003 ORDER BY seq, credit_seq;

-- void lets go of all of it
SELECT account_id, seq FROM store_credit_credit('hold/dora', '20 USD', expires_on => '2026-12-10');
SELECT hold_id FROM store_credit_authorize('hold/dora', '12 USD');
SELECT hold_id, amount, captured, status, closed_at, authorized, draws FROM store_credit_void(610004, 1);
SELECT balance, held, available FROM balance WHERE account_id = 610004;
SELECT seq, remaining FROM open_credit WHERE account_id = 610004;
SELECT credit_seq, amount, kind, hold_id FROM allocation WHERE account_id = 610004;
-- also of what is left after a part was captured
SELECT hold_id FROM store_credit_authorize('hold/dora', '12 USD');
SELECT seq, balance_after FROM store_credit_capture(610004, 2, '2 USD', final => false);
SELECT amount, captured, status, draws FROM store_credit_void(610004, 2);
SELECT balance, held, available FROM balance WHERE account_id = 610004;

-- a hold is closed once: whatever comes then is refused, and changes nothing
CREATE TEMP TABLE before AS SELECT a.*, h.hold_id, h.status, h.captured FROM account a JOIN hold h USING (account_id);
SELECT store_credit_void(610004, 1);
SELECT store_credit_void(610004, 2);
SELECT store_credit_capture(610004, 1);
SELECT store_credit_capture(610004, 1, '1 USD', final => false);
SELECT store_credit_capture(610002, 2, '0.01 USD');
SELECT store_credit_void(610001, 1);
-- and so is what a hold does not have, or what is no amount
SELECT hold_id FROM store_credit_authorize('hold/dora', '10 USD');
INSERT INTO before SELECT a.*, h.hold_id, h.status, h.captured FROM account a JOIN hold h USING (account_id) WHERE a.account_id = 610004 AND hold_id = 3;
UPDATE before b SET held = a.held, last_hold_id = a.last_hold_id FROM account a WHERE a.account_id = b.account_id;
SELECT store_credit_capture(610004, 3, '10.01 USD');
SELECT store_credit_capture(610004, 3, '0 USD');
SELECT store_credit_capture(610004, 3, '-1 USD');
SELECT store_credit_capture(610004, 3, '1 EUR');
-- its currency is looked at before its size
SELECT store_credit_capture(610004, 3, '5000 JPY');
SELECT store_credit_capture(610004, 4);
SELECT store_credit_capture(710999, 1);
SELECT store_credit_void(610004, 0);
SELECT store_credit_void(710999, 1);
SELECT count(*) AS changed FROM account a JOIN hold h USING (account_id) FULL JOIN before b USING (account_id, hold_id)
WHERE (a.last_seq, a.last_hold_id, a.balance, a.held, h.status, h.captured) IS DISTINCT FROM
	(b.last_seq, b.last_hold_id, b.balance, b.held, b.status, b.captured) AND a.account_id BETWEEN 610001 AND 710999;

-- after a part, no more than the rest
SELECT seq FROM store_credit_capture(610004, 3, '4 USD', final => false);
SELECT store_credit_capture(610004, 3, '6.01 USD');
SELECT seq, balance_after FROM store_credit_capture(610004, 3, '6 USD');

-- in part, if that is all there is
SELECT hold_id, amount, authorized FROM store_credit_authorize('hold/dora', '100 USD', allow_partial => true);
-- by numbers, for clients who know no money_ccy, and with a null for what is not said
SELECT account_id FROM store_credit_credit('hold/emil', '5 USD');
SELECT hold_id, amount, memo, issuer = session_user AS by_session FROM store_credit_authorize('hold/emil', 2.50, 'USD', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SELECT seq, amount FROM store_credit_capture(610005, 1, NULL, NULL);
SELECT status FROM hold WHERE account_id = 610005;

-- what no call can mean
SELECT store_credit_authorize('hold/emil', '0 USD');
SELECT store_credit_authorize('hold/emil', '-1 USD');
SELECT store_credit_authorize(610005, '1 EUR');
SELECT store_credit_authorize('hold/emil', '1 EUR');
SELECT store_credit_authorize('hold/emil', '1 USD', expires_at => '2026-11-27 09:00+00');
SELECT store_credit_authorize('hold/emil', '-1 USD', expires_at => '-infinity');
SELECT store_credit_authorize('hold/emil', NULL::money_ccy);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_authorize(NULL::text, '1 USD');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_authorize('', '1 USD');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_capture(NULL, 1);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_capture(610005, NULL);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_void(610005, NULL);
\echo SQLSTATE :LAST_ERROR_SQLSTATE

-- the most that one debit may take is the most that one hold may set aside
SELECT store_credit_set_limit('SEK', max_debit => '5 SEK');
SELECT seq FROM store_credit_credit('hold/emil', '20 SEK');
SELECT store_credit_authorize('hold/emil', '5.01 SEK');
SELECT hold_id, amount FROM store_credit_authorize('hold/emil', '5 SEK');
SELECT store_credit_set_limit('SEK');

-- a hold is one account's: the same owner's in another currency counts its own
SELECT account_id, hold_id, amount FROM hold WHERE account_id > 610004 AND account_id < 611000 ORDER BY account_id, hold_id;
-- a new credit that ends sooner does not change what a hold has drawn on
SELECT seq FROM store_credit_credit('hold/emil', '5 SEK', expires_on => '2026-11-30');
SELECT draws FROM hold WHERE account_id = 610006;
SELECT amount, draws FROM store_credit_capture(610006, 1);

-- what is told to the customer
SELECT hold_id FROM store_credit_authorize('hold/emil', '2 SEK');
SELECT seq FROM store_credit_capture(610006, 2, notify => true);
SELECT n.event, t.seq, t.amount FROM notification n JOIN transaction t USING (account_id, seq) WHERE n.account_id = 610006;

SELECT * FROM verify();
