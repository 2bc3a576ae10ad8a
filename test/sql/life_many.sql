-- Many at once: a campaign or a migration in one statement, all of it or what can be done of it.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = "$user", public, storecredit;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-11-27 09:00+00';
ALTER SEQUENCE account_number_seq RESTART 770001;

-- given one account, when a campaign goes to it and to others, in any order, each item is answered in the order given
SELECT account_id, seq FROM store_credit_credit('many/m', '1 USD');
SELECT * FROM store_credit_credit_many('[
	{"owner": "many/z", "amount": "5.00 USD", "expires_on": "2026-12-31", "category": "campaign", "memo": "Black Friday", "reference": "Campaign/1",
		"issuer": "Marketing", "idempotency_key": "bf-z", "metadata": {"a": [1, null]}},
	{"owner": "many/m", "amount": 7.5, "currency": "usd"},
	{"owner": "many/a", "amount": "5", "currency": "EUR", "expires_at": "2027-01-01 01:00+01", "notify": true},
	{"account_id": 770001, "amount": "2 USD", "expires_at": null, "memo": null, "notify": false},
	{"owner": "many/z", "amount": "3.00 USD", "expires_at": "infinity"},
	{"owner": "many/m", "amount": 300, "currency": "JPY"}]');
-- accounts that there were before come first, then new ones in the order of their owners
SELECT a.account_id, owner, currency, seq, kind, amount, balance_after, created_at, expires_at, category, memo, reference, issuer, idempotency_key, metadata
FROM transaction t JOIN account a USING (account_id) WHERE owner LIKE 'many/%' ORDER BY account_id, seq;
SELECT event, account_id, seq FROM notification WHERE account_id BETWEEN 770001 AND 770999;

-- and debits
SELECT * FROM store_credit_debit_many('[
	{"owner": "many/z", "amount": "6.00 USD", "category": "order", "memo": "Order R1", "reference": "Order/R1", "issuer": "Web/1", "idempotency_key": "d-1",
		"notify": true, "metadata": "x"},
	{"owner": "many/m", "amount": "100 USD", "allow_partial": true},
	{"owner": "many/z", "amount": 1, "currency": "USD", "allow_partial": false}]');
SELECT owner, seq, amount, balance_after, category, memo, reference, issuer, idempotency_key, metadata, draws
FROM transaction t JOIN account a USING (account_id) WHERE owner LIKE 'many/%' AND kind = 'debit' ORDER BY account_id, seq;
SELECT balance, available FROM balance WHERE owner LIKE 'many/%' ORDER BY account_id;

-- all or nothing is what is done if nothing is said: the error says which item
SELECT count(*), sum(last_seq) FROM account WHERE owner LIKE 'many/%';
SELECT * FROM store_credit_debit_many('[{"owner": "many/z", "amount": "1 USD"}, {"owner": "many/z", "amount": "1.01 USD"}, {"owner": "many/a", "amount": "1 EUR"}]');
SELECT * FROM store_credit_debit_many('[{"owner": "many/z", "amount": "1 USD"}, {"owner": "many/none", "amount": "1 USD"}]', on_error => 'raise');
SELECT * FROM store_credit_credit_many('[{"owner": "many/new", "amount": "1 USD"}, {"owner": "many/new", "amount": "0 USD"}]');
SELECT count(*), sum(last_seq) FROM account WHERE owner LIKE 'many/%';

-- or what can be done is done, and a refusal is an answer
SELECT store_credit_set_limit('CHF', max_credit => '10 CHF');
SELECT item, account_id, seq, error, sqlstate, message, detail FROM store_credit_credit_many('[
	{"owner": "many/z", "amount": "1 USD"},
	{"owner": "many/z", "amount": "0 USD"},
	{"owner": "many/z", "amount": "1 USD", "expires_on": "2026-11-26"},
	{"account_id": 770001, "amount": "1 EUR"},
	{"account_id": 770999, "amount": "1 EUR"},
	{"account_id": 0, "amount": "1 EUR"},
	{"account_id": 0, "amount": "2 EUR"},
	{"account_id": -1, "amount": "2 EUR"},
	{"owner": "many/y", "amount": "10.01 CHF"},
	{"owner": "many/y", "amount": "1 HRK"},
	{"owner": "many/z", "amount": "2 USD", "idempotency_key": "bf-z"},
	{"owner": "many/y", "amount": "10 CHF"}]', on_error => 'skip');
SELECT store_credit_set_limit('CHF');
SELECT item, account_id, seq, error, detail FROM store_credit_debit_many('[
	{"owner": "many/z", "amount": "2.01 USD"},
	{"owner": "many/z", "amount": "2 USD"},
	{"owner": "many/z", "amount": "0.01 USD"},
	{"owner": "many/none", "amount": "1 USD"},
	{"owner": "many/y", "amount": "1 USD"}]', on_error => 'skip');
-- nobody's account is opened for a refusal, and where all are refused nothing is written
SELECT owner, currency FROM account WHERE owner = 'many/y';
SELECT count(*), sum(last_seq) FROM account WHERE owner LIKE 'many/%';
SELECT item, error FROM store_credit_credit_many('[{"owner": "many/z", "amount": "-1 USD"}, {"owner": "many/x", "amount": "0 USD"}]', 'skip');
SELECT count(*), sum(last_seq) FROM account WHERE owner LIKE 'many/%';

-- keys: those of earlier calls, those twice in one call, and those that came with something refused
SELECT item, account_id, seq, error FROM store_credit_credit_many('[
	{"owner": "many/z", "amount": "5.00 USD", "expires_on": "2026-12-31", "category": "campaign", "memo": "Black Friday", "reference": "Campaign/1",
		"issuer": "Marketing", "idempotency_key": "bf-z", "metadata": {"a": [1, null]}},
	{"owner": "many/k", "amount": "1 USD", "idempotency_key": "k"},
	{"owner": "many/k", "amount": "1 USD", "idempotency_key": "k", "notify": false},
	{"owner": "many/k", "amount": "2 USD", "idempotency_key": "k"},
	{"owner": "many/k", "amount": "0 USD", "idempotency_key": "l"},
	{"owner": "many/k", "amount": "3 USD", "idempotency_key": "l"},
	{"owner": "many/k", "amount": "3 USD", "idempotency_key": "L"},
	{"owner": "many/k", "amount": "3 EUR", "idempotency_key": "k"}]', on_error => 'skip');
SELECT a.account_id, seq, amount, idempotency_key FROM transaction t JOIN account a USING (account_id) WHERE owner = 'many/k' ORDER BY account_id, seq;
-- the whole call again writes nothing, alone or among others it is the same call, and a debit is not a credit
SELECT item, seq, error FROM store_credit_credit_many('[
	{"owner": "many/k", "amount": "1 USD", "idempotency_key": "k"}, {"owner": "many/k", "amount": "3 USD", "idempotency_key": "l"}]');
SELECT seq FROM store_credit_credit('many/k', '1 USD', idempotency_key => 'k');
SELECT item, error FROM store_credit_debit_many('[{"owner": "many/k", "amount": "1 USD", "idempotency_key": "k"}]', 'skip');
SELECT * FROM store_credit_debit_many('[{"owner": "many/k", "amount": "1 USD", "idempotency_key": "m"}, {"owner": "many/k", "amount": "1 USD", "idempotency_key": "k"}]');
SELECT seq FROM store_credit_debit('many/k', '1 USD', idempotency_key => 'm');
SELECT item, seq, error FROM store_credit_debit_many('[{"account_id": 770007, "amount": 1.00, "currency": "USD", "idempotency_key": "m"}]');
-- what is told to a customer is told once
SELECT item, seq FROM store_credit_credit_many('[
	{"owner": "many/k", "amount": "1 USD", "idempotency_key": "n", "notify": true}, {"owner": "many/k", "amount": "1 USD", "idempotency_key": "n", "notify": true}]');
SELECT event, seq FROM notification JOIN account USING (account_id) WHERE owner = 'many/k';

-- the same owner a thousand times, and a thousand owners
SELECT count(*), count(DISTINCT account_id), min(seq), max(seq), count(error) FROM store_credit_credit_many(
	(SELECT jsonb_agg(jsonb_build_object('owner', 'many/one', 'amount', '0.01 USD', 'idempotency_key', n::text)) FROM generate_series(1, 1000) AS n));
SELECT last_seq, balance FROM account WHERE owner = 'many/one';
SELECT count(*), count(DISTINCT account_id), min(seq), max(seq) FROM store_credit_credit_many(
	(SELECT jsonb_agg(jsonb_build_object('owner', 'many/of/' || n % 500, 'amount', n || '.00 USD')) FROM generate_series(1, 1000) AS n));
SELECT count(*), sum(balance), sum(last_seq) FROM account WHERE owner LIKE 'many/of/%';
-- an item's number is its place in the call, whatever the order in which the items are done
CREATE TEMP TABLE answer AS SELECT * FROM store_credit_debit_many(
	(SELECT jsonb_agg(jsonb_build_object('owner', 'many/of/' || n % 500, 'amount', n || '.00 USD', 'reference', n::text) ORDER BY n) FROM generate_series(1, 400) AS n));
SELECT count(*), bool_and(reference = item::text AND t.amount = - (item || '.00 USD')::money_ccy) FROM answer JOIN transaction t USING (account_id, seq);
SELECT count(*), sum(balance) FROM account WHERE owner LIKE 'many/of/%';
SELECT count(*), count(seq), count(error) FROM store_credit_debit_many(
	(SELECT jsonb_agg(jsonb_build_object('owner', 'many/one', 'amount', '0.03 USD')) FROM generate_series(1, 400) AS n), on_error => 'skip');
SELECT last_seq, balance FROM account WHERE owner = 'many/one';
SELECT count(*), max(cardinality(draws)), min(cardinality(draws)) FROM transaction JOIN account USING (account_id) WHERE owner = 'many/one' AND kind = 'debit';

-- what has ended is booked on the way, once
SELECT account_id FROM store_credit_credit('many/end', '4 USD', expires_on => '2026-11-27');
SET storecredit.test_clock = '2026-11-28 00:00+00';
SELECT item, error FROM store_credit_debit_many('[{"owner": "many/end", "amount": "1 USD"}]', 'skip');
SELECT item, seq, error FROM store_credit_credit_many('[{"owner": "many/end", "amount": "1 USD"}, {"owner": "many/end", "amount": "2 USD"}]');
SELECT seq, kind, amount, balance_after FROM transaction JOIN account USING (account_id) WHERE owner = 'many/end' ORDER BY seq;

-- nothing to do
SELECT * FROM store_credit_credit_many('[]');
SELECT * FROM store_credit_debit_many('[]', 'skip');

-- what no call can mean is an error in either mode, and does nothing
\set SHOW_CONTEXT errors
SELECT store_credit_credit_many(NULL);
SELECT store_credit_debit_many(NULL);
SELECT store_credit_credit_many('[]', NULL);
SELECT store_credit_credit_many('[]', 'ignore');
SELECT store_credit_credit_many('null');
SELECT store_credit_credit_many('{}');
SELECT store_credit_credit_many('"x"');
CREATE FUNCTION pg_temp.refusal(items jsonb, debit boolean = false, OUT code text, OUT message text, OUT detail text, OUT context text)
LANGUAGE plpgsql AS $$
BEGIN
	IF debit THEN
		PERFORM store_credit_debit_many(items, 'skip');
	ELSE
		PERFORM store_credit_credit_many(items, 'skip');
	END IF;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, context = PG_EXCEPTION_CONTEXT;
	context := split_part(context, E'\n', 1);
END$$;
SELECT item, code, message, detail, context FROM (VALUES
	('1'), ('"x"'), ('null'), ('[]'), ('{}'),
	('{"owner": "x", "amount": "1 USD", "note": "x"}'), ('{"owner": "x", "amount": "1 USD", "Memo": "x"}'), ('{"owner": "x", "amount": "1 USD", "allow_partial": true}'),
	('{"amount": "1 USD"}'), ('{"owner": null, "amount": "1 USD"}'), ('{"owner": "x", "account_id": 1, "amount": "1 USD"}'),
	('{"owner": 1, "amount": "1 USD"}'), ('{"owner": "", "amount": "1 USD"}'), ('{"account_id": "1", "amount": "1 USD"}'),
	('{"account_id": 1.5, "amount": "1 USD"}'), ('{"account_id": 1e30, "amount": "1 USD"}'), ('{"account_id": true, "amount": "1 USD"}'),
	('{"owner": "x"}'), ('{"owner": "x", "amount": null}'), ('{"owner": "x", "amount": true}'), ('{"owner": "x", "amount": {"amount": "1", "currencyCode": "USD"}}'),
	('{"owner": "x", "amount": 1}'), ('{"owner": "x", "amount": "1"}'), ('{"owner": "x", "amount": "1 USD", "currency": "USD"}'), ('{"owner": "x", "amount": 1, "currency": 840}'),
	('{"owner": "x", "amount": 1, "currency": "XXX"}'), ('{"owner": "x", "amount": "1 XYZ"}'), ('{"owner": "x", "amount": 1.001, "currency": "USD"}'),
	('{"owner": "x", "amount": "1.001 USD"}'), ('{"owner": "x", "amount": 1e30, "currency": "USD"}'), ('{"owner": "x", "amount": "1,00 USD"}'),
	('{"owner": "x", "amount": "1 USD", "expires_at": "soon"}'), ('{"owner": "x", "amount": "1 USD", "expires_at": 1800000000}'), ('{"owner": "x", "amount": "1 USD", "expires_on": "2027-02-29"}'),
	('{"owner": "x", "amount": "1 USD", "expires_on": "infinity"}'), ('{"owner": "x", "amount": "1 USD", "expires_on": "2027-02-28", "expires_at": "2027-02-28"}'),
	('{"owner": "x", "amount": "1 USD", "category": 1}'), ('{"owner": "x", "amount": "1 USD", "category": ""}'), ('{"owner": "x", "amount": "1 USD", "memo": {}}'),
	('{"owner": "x", "amount": "1 USD", "reference": ""}'), ('{"owner": "x", "amount": "1 USD", "issuer": ""}'), ('{"owner": "x", "amount": "1 USD", "idempotency_key": ""}'),
	('{"owner": "x", "amount": "1 USD", "idempotency_key": 7}'), ('{"owner": "x", "amount": "1 USD", "notify": "yes"}')) AS items(item),
	LATERAL pg_temp.refusal(jsonb_build_array('{"owner": "many/first", "amount": "1 USD"}'::jsonb, item::jsonb)) AS r;
SELECT item, code, message, detail, context FROM (VALUES
	('{"owner": "x", "amount": "1 USD", "expires_on": "2027-02-28"}'), ('{"owner": "x", "amount": "1 USD", "allow_partial": 1}')) AS items(item),
	LATERAL pg_temp.refusal(jsonb_build_array(item::jsonb), true) AS r;
SELECT code, message, left(detail, 40) AS detail, context FROM pg_temp.refusal(jsonb_build_array(jsonb_build_object('owner', repeat('x', 256), 'amount', '1 USD')));
SELECT count(*) FROM account WHERE owner IN ('x', 'many/first');

SELECT * FROM verify();
