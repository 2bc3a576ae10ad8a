-- What a call may be given: two ways to name the account, two ways to write the amount, any owner, any search_path, any amount.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = "$user", public, storecredit;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-11-27 09:00+00';
ALTER SEQUENCE account_number_seq RESTART 870001;
\set SHOW_CONTEXT never

-- four overloads of each, by owner or account, with a money_ccy or with a number and a code
SELECT account_id, seq, amount FROM store_credit_credit('arg/one', '10 USD');
SELECT account_id, seq, amount FROM store_credit_credit('arg/one', 10, 'USD');
SELECT account_id, seq, amount FROM store_credit_credit(870001, '10 USD');
SELECT account_id, seq, amount FROM store_credit_credit(870001, 10.50, 'usd');
SELECT account_id, seq, amount FROM store_credit_debit('arg/one', '1 USD');
SELECT account_id, seq, amount FROM store_credit_debit('arg/one', 1, 'USD');
SELECT account_id, seq, amount FROM store_credit_debit(870001, '1 USD');
SELECT account_id, seq, amount FROM store_credit_debit(870001, 0.01, 'USD', true);
-- a text in digits is an owner
SELECT account_id, seq FROM store_credit_credit('870001', '1 USD');
-- names may be used throughout, in any order; drivers that send each parameter as text of no type need them
SELECT seq, amount, memo FROM store_credit_credit(memo => 'm', currency => 'USD', amount => '1', owner => 'arg/one');
PREPARE credit AS SELECT seq, amount FROM store_credit_credit(owner => $1, amount => $2, currency => $3, expires_on => $4, idempotency_key => $5);
EXECUTE credit ('arg/one', '2', 'USD', '2026-12-31', 'k1');
PREPARE debit AS SELECT seq, amount FROM store_credit_debit(account_id => $1, amount => $2, idempotency_key => $3);
EXECUTE debit ('870001', '3 USD', 'k2');
SELECT store_credit_credit('arg/one', '10', 'USD');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
-- the number is exact, or refused
SELECT store_credit_credit('arg/one', 10.001, 'USD');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_credit('arg/one', 10.5, 'JPY');
SELECT amount FROM store_credit_credit('arg/one', 10.500, 'BHD');
SELECT store_credit_credit('arg/one', 'NaN', currency => 'USD');
SELECT store_credit_credit('arg/one', 1, 'XXX');
SELECT store_credit_credit('arg/one', 1, 'USDC');
SELECT store_credit_balance('arg/one', 'USDC');
SELECT store_credit_balance('arg/one', 'usd'), store_credit_balance('arg/one', 'EUR'), store_credit_balance('arg/nobody', 'JPY');

-- nothing where something must be
SELECT store_credit_credit(NULL::text, '1 USD');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_credit(NULL::bigint, '1 USD');
SELECT store_credit_credit('arg/one', NULL::money_ccy);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_credit('arg/one', NULL::numeric, 'USD');
SELECT store_credit_credit('arg/one', 1, NULL::text);
SELECT store_credit_debit(NULL::text, '1 USD');
SELECT store_credit_debit(NULL::bigint, '1 USD');
SELECT store_credit_debit('arg/one', NULL::money_ccy);
SELECT store_credit_balance(NULL, 'USD');
SELECT store_credit_balance('arg/one', NULL);
\echo SQLSTATE :LAST_ERROR_SQLSTATE

-- any owner that is not empty and at most 255 letters long, however it is spelt
SELECT store_credit_credit('', '1 USD');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_credit(repeat('ж', 256), '1 USD');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_debit('', '1 USD');
SELECT store_credit_balance(repeat('x', 256), 'USD');
CREATE TEMP TABLE owners (n int, owner text);
INSERT INTO owners VALUES
	(1, 'gid://shopify/Customer/544365967'), (2, '6ba7b810-9dad-11d1-80b4-00c04fd430c8'), (3, ' '),
	(4, 'O''Brien'), (5, '''; DROP TABLE storecredit.account; --'), (6, '"quoted"'), (7, 'back\slash\'), (8, E'line\nbreak\ttab'),
	(9, '$$dollar$$'), (10, '%s%n%d'), (11, 'Žlutý kůň 🐎'), (12, 'e' || chr(769)), (13, 'é'), (14, '(1,2)'), (15, '{}'), (16, 'NULL'),
	(17, repeat('ж', 255)), (18, repeat('x', 255));
SELECT n, c.seq, c.balance_after FROM owners, LATERAL store_credit_credit(owner, '2 USD', memo => owner, metadata => to_jsonb(owner)) AS c;
SELECT n, d.seq, d.balance_after, store_credit_account_debit(owner, '{"debitAmount": {"amount": 1, "currencyCode": "USD"}}')
		#>> '{storeCreditAccountTransaction,amount,amount}' AS json
FROM owners, LATERAL store_credit_debit(owner, '1 USD', reference => owner, issuer => owner, idempotency_key => owner) AS d;
SELECT count(*), count(*) FILTER (WHERE a.balance = '0 USD' AND a.last_seq = 3 AND c.memo = o.owner AND d.issuer = o.owner) AS as_given
FROM owners o JOIN account a ON a.owner = o.owner COLLATE "C" AND a.currency = 'USD'
JOIN transaction c ON c.account_id = a.account_id AND c.seq = 1
JOIN transaction d ON d.account_id = a.account_id AND d.seq = 2;
-- the short texts that go with a call have the same bounds, the memo has none
SELECT store_credit_credit('arg/one', '1 USD', category => '');
SELECT store_credit_credit('arg/one', '1 USD', reference => repeat('x', 256));
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_debit('arg/one', '1 USD', issuer => '');
SELECT memo = '' AS empty_memo, length(category) FROM store_credit_credit('arg/one', '1 USD', memo => '', category => repeat('x', 255));

-- every amount that there is
SELECT account_id AS big, amount FROM store_credit_credit('arg/big', '92233720368547758.07 USD') \gset
SELECT store_credit_credit('arg/big', '0.01 USD');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT seq, balance_after FROM store_credit_debit('arg/big', '92233720368547758.07 USD');
SELECT store_credit_debit('arg/big', '0.01 USD');
-- and every amount that can be owed
SELECT store_credit_set_account_limits(:big, credit_line => '92233720368547758.07 USD');
SELECT seq, balance_after FROM store_credit_debit('arg/big', '92233720368547758.07 USD');
SELECT store_credit_debit('arg/big', '0.01 USD');
SELECT store_credit_debit('arg/big', '-92233720368547758.08 USD');
SELECT seq, balance_after, draws FROM store_credit_credit('arg/big', '92233720368547758.07 USD');
-- what is available is told up to the largest amount
SELECT seq, balance_after FROM store_credit_credit('arg/big', '92233720368547758.07 USD');
SELECT store_credit_balance('arg/big', 'USD'), balance, available FROM balance WHERE account_id = :big;
SELECT seq, balance_after FROM store_credit_debit('arg/big', '92233720368547758.07 USD', allow_partial => true);
SELECT seq, balance_after FROM store_credit_debit('arg/big', '92233720368547758.07 USD', allow_partial => true);
SELECT store_credit_set_account_limits(:big, credit_line => '92233720368547758.07 USD');
-- accounts up to the largest number
BEGIN;
SET LOCAL storecredit.cell = 32767;
ALTER SEQUENCE account_number_seq RESTART 281474976710655;
SELECT account_id FROM store_credit_credit('arg/last', '1 USD');
SELECT seq FROM store_credit_credit(9223372036854775807, '1 USD');
SELECT store_credit_credit('arg/after the last', '1 USD');
ROLLBACK;
SELECT store_credit_debit(-1, '1 USD');

-- qualified calls need no search_path; what lies in front of it does not matter
CREATE SCHEMA regress_storecredit;
CREATE FUNCTION regress_storecredit.pretend(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR regress_storecredit.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = regress_storecredit.pretend);
CREATE FUNCTION regress_storecredit.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT timestamptz ''2000-01-01''';
CREATE TABLE regress_storecredit.account (owner text);
SET search_path = '';
SELECT seq, balance_after FROM storecredit.store_credit_credit('arg/path', '5 USD');
SELECT seq, balance_after FROM storecredit.store_credit_credit('arg/path', 5, 'USD', expires_on => '2026-12-31');
SELECT seq, balance_after FROM storecredit.store_credit_debit('arg/path', '1 USD', idempotency_key => 'k', notify => true);
SELECT seq, balance_after FROM storecredit.store_credit_debit('arg/path', '1 USD', idempotency_key => 'k', notify => true);
SELECT storecredit.store_credit_balance('arg/path', 'USD');
SELECT storecredit.store_credit_account_debit('arg/path', '{"debitAmount": {"amount": 1, "currencyCode": "USD"}}') -> 'userErrors' AS errors;
SELECT balance, available FROM storecredit.balance WHERE owner = 'arg/path';
SELECT * FROM storecredit.verify();
SET search_path = regress_storecredit, storecredit, pg_catalog;
SELECT seq, balance_after FROM store_credit_credit('arg/path', '5 USD');
SELECT seq, balance_after FROM store_credit_debit('arg/path', '1 USD', idempotency_key => 'l');
SELECT * FROM verify();
SET search_path = "$user", public, storecredit;
DROP SCHEMA regress_storecredit CASCADE;

-- (f(...)).* calls f once for each column; FROM calls it once
SELECT (store_credit_credit('arg/star', '1 USD')).* \gset star_
SELECT last_seq, balance FROM account WHERE owner = 'arg/star';
SELECT * FROM store_credit_credit('arg/star', '1 USD') \gset star_
SELECT last_seq, balance FROM account WHERE owner = 'arg/star';

-- a read-only transaction changes nothing, and may look
BEGIN READ ONLY;
SELECT store_credit_balance('arg/path', 'USD');
SAVEPOINT before;
SELECT store_credit_debit('arg/path', '1 USD');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
ROLLBACK TO before;
SELECT store_credit_credit('arg/path', '1 USD');
ROLLBACK TO before;
SELECT store_credit_set_limit('USD');
ROLLBACK TO before;
SELECT store_credit_set_account_limits(870001);
ROLLBACK;

SELECT * FROM verify();
