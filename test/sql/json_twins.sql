-- The JSON twins: what is given and answered in Shopify's shapes, and the fields that Shopify does not have.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = "$user", public, storecredit;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-11-27 09:00:00.5+00';
ALTER SEQUENCE account_number_seq RESTART 940001;
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on

-- a credit, with all that can be said about it; the gid's first part comes back in the account's
SELECT jsonb_pretty(store_credit_account_credit('gid://shop/Customer/1', '{
	"creditAmount": {"amount": "20.50", "currencyCode": "USD"}, "expiresAt": "2026-12-31T12:30:00+01:00", "notify": true,
	"category": "refund", "memo": "Return R7", "reference": "Order/7", "issuer": "Admin/3", "idempotencyKey": "R7",
	"metadata": {"lines": [1, 2], "note": null}}'));
SELECT category, memo, reference, issuer, idempotency_key, metadata, expires_at FROM transaction WHERE account_id = 940001;
SELECT event, seq FROM notification WHERE account_id = 940001;
-- a debit, by the account's gid, of any application; it has no end
SELECT jsonb_pretty(store_credit_account_debit('gid://another-app/StoreCreditAccount/940001', '{
	"debitAmount": {"amount": 5.25, "currencyCode": "usd"}, "reference": "Order/8"}'));
-- a part of it
SELECT store_credit_account_debit('gid://shop/Customer/1', '{"debitAmount": {"amount": 100, "currencyCode": "USD"}, "allowPartial": true}')
	#> '{storeCreditAccountTransaction,amount}';
-- an owner who is no gid
SELECT store_credit_account_credit('Customer/2', '{"creditAmount": {"amount": 3000, "currencyCode": "JPY"}}')
	#> '{storeCreditAccountTransaction,account}';
SELECT store_credit_account_credit('gid://no-path', '{"creditAmount": {"amount": 1, "currencyCode": "JPY"}}')
	#> '{storeCreditAccountTransaction,account}';
SELECT owner FROM account WHERE account_id > 940001 AND currency = 'JPY' ORDER BY account_id;
-- a day is valid through its end, an instant is the first without the credit, nothing and null are never
SET storecredit.timezone = 'America/New_York';
SELECT e, store_credit_account_credit('Customer/3', jsonb_build_object('creditAmount', '{"amount": 1, "currencyCode": "USD"}'::jsonb, 'expiresAt', e))
	#>> '{storeCreditAccountTransaction,expiresAt}'
FROM (VALUES ('2026-12-31'), ('2026-12-31T00:00:00Z'), ('2026-12-31T00:00:00.000001-05:00'), ('2026-12-31 00:00'), (NULL), ('infinity')) AS v(e);
RESET storecredit.timezone;

-- the same key again: the first answer, but for the account's balance, which is today's
SELECT (store_credit_account_credit('gid://shop/Customer/1', '{
	"creditAmount": {"amount": "20.50", "currencyCode": "USD"}, "expiresAt": "2026-12-31T12:30:00+01:00", "notify": true,
	"category": "refund", "memo": "Return R7", "reference": "Order/7", "issuer": "Admin/3", "idempotencyKey": "R7",
	"metadata": {"lines": [1, 2], "note": null}}') -> 'storeCreditAccountTransaction') - '{createdAt,event,origin}'::text[];
-- also from the function that it is the twin of
SELECT seq FROM store_credit_credit('gid://shop/Customer/1', '20.50 USD', expires_at => '2026-12-31 11:30+00', notify => true, category => 'refund',
	memo => 'Return R7', reference => 'Order/7', issuer => 'Admin/3', idempotency_key => 'R7', metadata => '{"lines": [1, 2], "note": null}');

-- each refusal with its code and field; a replay with other parameters, a withdrawn currency and a debit's limit are no cases of Shopify's
CREATE FUNCTION pg_temp.errors(answer jsonb) RETURNS text LANGUAGE sql
	AS $$SELECT (answer -> 'storeCreditAccountTransaction')::text || ' ' || (answer -> 'userErrors')::text$$;
SELECT pg_temp.errors(store_credit_account_credit('gid://shop/Customer/1', '{"creditAmount": {"amount": 1, "currencyCode": "USD"}, "idempotencyKey": "R7"}'));
SELECT pg_temp.errors(store_credit_account_credit('Customer/4', '{"creditAmount": {"amount": 1, "currencyCode": "HRK"}}'));
SELECT store_credit_set_limit('JPY', max_debit => '10 JPY');
SELECT pg_temp.errors(store_credit_account_debit('Customer/2', '{"debitAmount": {"amount": 11, "currencyCode": "JPY"}}'));
SELECT store_credit_set_limit('JPY');
-- an account's number that is none
SELECT id, pg_temp.errors(store_credit_account_credit(id, '{"creditAmount": {"amount": 1, "currencyCode": "USD"}}'))
FROM unnest('{gid://shop/StoreCreditAccount/,gid://shop/StoreCreditAccount/1x,gid://shop/StoreCreditAccount/-1,gid://shop/StoreCreditAccount/ 1,
	gid://shop/StoreCreditAccount/+1,gid://shop/StoreCreditAccount/99999999999999999999}'::text[]) AS id;
-- they have left nothing behind, and the transaction goes on
BEGIN;
SELECT pg_temp.errors(store_credit_account_debit('Customer/2', '{"debitAmount": {"amount": 99999, "currencyCode": "JPY"}}'));
SELECT store_credit_account_debit('Customer/2', '{"debitAmount": {"amount": 3000, "currencyCode": "JPY"}}') -> 'userErrors';
COMMIT;
SELECT count(*), count(*) FILTER (WHERE owner = 'Customer/4') FROM account WHERE account_id >= 940001 AND account_id < 950000;
SELECT last_seq, balance FROM account WHERE account_id = 940001;

-- what GraphQL refuses before it executes is raised: other fields, other types, nothing where something must be
\pset format aligned
SELECT store_credit_account_credit('Customer/1', '[]');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_account_credit('Customer/1', '"creditAmount"');
SELECT store_credit_account_credit('Customer/1', '{}');
SELECT store_credit_account_credit('Customer/1', '{"creditAmount": null}');
SELECT store_credit_account_credit('Customer/1', '{"creditAmount": "1 USD"}');
SELECT store_credit_account_credit('Customer/1', '{"creditAmount": [1, "USD"]}');
SELECT store_credit_account_credit('Customer/1', '{"creditAmount": {"currencyCode": "USD"}}');
SELECT store_credit_account_credit('Customer/1', '{"creditAmount": {"amount": 1}}');
SELECT store_credit_account_credit('Customer/1', '{"creditAmount": {"amount": 1, "currencyCode": 840}}');
SELECT store_credit_account_credit('Customer/1', '{"creditAmount": {"amount": 1, "currencyCode": "USD", "minor": true}}');
SELECT store_credit_account_credit('Customer/1', '{"creditAmount": {"amount": true, "currencyCode": "USD"}}');
SELECT store_credit_account_credit('Customer/1', '{"creditAmount": {"amount": 1, "currencyCode": "USD"}, "expiresAt": 20281026}');
SELECT store_credit_account_credit('Customer/1', '{"creditAmount": {"amount": 1, "currencyCode": "USD"}, "notify": "yes"}');
SELECT store_credit_account_credit('Customer/1', '{"creditAmount": {"amount": 1, "currencyCode": "USD"}, "memo": 1}');
SELECT store_credit_account_credit('Customer/1', '{"creditAmount": {"amount": 1, "currencyCode": "USD"}, "allowPartial": true}');
SELECT store_credit_account_debit('Customer/1', '{"creditAmount": {"amount": 1, "currencyCode": "USD"}}');
SELECT store_credit_account_debit('Customer/1', '{"debitAmount": {"amount": 1, "currencyCode": "USD"}, "expiresAt": "2028-10-26"}');
SELECT store_credit_account_debit('Customer/1', '{"debitAmount": {"amount": 1, "currencyCode": "USD"}, "allowPartial": 1}');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
-- amounts that are none, or not exact, or in no currency of payment
SELECT store_credit_account_credit('Customer/1', '{"creditAmount": {"amount": "ten", "currencyCode": "USD"}}');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_account_credit('Customer/1', '{"creditAmount": {"amount": "NaN", "currencyCode": "USD"}}');
SELECT store_credit_account_credit('Customer/1', '{"creditAmount": {"amount": "10.001", "currencyCode": "USD"}}');
SELECT store_credit_account_credit('Customer/1', '{"creditAmount": {"amount": 0.5, "currencyCode": "JPY"}}');
SELECT store_credit_account_credit('Customer/1', '{"creditAmount": {"amount": 1e30, "currencyCode": "USD"}}');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_account_credit('Customer/1', '{"creditAmount": {"amount": 1, "currencyCode": "XAU"}}');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
-- days and instants that there are not
SELECT store_credit_account_credit('Customer/1', '{"creditAmount": {"amount": 1, "currencyCode": "USD"}, "expiresAt": "2028-02-30"}');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_account_credit('Customer/1', '{"creditAmount": {"amount": 1, "currencyCode": "USD"}, "expiresAt": ""}');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
-- ids and words
SELECT store_credit_account_credit(NULL, '{"creditAmount": {"amount": 1, "currencyCode": "USD"}}');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_account_credit('Customer/1', NULL);
SELECT store_credit_account_credit('', '{"creditAmount": {"amount": 1, "currencyCode": "USD"}}');
SELECT store_credit_account_credit(repeat('x', 256), '{"creditAmount": {"amount": 1, "currencyCode": "USD"}}');
SELECT store_credit_account_credit('Customer/1', '{"creditAmount": {"amount": 1, "currencyCode": "USD"}, "idempotencyKey": ""}');
SELECT store_credit_account_debit('Customer/1', jsonb_build_object('debitAmount', '{"amount": 1, "currencyCode": "USD"}'::jsonb, 'reference', repeat('x', 256)));

SELECT count(*) FROM account WHERE owner = 'Customer/1' AND account_id > 940000;
SELECT * FROM verify();
