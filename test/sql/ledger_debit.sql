-- Debits: from the credit that ends first on, the whole amount or nothing, unless a part is asked for.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = "$user", public, storecredit;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-11-27 09:00+00';
ALTER SEQUENCE account_number_seq RESTART 820001;
\set SHOW_CONTEXT never

-- given credits of five kinds of end, issued in another order than they will be drawn on
SELECT seq, expires_at, memo FROM store_credit_credit('debit/order', '10 USD', memo => 'never');
SELECT seq, expires_at, memo FROM store_credit_credit('debit/order', '10 USD', expires_on => '2027-12-31', memo => 'next year');
SELECT seq, expires_at, memo FROM store_credit_credit('debit/order', '10 USD', memo => 'never, younger');
SELECT seq, expires_at, memo FROM store_credit_credit('debit/order', '10 USD', expires_on => '2026-12-31', memo => 'this year');
SELECT seq, expires_at, memo FROM store_credit_credit('debit/order', '10 USD', expires_on => '2026-12-31', memo => 'this year, younger');
-- when a part of the first is taken
SELECT seq, kind, amount, balance_after, draws FROM store_credit_debit('debit/order', '4 USD');
-- and the rest of it, with what follows
SELECT seq, kind, amount, balance_after, draws FROM store_credit_debit('debit/order', '36.01 USD', reference => 'Order/R1');
-- then each credit shows what took it
SELECT debit_seq, credit_seq, c.memo, l.amount FROM allocation l
JOIN transaction c ON c.account_id = l.account_id AND c.seq = l.credit_seq
WHERE l.account_id = 820001 ORDER BY debit_seq, c.expires_at, credit_seq;
SELECT seq, expires_at, remaining FROM open_credit WHERE account_id = 820001;
SELECT balance, available, next_expiry FROM balance WHERE account_id = 820001;
-- and a younger credit that ends sooner goes first again
SELECT seq FROM store_credit_credit('debit/order', '1 USD', expires_on => '2026-11-28');
SELECT seq, balance_after, draws FROM store_credit_debit(820001, '2 USD');

-- a debit keeps what was said about it, and says who
SELECT seq, kind, amount, balance_after, created_at, expires_at, category, memo, reference, issuer, idempotency_key, metadata, draws
FROM store_credit_debit('debit/order', '0.01 USD', category => 'order', memo => 'Paid at the till', reference => 'Order/R2',
	issuer => 'POS/4', idempotency_key => 'R2-1', notify => true, metadata => '{"till": 4}') \gx

-- more than there is, is refused and changes nothing
SELECT store_credit_debit('debit/order', '8.99 USD');
SELECT balance, available FROM balance WHERE account_id = 820001;
SELECT store_credit_debit('debit/order', '0 USD');
SELECT store_credit_debit('debit/order', '-1 USD');
SELECT store_credit_debit('debit/order', '1 EUR');
SELECT store_credit_debit(820001, '1 EUR');
SELECT store_credit_debit(820001, '0 EUR');
SELECT store_credit_debit(820999, '0 EUR');
SELECT store_credit_debit('debit/nobody', '1 USD');
SELECT count(*) FROM account WHERE owner = 'debit/nobody';
SELECT last_seq, balance FROM account WHERE account_id = 820001;

-- or in part: as much as there is, the whole where that suffices, and never nothing
SELECT seq, amount, balance_after, draws FROM store_credit_debit('debit/order', '2 USD', allow_partial => true);
SELECT seq, amount, balance_after, draws FROM store_credit_debit('debit/order', '1000 USD', allow_partial => true);
SELECT store_credit_debit('debit/order', '0.01 USD', allow_partial => true);
SELECT count(*) FROM open_credit WHERE account_id = 820001;

-- forty small credits, and one debit that uses up most of them
SELECT max(seq) AS seq, max(balance_after) AS balance FROM generate_series(1, 40) AS n,
	LATERAL store_credit_credit('debit/many', '1 USD', expires_at => timestamptz '2027-01-01 00:00+00' + n * interval '1 day');
SELECT seq, amount, balance_after, cardinality(draws) / 2 AS credits FROM store_credit_debit('debit/many', '37.50 USD');
SELECT count(*), min(credit_seq), max(credit_seq), sum(amount) FROM allocation WHERE account_id = 820002;
SELECT seq, remaining FROM open_credit WHERE account_id = 820002 ORDER BY expires_at;
SELECT seq, amount, balance_after, draws FROM store_credit_debit('debit/many', '2.50 USD');

-- the order and its payment commit together, or not at all
CREATE TEMP TABLE orders (id int, paid money_ccy);
SELECT seq FROM store_credit_credit('debit/order', '30 USD');
BEGIN;
INSERT INTO orders SELECT 1, -amount FROM store_credit_debit('debit/order', '12 USD', reference => 'Order/1');
SELECT store_credit_balance('debit/order', 'USD');
ROLLBACK;
SELECT store_credit_balance('debit/order', 'USD'), (SELECT count(*) FROM orders) AS orders;
-- a savepoint takes back what came after it, and the numbers with it
BEGIN;
INSERT INTO orders SELECT 2, -amount FROM store_credit_debit('debit/order', '12 USD', reference => 'Order/2');
SAVEPOINT gift;
SELECT seq, balance_after FROM store_credit_debit('debit/order', '3 USD', memo => 'Gift wrap');
ROLLBACK TO gift;
SELECT seq, balance_after FROM store_credit_debit('debit/order', '4 USD', memo => 'Another gift wrap');
SAVEPOINT too_much;
SELECT seq, balance_after FROM store_credit_debit('debit/order', '40 USD');
ROLLBACK TO too_much;
SELECT seq, balance_after FROM store_credit_credit('debit/order', '1 USD');
COMMIT;
SELECT seq, kind, amount, balance_after, memo, reference, draws FROM transaction
WHERE account_id = 820001 ORDER BY seq DESC LIMIT 4;
SELECT * FROM orders;
-- several calls in one statement see one another
SELECT n, d.seq, d.balance_after FROM generate_series(1, 3) AS n, LATERAL store_credit_debit('debit/order', '1 USD', memo => n::text) AS d;
-- and a call sees what the statement that makes it has written
WITH opened AS (UPDATE account SET credit_line = '20 USD' WHERE account_id = 820001 RETURNING account_id)
SELECT seq, balance_after FROM opened, LATERAL store_credit_debit(opened.account_id, '30 USD');
-- a refusal that is caught leaves nothing of itself
DO $$
BEGIN
	BEGIN
		PERFORM store_credit_debit('debit/order', '3 USD');
		PERFORM store_credit_debit('debit/order', '100 USD');
	EXCEPTION WHEN SQLSTATE 'SC003' THEN
		PERFORM store_credit_debit('debit/order', '1 USD', memo => 'instead');
	END;
END$$;
SELECT seq, amount, balance_after, memo FROM transaction WHERE account_id = 820001 ORDER BY seq DESC LIMIT 2;

SELECT * FROM verify();
