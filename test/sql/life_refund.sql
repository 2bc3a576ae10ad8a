-- Refunds to store credit: the refund, and a bonus beside it for those who take credit instead of money; both or none.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = "$user", public, storecredit;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-11-27 09:00+00';
ALTER SEQUENCE account_number_seq RESTART 630001;
\set SHOW_CONTEXT never

-- given no bonus, when a return is refunded, it is one credit, which opens the account if there is none
SELECT account_id, seq, kind, amount, balance_after, created_at, expires_at, category, memo, reference, issuer,
	recorded_by = session_user AS recorded_by_session, idempotency_key, related_seq, metadata
FROM store_credit_refund('refund/anna', '40 USD', memo => 'Return R7', reference => 'Return/7', issuer => 'Returns', idempotency_key => 'r-7', metadata => '{"a": 1}');

-- a bonus of an amount: a credit of its own, which says what it is for and which refund it belongs to
SELECT seq, kind, amount, balance_after, category, memo, reference, issuer, idempotency_key, related_seq, metadata
FROM store_credit_refund('refund/anna', '40 USD', bonus => '5 USD', memo => 'Return R8', reference => 'Return/8', issuer => 'Returns', idempotency_key => 'r-8', metadata => '{"a": 1}');
SELECT balance, available FROM balance WHERE account_id = 630001;
-- or of a part of the refund
SELECT seq, amount, category, related_seq FROM store_credit_refund(630001, '40 USD', bonus_percent => 10);
-- nothing is no row, not a row of nothing
SELECT seq, amount, category FROM store_credit_refund(630001, '40 USD', bonus => '0 USD');
SELECT seq, amount, category FROM store_credit_refund(630001, '40 USD', bonus_percent => 0);
SELECT seq, amount, category FROM store_credit_refund(630001, '0.01 USD', bonus_percent => 50);
-- by numbers, for clients who know no money_ccy
SELECT seq, amount, category FROM store_credit_refund('refund/anna', 40.5, 'USD', bonus => 2.25);
SELECT seq, amount, category FROM store_credit_refund('refund/anna', 40.5, 'USD', bonus_percent => 2.5);
SELECT seq, amount, category FROM store_credit_refund('refund/anna', 40.5, 'USD');

-- a per cent is rounded to the minor unit, halves to the even one: of two decimals, of none, of three, of four
SELECT amount, percent, r[2] AS bonus, exact FROM (VALUES
	('0.50 USD'::money_ccy, 1.0, 0.5), ('1.50 USD', 1.0, 1.5), ('2.50 USD', 1.0, 2.5), ('3.50 USD', 1.0, 3.5), ('0.49 USD', 1.0, 0.49), ('0.51 USD', 1.0, 0.51),
	('99.99 USD', 12.5, 1249.875), ('0.10 USD', 5, 0.5), ('0.30 USD', 5, 1.5), ('0.05 USD', 10.000000000000000001, 0.50000000000000000005),
	('0.05 USD', 9.999999999999999999, 0.49999999999999999995), ('33.33 USD', 33.333333, 1110.99998889),
	('50 JPY', 1, 0.5), ('150 JPY', 1, 1.5), ('250 JPY', 1, 2.5), ('1001 JPY', 10, 100.1), ('1005 JPY', 10, 100.5), ('1015 JPY', 10, 101.5),
	('0.050 KWD', 1, 0.5), ('0.150 KWD', 1, 1.5), ('0.250 KWD', 1, 2.5), ('1.2345 CLF', 10, 1234.5), ('1.2355 CLF', 10, 1235.5)) AS cases(amount, percent, exact),
	LATERAL (SELECT array_agg(money_ccy_to_minor(t.amount) ORDER BY seq) FROM store_credit_refund('refund/round', cases.amount, bonus_percent => percent) t) AS r(r)
ORDER BY money_ccy_currency(amount) DESC, amount, percent;
-- more than all of it, if that is meant
SELECT seq, amount, category FROM store_credit_refund('refund/anna', '10 USD', bonus_percent => 150);

-- the bonus has an end of its own, or that of the refund
SELECT account_id, seq, category, expires_at FROM store_credit_refund('refund/ben', '40 USD', bonus => '5 USD', expires_on => '2027-12-31');
SELECT seq, category, expires_at FROM store_credit_refund('refund/ben', '40 USD', bonus => '5 USD', bonus_expires_on => '2026-12-31');
SELECT seq, category, expires_at FROM store_credit_refund('refund/ben', '40 USD', bonus => '5 USD', expires_at => '2027-06-30 12:00+00', bonus_expires_at => '2026-12-24 12:00+00');
SELECT seq, category, expires_at FROM store_credit_refund('refund/ben', '40 USD', bonus => '5 USD', expires_on => '2027-12-31', bonus_expires_at => 'infinity');
-- which is then spent first
SELECT account_id, category, expires_at FROM store_credit_refund('refund/cleo', '40 USD', bonus => '5 USD', bonus_expires_on => '2026-12-31');
SELECT seq, draws FROM store_credit_debit('refund/cleo', '7 USD');

-- a default of the currency applies where the call says nothing: per cent, an amount, or both
INSERT INTO refund_bonus (currency, percent, fixed) VALUES ('SEK', 10, NULL), ('NOK', NULL, '50 NOK'), ('DKK', 2.5, '10 DKK'), ('PLN', NULL, NULL), ('CZK', 0, '0 CZK');
SELECT amount, category FROM store_credit_refund('refund/default', '400 SEK');
SELECT amount, category FROM store_credit_refund('refund/default', '400 NOK');
SELECT amount, category FROM store_credit_refund('refund/default', '400.20 DKK');
SELECT amount, category FROM store_credit_refund('refund/default', '400 PLN');
SELECT amount, category FROM store_credit_refund('refund/default', '400 CZK');
SELECT amount, category FROM store_credit_refund('refund/default', '400 EUR');
-- not where it says something, nothing included
SELECT amount, category FROM store_credit_refund('refund/default', '400 SEK', bonus => '1 SEK');
SELECT amount, category FROM store_credit_refund('refund/default', '400 SEK', bonus_percent => 1);
SELECT amount, category FROM store_credit_refund('refund/default', '400 SEK', bonus => '0 SEK');
SELECT amount, category FROM store_credit_refund('refund/default', '400 SEK', bonus_percent => 0);
-- a change of it counts from the next call on
UPDATE refund_bonus SET percent = 20 WHERE currency = 'SEK';
SELECT amount, category FROM store_credit_refund('refund/default', '400 SEK');
-- what no default can be
INSERT INTO refund_bonus VALUES ('ISK', -1);
INSERT INTO refund_bonus VALUES ('ISK', 'infinity');
INSERT INTO refund_bonus VALUES ('ISK', 'NaN');
INSERT INTO refund_bonus VALUES ('ISK', 10, '1 USD');
INSERT INTO refund_bonus VALUES ('ISK', 10, '-1 ISK');

-- one key for both, and both come again, whatever the default is by then and whatever was done with them since
SELECT account_id, seq, amount, category FROM store_credit_refund('refund/key', '400 SEK', idempotency_key => 'k');
DELETE FROM refund_bonus WHERE currency = 'SEK';
SELECT seq FROM store_credit_debit('refund/key', '450 SEK');
SELECT seq, amount, category FROM store_credit_refund('refund/key', '400 SEK', idempotency_key => 'k');
SELECT last_seq, balance FROM account WHERE owner = 'refund/key';
-- one that had no bonus has none when it comes again, whatever the entry after it is
SELECT seq, amount FROM store_credit_refund('refund/key', '10 SEK', idempotency_key => 'none');
SELECT seq, kind, related_seq FROM store_credit_edit(630014, 4, '9 SEK');
SELECT seq, amount FROM store_credit_refund('refund/key', '10 SEK', idempotency_key => 'none');
-- any other argument is refused
SELECT seq, amount FROM store_credit_refund('refund/key', '10 SEK', bonus => '1 SEK', bonus_expires_on => '2027-03-31', idempotency_key => 'args');
CREATE FUNCTION pg_temp.answer(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	entries text;
	name text;
BEGIN
	EXECUTE format('SELECT string_agg(format(''%%s %%s'', seq, amount), '', '' ORDER BY seq) FROM %s', call) INTO entries;
	RETURN entries;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS name = CONSTRAINT_NAME;
	RETURN SQLSTATE || ' ' || name;
END$$;
SELECT call, pg_temp.answer(call) FROM (VALUES
	($$store_credit_refund('refund/key', '10 SEK', bonus => '1 SEK', bonus_expires_on => '2027-03-31', idempotency_key => 'args')$$),
	($$store_credit_refund(630014, '10 SEK', bonus => '1 SEK', bonus_expires_on => '2027-03-31', idempotency_key => 'args')$$),
	($$store_credit_refund('refund/key', 10, 'SEK', bonus => 1, bonus_expires_at => '2027-04-01 00:00+00', idempotency_key => 'args')$$),
	($$store_credit_refund('refund/key', '10 SEK', bonus_percent => 10, bonus_expires_on => '2027-03-31', idempotency_key => 'args')$$),
	($$store_credit_refund('refund/key', '10.01 SEK', bonus => '1 SEK', bonus_expires_on => '2027-03-31', idempotency_key => 'args')$$),
	($$store_credit_refund('refund/key', '10 SEK', bonus => '1.01 SEK', bonus_expires_on => '2027-03-31', idempotency_key => 'args')$$),
	($$store_credit_refund('refund/key', '10 SEK', bonus_expires_on => '2027-03-31', idempotency_key => 'args')$$),
	($$store_credit_refund('refund/key', '10 SEK', bonus => '1 SEK', idempotency_key => 'args')$$),
	($$store_credit_refund('refund/key', '10 SEK', bonus => '1 SEK', expires_on => '2027-03-31', idempotency_key => 'args')$$),
	($$store_credit_refund('refund/key', '10 SEK', bonus => '1 SEK', bonus_expires_on => '2027-03-31', idempotency_key => 'args', notify => true)$$),
	($$store_credit_refund('refund/key', '10 SEK', bonus => '1 SEK', bonus_expires_on => '2027-03-31', idempotency_key => 'args', memo => '')$$),
	($$store_credit_credit('refund/key', '10 SEK', category => 'refund', idempotency_key => 'args')$$),
	($$store_credit_credit('refund/key', '10 SEK', idempotency_key => 'none')$$)) AS calls(call);

-- a limit refuses both, whichever of the two is too much
SELECT store_credit_set_limit('CHF', max_balance => '100 CHF', max_credit => '60 CHF');
SELECT store_credit_refund('refund/limit', '60.01 CHF', bonus => '1 CHF');
SELECT store_credit_refund('refund/limit', '1 CHF', bonus => '60.01 CHF');
SELECT store_credit_refund('refund/limit', '60 CHF', bonus => '40.01 CHF');
SELECT count(*) FROM account WHERE owner = 'refund/limit';
SELECT seq, balance_after FROM store_credit_refund('refund/limit', '60 CHF', bonus => '40 CHF');
SELECT store_credit_refund('refund/limit', '0.01 CHF');
SELECT last_seq, balance FROM account WHERE owner = 'refund/limit';
SELECT store_credit_set_limit('CHF');

-- what no call can mean: one of two bonuses, an amount that is none, of a refund or of a bonus, or in another currency
SELECT store_credit_refund('refund/none', '10 USD', bonus => '1 USD', bonus_percent => 10);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_refund('refund/none', '0 USD', bonus => '1 USD');
SELECT store_credit_refund('refund/none', '-1 USD');
SELECT store_credit_refund('refund/none', '10 USD', bonus => '-0.01 USD');
SELECT store_credit_refund('refund/none', '10 USD', bonus_percent => -10);
SELECT store_credit_refund('refund/none', '10 USD', bonus => '1 EUR');
SELECT store_credit_refund(630014, '10 EUR');
SELECT store_credit_refund('refund/none', '10 USD', bonus_percent => 'NaN');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_refund('refund/none', '10 USD', bonus_percent => 'infinity');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_refund('refund/none', '10 USD', bonus_percent => 1e30);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_refund('refund/none', '1 USD', bonus => '92233720368547758.07 USD');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_refund('refund/none', '10 USD', expires_at => '2027-01-01', expires_on => '2027-01-01');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_refund('refund/none', '10 USD', bonus => '1 USD', bonus_expires_at => '2027-01-01', bonus_expires_on => '2027-01-01');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_refund('refund/none', '10 USD', expires_at => '2026-11-27 09:00+00');
SELECT store_credit_refund('refund/none', '10 USD', bonus => '1 USD', bonus_expires_on => '2026-11-26');
SELECT store_credit_refund('refund/none', NULL::money_ccy);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_refund('refund/none', '1 HRK');
SELECT store_credit_refund(730999, '10 USD');
SELECT count(*) FROM account WHERE owner = 'refund/none';
-- where there is no bonus, its end does not matter
SELECT account_id, seq FROM store_credit_refund('refund/none', '10 USD', bonus_expires_on => '2026-11-26');

-- what is told to the customer
SELECT seq FROM store_credit_refund('refund/none', '10 USD', bonus => '1 USD', notify => true);
SELECT n.event, t.seq, t.amount, t.category FROM notification n JOIN transaction t USING (account_id, seq) JOIN account a USING (account_id)
WHERE a.owner = 'refund/none' ORDER BY notification_id;

DELETE FROM refund_bonus;
SELECT * FROM verify();
