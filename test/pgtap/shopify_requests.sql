-- Requests and answers of Shopify's storeCreditAccountCredit and storeCreditAccountDebit: each request gives the same answer here,
-- by either of the ledger's two ways to its rows.  A1 to A7 are the examples of the two pages of Shopify's documentation; B1 to B24
-- were recorded from a live development store (github.com/airhorns/shopify-draft-proxy, commit 1fba7c18, 2026-05 to 2026-07).
--
-- Three recorded cases have no place here.  B3 and B4, OWNER_NOT_FOUND for the first credit of an unknown owner: an owner needs no
-- prior existence.  B23, an owner with a balance cannot be deleted: owners are the application's, and a foreign key from the ledger
-- to them does that.
BEGIN;
SELECT plan(63);
SELECT create_ledger() \g /dev/null
SET storecredit.test_clock = '2026-07-10 12:00:00+00';

-- The sources.
\set docs_credit 'shopify.dev/docs/api/admin-graphql/unstable/mutations/storeCreditAccountCredit'
\set docs_debit 'shopify.dev/docs/api/admin-graphql/latest/mutations/storeCreditAccountDebit'
\set parity 'store-credit-account-parity.json'
\set unknown 'store-credit-account-unknown-id-user-errors.json'
\set node 'admin-node-customer-balance-node-read.json'

-- What is given before a request: accounts with their numbers and balances, and at most 15,000 dollars in one, which the help
-- centre gives as the limit.
CREATE TEMP TABLE given (account_number bigint, owner text, balance money_ccy);
INSERT INTO given VALUES
	(316863792, 'gid://shopify/Customer/544365967', '11.11 USD'),
	(1217691954, 'gid://shopify/Customer/10944417464626', '7.23 USD');
SELECT store_credit_set_limit('USD', max_balance => '15000 USD') \g /dev/null

-- A request is answered in a subtransaction that is then undone, so that none sees what another has left.
CREATE FUNCTION pg_temp.give() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	g given;
BEGIN
	FOR g IN SELECT * FROM given LOOP
		EXECUTE format('ALTER SEQUENCE storecredit.account_number_seq RESTART %s', g.account_number);
		PERFORM store_credit_credit(g.owner, g.balance);
	END LOOP;
END$$;

CREATE FUNCTION pg_temp.ask(operation text, id text, input jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT CASE operation WHEN 'credit' THEN store_credit_account_credit(id, input) ELSE store_credit_account_debit(id, input) END
$$;

CREATE FUNCTION pg_temp.answer(fast_path text, given boolean, next_account bigint, operation text, id text, input jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	answer jsonb;
BEGIN
	PERFORM set_config('storecredit.fast_path', fast_path, true);
	BEGIN
		IF given THEN
			PERFORM pg_temp.give();
		END IF;
		EXECUTE format('ALTER SEQUENCE storecredit.account_number_seq RESTART %s', next_account);
		answer := pg_temp.ask(operation, id, input);
		RAISE EXCEPTION USING ERRCODE = 'UNDO1';
	EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
		RETURN answer;
	END;
END$$;

CREATE FUNCTION pg_temp.money(amount text, currency text) RETURNS jsonb LANGUAGE sql
	AS $$SELECT jsonb_build_object('amount', amount, 'currencyCode', currency)$$;

CREATE FUNCTION pg_temp.refused(code text, message text, VARIADIC field text[]) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('storeCreditAccountTransaction', NULL,
		'userErrors', jsonb_build_array(jsonb_build_object('code', code, 'message', message, 'field', field)))
$$;

-- The documentation's examples select the amount, the account and its balance after the operation.
CREATE FUNCTION pg_temp.booked(amount text, balance text, currency text, account text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('userErrors', '[]'::jsonb, 'storeCreditAccountTransaction', jsonb_build_object(
		'amount', pg_temp.money(amount, currency),
		'account', jsonb_build_object('id', account, 'balance', pg_temp.money(balance, currency))))
$$;

-- The recordings select the balance of the transaction, its event and its origin as well.
CREATE FUNCTION pg_temp.recorded(amount text, balance text, currency text, account text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_set(b, '{storeCreditAccountTransaction}', b -> 'storeCreditAccountTransaction'
		|| jsonb_build_object('balanceAfterTransaction', pg_temp.money(balance, currency), 'event', 'ADJUSTMENT', 'origin', NULL))
	FROM pg_temp.booked(amount, balance, currency, account) AS b
$$;

CREATE TEMP TABLE request (
	case_id text, title text, source text,
	operation text, id text, amount text, currency text, expires_at text,
	answer jsonb, given boolean DEFAULT true, next_account bigint DEFAULT 1);

INSERT INTO request (case_id, title, source, operation, id, amount, currency, expires_at, answer) VALUES
	('A1', 'Credit by customer ID', :'docs_credit',
		'credit', 'gid://shopify/Customer/544365967', '49.99', 'USD', NULL,
		pg_temp.booked('49.99', '61.1', 'USD', 'gid://shopify/StoreCreditAccount/316863792')),
	('A2', 'Credit by account ID with expiresAt given as a date only', :'docs_credit',
		'credit', 'gid://shopify/StoreCreditAccount/316863792', '49.99', 'USD', '2028-10-26',
		pg_temp.booked('49.99', '61.1', 'USD', 'gid://shopify/StoreCreditAccount/316863792')),
	('A3', 'Crediting a negative amount returns an error', :'docs_credit',
		'credit', 'gid://shopify/Customer/1018520244', '-100.00', 'USD', NULL,
		pg_temp.refused('NEGATIVE_OR_ZERO_AMOUNT', 'A positive amount must be used to credit a store credit account',
			'creditInput', 'creditAmount', 'amount')),
	('A4', 'Crediting an amount that exceeds the account limit returns an error', :'docs_credit',
		'credit', 'gid://shopify/Customer/1018520244', '100000.00', 'USD', NULL,
		pg_temp.refused('CREDIT_LIMIT_EXCEEDED', 'The operation would cause the account''s credit limit to be exceeded',
			'creditInput', 'creditAmount', 'amount')),
	('A5', 'Debit by account ID: the stored amount is negative', :'docs_debit',
		'debit', 'gid://shopify/StoreCreditAccount/316863792', '9.99', 'USD', NULL,
		pg_temp.booked('-9.99', '1.12', 'USD', 'gid://shopify/StoreCreditAccount/316863792')),
	('A6', 'Debit by customer ID', :'docs_debit',
		'debit', 'gid://shopify/Customer/544365967', '9.99', 'USD', NULL,
		pg_temp.booked('-9.99', '1.12', 'USD', 'gid://shopify/StoreCreditAccount/316863792')),
	('A7', 'Debiting an amount that exceeds the account balance returns an error', :'docs_debit',
		'debit', 'gid://shopify/StoreCreditAccount/316863792', '100.00', 'USD', NULL,
		pg_temp.refused('INSUFFICIENT_FUNDS', 'The store credit account does not have sufficient funds to satisfy the request',
			'debitInput', 'debitAmount', 'amount')),

	('B2', 'Unknown StoreCreditAccount, credit', :'unknown',
		'credit', 'gid://shopify/StoreCreditAccount/999999999999999', '1.00', 'USD', NULL,
		pg_temp.refused('ACCOUNT_NOT_FOUND', 'Store credit account does not exist', 'id')),
	('B5', 'Unknown StoreCreditAccount, debit', :'unknown',
		'debit', 'gid://shopify/StoreCreditAccount/999999999999999', '1.00', 'USD', NULL,
		pg_temp.refused('ACCOUNT_NOT_FOUND', 'Store credit account does not exist', 'id')),
	('B6', 'Unknown Customer, debit', :'unknown',
		'debit', 'gid://shopify/Customer/999999999999999', '1.00', 'USD', NULL,
		pg_temp.refused('ACCOUNT_NOT_FOUND', 'Store credit account does not exist', 'id')),
	('B7', 'Unknown CompanyLocation, debit', :'unknown',
		'debit', 'gid://shopify/CompanyLocation/999999999999999', '1.00', 'USD', NULL,
		pg_temp.refused('ACCOUNT_NOT_FOUND', 'Store credit account does not exist', 'id')),
	('B8', 'Precedence: account before amount, credit', :'parity',
		'credit', 'gid://shopify/StoreCreditAccount/999999999999999', '0.00', 'USD', NULL,
		pg_temp.refused('ACCOUNT_NOT_FOUND', 'Store credit account does not exist', 'id')),
	('B9', 'Precedence: account before amount, debit', :'parity',
		'debit', 'gid://shopify/StoreCreditAccount/999999999999999', '0.00', 'USD', NULL,
		pg_temp.refused('ACCOUNT_NOT_FOUND', 'Store credit account does not exist', 'id')),
	('B10', 'Precedence: past expiry before negative amount; one error only', :'parity',
		'credit', 'gid://shopify/StoreCreditAccount/1217691954', '-5.00', 'USD', '2000-01-01T00:00:00Z',
		pg_temp.refused('EXPIRES_AT_IN_PAST', 'The expiry date must be in the future', 'creditInput', 'expiresAt')),
	('B11', 'Past expiry', :'parity',
		'credit', 'gid://shopify/Customer/10944417464626', '1.00', 'USD', '2000-01-01T00:00:00Z',
		pg_temp.refused('EXPIRES_AT_IN_PAST', 'The expiry date must be in the future', 'creditInput', 'expiresAt')),
	('B12', 'Currency mismatch on an account ID, credit', :'parity',
		'credit', 'gid://shopify/StoreCreditAccount/1217691954', '2.00', 'CAD', NULL,
		pg_temp.refused('MISMATCHING_CURRENCY', 'The currency provided does not match the currency of the store credit account',
			'creditInput', 'creditAmount', 'currencyCode')),
	('B13', 'Currency mismatch on an account ID, debit', :'parity',
		'debit', 'gid://shopify/StoreCreditAccount/1217691954', '1.00', 'CHF', NULL,
		pg_temp.refused('MISMATCHING_CURRENCY', 'The currency provided does not match the currency of the store credit account',
			'debitInput', 'debitAmount', 'currencyCode')),
	('B14', 'Zero credit', :'parity',
		'credit', 'gid://shopify/Customer/10944417464626', '0.00', 'USD', NULL,
		pg_temp.refused('NEGATIVE_OR_ZERO_AMOUNT', 'A positive amount must be used to credit a store credit account',
			'creditInput', 'creditAmount', 'amount')),
	('B15', 'Zero debit', :'parity',
		'debit', 'gid://shopify/Customer/10944417464626', '0.00', 'USD', NULL,
		pg_temp.refused('NEGATIVE_OR_ZERO_AMOUNT', 'A positive amount must be used to debit a store credit account',
			'debitInput', 'debitAmount', 'amount')),
	('B16', 'Negative debit', :'parity',
		'debit', 'gid://shopify/Customer/10944417464626', '-1.00', 'USD', NULL,
		pg_temp.refused('NEGATIVE_OR_ZERO_AMOUNT', 'A positive amount must be used to debit a store credit account',
			'debitInput', 'debitAmount', 'amount')),
	('B18', 'Overdraw', :'parity',
		'debit', 'gid://shopify/Customer/10944417464626', '9999.00', 'USD', NULL,
		pg_temp.refused('INSUFFICIENT_FUNDS', 'The store credit account does not have sufficient funds to satisfy the request',
			'debitInput', 'debitAmount', 'amount')),
	('B19', 'Limit', :'parity',
		'credit', 'gid://shopify/Customer/10944417464626', '100000.00', 'USD', NULL,
		pg_temp.refused('CREDIT_LIMIT_EXCEEDED', 'The operation would cause the account''s credit limit to be exceeded',
			'creditInput', 'creditAmount', 'amount'));

INSERT INTO request (case_id, title, source, operation, id, amount, currency, given, next_account, answer) VALUES
	('B1', 'First credit to an owner creates the account', :'parity',
		'credit', 'gid://shopify/Customer/10944417464626', '7.23', 'USD', false, 1217691954,
		pg_temp.recorded('7.23', '7.23', 'USD', 'gid://shopify/StoreCreditAccount/1217691954')),
	('B17', 'Owner ID with another currency opens a second account; "2.00" prints "2.0"', :'parity',
		'credit', 'gid://shopify/Customer/10944417464626', '2.00', 'CHF', true, 1217724722,
		pg_temp.recorded('2.0', '2.0', 'CHF', 'gid://shopify/StoreCreditAccount/1217724722'));

-- What is answered, of the fields that the source selects.
CREATE FUNCTION pg_temp.selected(answer jsonb, by jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_set(answer, '{storeCreditAccountTransaction}', coalesce(
		(SELECT jsonb_object_agg(key, value) FROM jsonb_each(CASE jsonb_typeof(answer -> 'storeCreditAccountTransaction')
			WHEN 'object' THEN answer -> 'storeCreditAccountTransaction' END)
		WHERE by -> 'storeCreditAccountTransaction' ? key), 'null'))
$$;

SELECT is(
	pg_temp.selected(pg_temp.answer(fast_path, given, next_account, operation, id,
		jsonb_build_object(operation || 'Amount', pg_temp.money(amount, currency))
			|| CASE WHEN expires_at IS NULL THEN '{}' ELSE jsonb_build_object('expiresAt', expires_at) END), answer),
	answer, format('%s: %s [%s, fast_path %s]', case_id, title, source, fast_path))
FROM request, unnest('{on,off}'::text[]) AS fast_path
ORDER BY left(case_id, 1), substr(case_id, 2)::int, fast_path DESC;

-- Sequences of requests to one account: each row is what one request answers.
CREATE FUNCTION pg_temp.play(fast_path text, owner text, currency text, operations text[], amounts text[])
RETURNS TABLE (n int, amount text, balance text) LANGUAGE plpgsql AS $$
DECLARE
	answer jsonb;
BEGIN
	PERFORM set_config('storecredit.fast_path', fast_path, true);
	FOR i IN 1 .. cardinality(operations) LOOP
		answer := pg_temp.ask(operations[i], owner, jsonb_build_object(operations[i] || 'Amount', pg_temp.money(amounts[i], currency)));
		n := i;
		amount := answer #>> '{storeCreditAccountTransaction,amount,amount}';
		balance := answer #>> '{storeCreditAccountTransaction,balanceAfterTransaction,amount}';
		RETURN NEXT;
	END LOOP;
END$$;

SELECT results_eq(
	format('SELECT amount, balance FROM pg_temp.play(%L, %L, ''USD'', ''{credit,credit,debit,credit,debit,debit}'',
		''{7.23,1.11,2.22,1.25,1.00,6.37}'') ORDER BY n', fast_path, 'B20/' || fast_path),
	$$VALUES ('7.23', '7.23'), ('1.11', '8.34'), ('-2.22', '6.12'), ('1.25', '7.37'), ('-1.0', '6.37'), ('-6.37', '0.0')$$,
	format('B20: Recorded sequence on one account [%s, fast_path %s]', :'parity', fast_path))
FROM unnest('{on,off}'::text[]) AS fast_path;

SELECT results_eq(
	format('SELECT amount, balance FROM pg_temp.play(%L, %L, ''CAD'', ''{credit,debit}'', ''{18.00,5.00}'') ORDER BY n',
		fast_path, 'B21/' || fast_path),
	$$VALUES ('18.0', '18.0'), ('-5.0', '13.0')$$,
	format('B21: a debit consumes the credit [%s, fast_path %s]', :'node', fast_path))
FROM unnest('{on,off}'::text[]) AS fast_path;
SELECT results_eq(
	format($$SELECT t.seq, t.kind, money_ccy_decimal(t.amount), money_ccy_decimal(t.balance_after),
			money_ccy_decimal(o.remaining), money_ccy_decimal(a.balance)
		FROM account a JOIN transaction t USING (account_id) LEFT JOIN open_credit o USING (account_id, seq)
		WHERE a.owner = %L ORDER BY t.seq$$, 'B21/' || fast_path),
	$$VALUES (1::bigint, 'credit' COLLATE "C", '18.0', '18.0', '13.0', '13.0'), (2, 'debit', '-5.0', '13.0', NULL, '13.0')$$,
	format('B21: what remains of the credit falls, its balanceAfterTransaction stays [%s, fast_path %s]', :'node', fast_path))
FROM unnest('{on,off}'::text[]) AS fast_path;

-- What GraphQL refuses before it executes anything is raised.
SELECT throws_ok(
	format($$SELECT store_credit_account_%s('gid://shopify/Customer/544365967', '{"%1$sAmount": {"amount": "1.00", "currencyCode": "%s"}}')$$,
		operation, code), '22023',
	format('CurrencyCode "%s" is invalid. It can only be used as a result and not as an input value.', code),
	format('B22: Result-only currency codes are refused before anything is staged: %s, %s [%s]', code, operation, :'parity'))
FROM unnest('{USDC,XXX}'::text[]) AS code, unnest('{credit,debit}'::text[]) AS operation;

CREATE FUNCTION pg_temp.problem(operation text, input jsonb, OUT path text, OUT name text, OUT explanation text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_temp.ask(operation, 'gid://shopify/Customer/544365967', input);
EXCEPTION WHEN invalid_parameter_value THEN
	GET STACKED DIAGNOSTICS path = MESSAGE_TEXT, explanation = PG_EXCEPTION_DETAIL, name = CONSTRAINT_NAME;
END$$;
SELECT is((pg_temp.problem('credit', jsonb_build_object('creditAmount', pg_temp.money('1.00', code)))).name,
	'currency_code_invalid', format('B22: the code of the refusal of %s [%s]', code, :'parity'))
FROM unnest('{USDC,XXX}'::text[]) AS code;
SELECT is(pg_temp.problem(operation, jsonb_build_object(
		operation || 'Amount', pg_temp.money('1.00', 'USD'), 'attribution', '{"userId": "gid://shopify/User/1"}'::jsonb)),
	ROW(format('%sInput was provided an invalid value for "attribution"', operation), ''::text,
		format('Field is not defined on StoreCreditAccount%sInput.', initcap(operation))),
	format('B24: No attribution can be attached to a %s [%s]', operation, :'parity'))
FROM unnest('{credit,debit}'::text[]) AS operation;

-- Nothing of all that has left the books unsound.
SELECT is_empty('SELECT * FROM storecredit.verify()', 'the books add up');

SELECT * FROM finish();
ROLLBACK;
