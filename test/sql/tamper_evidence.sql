-- Tamper evidence: a chain of hashes through the history of each account, which whoever changes history breaks.
\set home :DBNAME
CREATE DATABASE regression_storecredit_evidence ENCODING 'UTF8' TEMPLATE template0;
ALTER DATABASE regression_storecredit_evidence SET search_path = "$user", public, storecredit;
\c regression_storecredit_evidence
CREATE EXTENSION storecredit;
SET client_min_messages = warning;
SELECT create_ledger(tamper_evidence => true);
\set VERBOSITY terse
\set SHOW_CONTEXT never

-- Everything that writes history, in an account of its own.
SET storecredit.test_clock = '2026-11-27 09:00:00+00';
CREATE FUNCTION live(owner text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	account bigint;
	debit bigint;
	spent bigint;
	authorized store_credit_hold;
BEGIN
	SELECT account_id INTO account FROM store_credit_credit(owner, '50 USD', memo => 'für die Verspätung', category => 'goodwill', idempotency_key => 'c1',
		metadata => '{"rate": 1.00, "tags": ["a", null], "note": "ÄÖ"}');
	PERFORM store_credit_credit(account, '20 USD', expires_at => '2026-11-27 12:00:00+00', metadata => 'null');
	PERFORM store_credit_credit(account, '5 USD', expires_on => '2026-12-31', memo => '');
	SELECT seq INTO debit FROM store_credit_debit(account, '60 USD', reference => 'R1', issuer => 'Käthe', idempotency_key => 'd1');
	PERFORM store_credit_revert(account, debit, '30 USD', memo => 'half of it came back');
	SELECT * INTO authorized FROM store_credit_authorize(owner, '10 USD', reference => 'R2');
	PERFORM store_credit_capture(account, authorized.hold_id, '4 USD', final => false);
	PERFORM store_credit_void(account, authorized.hold_id);
	SELECT seq INTO spent FROM store_credit_credit(account, '9 USD');
	PERFORM store_credit_edit(account, spent, amount => '8 USD', memo => 'eight');
	PERFORM store_credit_revoke(account, spent, memo => 'fraud');
	PERFORM store_credit_refund(account, '10 USD', bonus => '1 USD');
	PERFORM store_credit_set_account_limits(account, NULL, '100 USD');
	PERFORM store_credit_debit(account, '100 USD');
	PERFORM store_credit_credit(account, '60 USD', reference => 'pays back');
	PERFORM store_credit_credit_many(jsonb_build_array(
		jsonb_build_object('account_id', account, 'amount', '2 USD', 'memo', 'one'),
		jsonb_build_object('account_id', account, 'amount', '3 USD', 'expires_at', '2026-11-27 13:00:00+00')));
	RETURN account;
END$$;
SELECT live('evidence/fast') AS fast \gset
SET storecredit.fast_path = off;
SELECT live('evidence/plain') AS plain \gset
RESET storecredit.fast_path;
-- ends are booked by a sweep, and by the next call
SET storecredit.test_clock = '2026-11-27 12:30:00+00';
SELECT store_credit_expire();
SET storecredit.test_clock = '2026-11-27 13:30:00+00';
SET storecredit.fast_path = off;
SELECT store_credit_expire();
RESET storecredit.fast_path;
SELECT count(*) FROM store_credit_debit(:fast, '1 USD');
SELECT kind, count(*), count(hash) AS hashed FROM transaction GROUP BY kind ORDER BY kind;
SELECT f.seq, f.kind, f.amount, f.salt IS NULL AS no_salt FROM transaction f JOIN transaction p ON p.account_id = :plain AND p.seq = f.seq
WHERE f.account_id = :fast AND (f.kind, f.amount, f.draws) IS DISTINCT FROM (p.kind, p.amount, p.draws);

-- sound; and plain SQL finds the same hashes, whatever the session's settings are
SELECT * FROM verify();
CREATE VIEW audit AS
	SELECT t.account_id, t.seq, t.hash, lag(t.hash, 1, decode(repeat('00', 32), 'hex')) OVER (PARTITION BY t.account_id ORDER BY t.seq) AS previous,
		t AS entry
	FROM transaction t;
SELECT count(*) FROM audit;
SELECT account_id, seq FROM audit WHERE transaction_hash(entry, previous) <> hash;
SET DateStyle = 'SQL, DMY';
SET TimeZone = 'Asia/Kolkata';
SET IntervalStyle = sql_standard;
SET extra_float_digits = -15;
SET bytea_output = escape;
SET xmlbinary = hex;
SET client_encoding = LATIN1;
SELECT account_id, seq FROM audit WHERE transaction_hash(entry, previous) <> hash;
SELECT * FROM verify();
SELECT seq, salt IS NOT NULL AS salted FROM store_credit_credit(:fast, '1 USD', memo => U&'\00e4', expires_on => '2027-01-31');
\c -
SET storecredit.test_clock = '2026-11-27 13:30:00+00';
\set VERBOSITY terse
\set SHOW_CONTEXT never
SELECT account_id, seq FROM audit WHERE transaction_hash(entry, previous) <> hash;
-- the statement of doc/tamper_evidence.md, which needs no function of the ledger's but the type's
SELECT t.account_id, t.seq
FROM (
	SELECT *, lag(hash, 1, decode(repeat('00', 32), 'hex')) OVER (PARTITION BY account_id ORDER BY seq) AS previous
	FROM storecredit.transaction) t
WHERE hash IS DISTINCT FROM sha256(record_send(ROW(
	previous, account_id, seq, storecredit.money_ccy_send(amount), storecredit.money_ccy_send(balance_after),
	created_at, expires_at, convert_to(kind, 'UTF8'), convert_to(category, 'UTF8'),
	coalesce(sha256(coalesce(salt, '') || convert_to(memo, 'UTF8')), memo_digest),
	convert_to(reference, 'UTF8'), convert_to(issuer, 'UTF8'), convert_to(recorded_by, 'UTF8'), convert_to(idempotency_key, 'UTF8'),
	related_seq, hold_id,
	coalesce(sha256(coalesce(salt, '') || convert_to(metadata::text, 'UTF8')), metadata_digest),
	draws, request_hash)));

-- A superuser changes history with the triggers off.  What verify() then says of the chain: the rule and the row.
CREATE FUNCTION tamper(VARIADIC statements text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	statement text;
	seen text[];
BEGIN
	BEGIN
		ALTER TABLE account DISABLE TRIGGER ALL;
		ALTER TABLE transaction DISABLE TRIGGER ALL;
		FOREACH statement IN ARRAY statements LOOP
			EXECUTE statement;
		END LOOP;
		seen := ARRAY(SELECT format('%s: %s %s', v.account_id, v.rule, substring(v.expected FROM '^transaction \d+(?: \w+)?')) FROM verify() v
			WHERE v.rule IN ('hash', 'last_hash'));
		RAISE EXCEPTION SQLSTATE 'UNDO0';
	EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
	END;
	RETURN QUERY SELECT unnest(seen);
END$$;

-- each column of a row, one after the other: every one shows in that row
CREATE TABLE forgery (column_name text, seq bigint, value text);
INSERT INTO forgery VALUES
	('account_id', 4, '77'), ('seq', 4, '999'), ('amount', 4, '''-60.01 USD'''), ('balance_after', 4, '''15 EUR'''), ('amount', 4, '''-60 EUR'''),
	('created_at', 4, 'created_at + interval ''1 microsecond'''), ('expires_at', 1, '''infinity'''), ('expires_at', 2, 'NULL'),
	('kind', 1, '''debit_revert'''), ('category', 1, 'NULL'), ('category', 2, ''''''), ('memo', 1, '''für die Verspatung'''), ('memo', 1, 'NULL'),
	('memo', 3, 'NULL'), ('memo', 2, ''''''), ('reference', 4, '''R2'''), ('issuer', 4, '''storecredit'''), ('recorded_by', 4, '''nobody'''),
	('idempotency_key', 4, '''d2'''), ('related_seq', 5, '3'), ('related_seq', 1, '0'), ('hold_id', 6, 'NULL'),
	('metadata', 1, '''{"rate": 1.0, "tags": ["a", null], "note": "ÄÖ"}'''), ('metadata', 1, 'NULL'), ('metadata', 2, 'NULL'),
	('draws', 4, '''{2,2000,3,500,1,3501}'''), ('draws', 4, '''[0:5]={2,2000,3,500,1,3500}'''), ('draws', 4, '''{{2,2000,3},{500,1,3500}}'''),
	('draws', 4, '''{}'''), ('draws', 1, '''{}'''), ('draws', 4, '''{2,2000,3,500,1,NULL}'''), ('request_hash', 4, 'request_hash + 1'),
	('hash', 4, 'sha256(hash)'), ('hash', 4, 'NULL'), ('salt', 1, 'NULL'), ('salt', 1, 'sha256(salt)'), ('salt', 4, '''\x00'''),
	('memo_digest', 1, 'sha256(''für'')'), ('memo_digest', 2, 'sha256(''für'')'), ('metadata_digest', 1, 'sha256(''1'')'), ('metadata_digest', 4, 'sha256(''1'')');
SELECT attname FROM pg_attribute WHERE attrelid = 'transaction'::regclass AND attnum > 0 AND attname NOT IN (SELECT column_name FROM forgery);
ALTER TABLE transaction DROP CONSTRAINT transaction_currency_check, DROP CONSTRAINT transaction_hash_check;
SELECT f.column_name, f.seq, f.value, string_agg(t, '; ') AS seen
FROM forgery f LEFT JOIN LATERAL tamper(format('UPDATE transaction SET %I = %s WHERE account_id = %s AND seq = %s', f.column_name, f.value, :fast, f.seq)) t ON true
GROUP BY f.ctid, f.column_name, f.seq, f.value ORDER BY f.ctid;
-- as what a column is not
SELECT tamper('UPDATE transaction SET hash = ''\x1234'' WHERE account_id = 1 AND seq = 4', 'UPDATE transaction SET memo_digest = ''\x1234'' WHERE account_id = 1 AND seq = 5');

-- rows taken away: in the middle, the first, the last, the last with the account set back, all of them
SELECT tamper('DELETE FROM transaction WHERE account_id = 1 AND seq = 5');
SELECT tamper('DELETE FROM transaction WHERE account_id = 1 AND seq = 5', 'UPDATE transaction SET seq = seq - 1 WHERE account_id = 1 AND seq = 6');
SELECT tamper('DELETE FROM transaction WHERE account_id = 1 AND seq = 1');
SELECT tamper('DELETE FROM transaction WHERE account_id = 1 AND seq = (SELECT last_seq FROM account WHERE account_id = 1)');
SELECT tamper('DELETE FROM transaction WHERE account_id = 1 AND seq = (SELECT last_seq FROM account WHERE account_id = 1)',
	'UPDATE account SET last_seq = last_seq - 1 WHERE account_id = 1');
SELECT tamper('DELETE FROM transaction WHERE account_id = 1');
SELECT tamper('DELETE FROM transaction WHERE account_id = 1', 'UPDATE account SET last_hash = NULL WHERE account_id = 1');
-- two exchanged, with their hashes and without
SELECT tamper('UPDATE transaction SET seq = 1000 WHERE account_id = 1 AND seq = 2', 'UPDATE transaction SET seq = 2 WHERE account_id = 1 AND seq = 3',
	'UPDATE transaction SET seq = 3 WHERE account_id = 1 AND seq = 1000');
SELECT tamper('CREATE TEMP TABLE pair AS SELECT * FROM transaction WHERE account_id = 1 AND seq IN (2, 3)',
	'UPDATE transaction t SET amount = p.amount, expires_at = p.expires_at, memo = p.memo, salt = p.salt, metadata = p.metadata
		FROM pair p WHERE t.account_id = 1 AND t.seq IN (2, 3) AND p.seq = 5 - t.seq');
-- one put in between, without a hash and with one that fits its place; and one at the end
SELECT tamper('UPDATE transaction SET seq = seq + 1000 WHERE account_id = 1 AND seq > 5', 'UPDATE transaction SET seq = seq - 999 WHERE account_id = 1 AND seq > 1000',
	'INSERT INTO transaction (account_id, seq, kind, amount, balance_after, created_at, issuer, recorded_by)
		VALUES (1, 6, ''credit'', ''1 USD'', ''1 USD'', now(), ''x'', ''x'')');
SELECT tamper('UPDATE transaction SET seq = seq + 1000 WHERE account_id = 1 AND seq > 5', 'UPDATE transaction SET seq = seq - 999 WHERE account_id = 1 AND seq > 1000',
	'INSERT INTO transaction (account_id, seq, kind, amount, balance_after, created_at, issuer, recorded_by)
		VALUES (1, 6, ''credit'', ''1 USD'', ''1 USD'', now(), ''x'', ''x'')',
	'UPDATE transaction t SET hash = transaction_hash(t, p.hash) FROM transaction p WHERE t.account_id = 1 AND t.seq = 6 AND p.account_id = 1 AND p.seq = 5');
SELECT tamper('INSERT INTO transaction (account_id, seq, kind, amount, balance_after, created_at, issuer, recorded_by)
		SELECT 1, last_seq + 1, ''credit'', ''1 USD'', ''1 USD'', now(), ''x'', ''x'' FROM account WHERE account_id = 1');
-- the history of one account in another
SELECT tamper('DELETE FROM transaction WHERE account_id = 2', 'UPDATE transaction SET account_id = 2 WHERE account_id = 1',
	'UPDATE account a SET last_hash = b.last_hash, last_seq = b.last_seq FROM account b WHERE a.account_id = 2 AND b.account_id = 1');
-- the account's own hash
SELECT tamper('UPDATE account SET last_hash = sha256(last_hash) WHERE account_id = 1');
SELECT tamper('UPDATE account SET last_hash = NULL WHERE account_id = 1');
-- with the triggers of an ordinary session off, the guards are still there
SET session_replication_role = replica;
UPDATE transaction SET issuer = 'x' WHERE account_id = 1 AND seq = 2;
RESET session_replication_role;
-- all of it computed anew, which only what was kept elsewhere can tell
CREATE TABLE kept AS SELECT * FROM chain_heads();
CREATE TABLE kept_digest AS SELECT * FROM chain_digest('2026-11-28Z');
BEGIN;
ALTER TABLE transaction DISABLE TRIGGER ALL;
ALTER TABLE account DISABLE TRIGGER ALL;
UPDATE transaction SET category = 'bonus' WHERE account_id = :fast AND seq = 1;
SELECT rule, left(expected, 13) AS expected FROM verify(:fast);
UPDATE transaction SET hash = NULL WHERE account_id = :fast;
SELECT count(seal_account(:fast)) AS sealed;
SELECT * FROM verify();
SELECT k.account_id FROM kept k LEFT JOIN transaction t ON t.account_id = k.account_id AND t.seq = k.seq
WHERE t.hash IS DISTINCT FROM k.hash AND k.seq > 0;
SELECT d = k AS same FROM chain_digest('2026-11-28Z') d, kept_digest k;
ROLLBACK;
ALTER TABLE transaction ADD CONSTRAINT transaction_currency_check CHECK (money_ccy_currency(amount) = money_ccy_currency(balance_after)),
	ADD CONSTRAINT transaction_hash_check CHECK (octet_length(hash) = 32);
-- what was kept fits later on, too
SET storecredit.test_clock = '2026-11-28 09:00:00+00';
SELECT count(*) FROM store_credit_debit(:fast, '1 USD', memo => 'later');
SELECT k.account_id FROM kept k LEFT JOIN transaction t ON t.account_id = k.account_id AND t.seq = k.seq
WHERE t.hash IS DISTINCT FROM k.hash AND k.seq > 0;
SELECT d = k AS same, d.accounts FROM chain_digest('2026-11-28Z') d, kept_digest k;
SELECT d.digest <> k.digest AS another, d.transactions - k.transactions AS more FROM chain_digest() d, kept_digest k;
SELECT accounts, transactions, digest = sha256('') AS of_nothing FROM chain_digest('-infinity');
SELECT chain_digest(NULL);

-- erasure leaves the chain whole: what was blanked is there by its digest, and the salt is gone
SELECT count(*) FROM store_credit_credit('evidence/erased', '1 USD', memo => 'for Lisa', metadata => '{"name": "Lisa"}');
SELECT count(*) FROM store_credit_debit('evidence/erased', '1 USD', memo => 'Lisa bought it');
SELECT store_credit_erase('evidence/erased', 'evidence/nobody');
SELECT t.seq, t.memo, t.metadata, t.salt, length(t.memo_digest) AS memo_digest, length(t.metadata_digest) AS metadata_digest
FROM transaction t JOIN account a USING (account_id) WHERE a.owner = 'evidence/nobody' ORDER BY t.seq;
UPDATE transaction SET metadata = NULL WHERE account_id = :plain AND seq = 1;
UPDATE transaction SET memo = NULL, metadata = NULL WHERE account_id = :plain;
SELECT * FROM verify();
SELECT account_id, seq FROM audit WHERE transaction_hash(entry, previous) <> hash;
SELECT tamper('UPDATE transaction SET memo_digest = sha256(memo_digest) WHERE account_id = 2 AND seq = 1');
SELECT tamper('UPDATE transaction SET metadata_digest = NULL WHERE account_id = 2 AND seq = 1');
SELECT tamper('UPDATE transaction SET memo = ''forged'' WHERE account_id = 2 AND seq = 1');

-- with the triggers on nobody changes the chain
UPDATE transaction SET hash = sha256(hash) WHERE account_id = :fast AND seq = 1;
UPDATE transaction SET hash = NULL WHERE account_id = :fast AND seq = 1;
UPDATE transaction SET salt = sha256('a') WHERE account_id = :fast AND seq = 1;
UPDATE transaction SET memo_digest = sha256('a') WHERE account_id = :plain AND seq = 1;
UPDATE transaction SET memo_digest = sha256('a'), metadata_digest = sha256('a') WHERE account_id = :fast;
UPDATE account SET last_hash = sha256('a') WHERE account_id = :fast;
SELECT * FROM verify();

-- what a statement of one's own writes must be in the chain at commit, too
BEGIN;
INSERT INTO account (account_id, opened_at, last_seq, balance, held, credit_line, last_hold_id, currency, owner)
	VALUES (990001, '2019-05-01', 1, '12 USD', '0 USD', '0 USD', 0, 'USD', 'evidence/import');
INSERT INTO transaction (account_id, seq, kind, amount, balance_after, created_at, issuer, recorded_by, memo)
	VALUES (990001, 1, 'credit', '12 USD', '12 USD', '2019-05-01', 'import', session_user, 'from the old shop');
INSERT INTO open_credit (account_id, expires_at, seq, remaining) VALUES (990001, 'infinity', 1, '12 USD');
SAVEPOINT written;
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK TO written;
SELECT count(seal_account(990001)) AS sealed;
COMMIT;
SELECT seq FROM store_credit_debit(990001, '2 USD');
SELECT * FROM verify();
-- nothing more to do; no such account; no account
SELECT seal_account(990001) = last_hash AS sealed FROM account WHERE account_id = 990001;
SELECT seal_account(990002);
SELECT seal_account(NULL);

-- a user's trigger may see what is written, but not change what has been hashed
CREATE FUNCTION public.evidence_change() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.category := 'changed'; RETURN NEW; END$$;
CREATE TRIGGER zz_change BEFORE INSERT ON transaction FOR EACH ROW EXECUTE FUNCTION public.evidence_change();
SELECT seq FROM store_credit_debit(990001, '2 USD', category => 'mine');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT seq FROM store_credit_debit(990001, '2 USD', category => 'changed');
DROP TRIGGER zz_change ON transaction;

-- a refused call, a replay and a savepoint leave nothing in the chain
SELECT count(*) FROM store_credit_credit('evidence/fast', '50 USD', memo => 'für die Verspätung', category => 'goodwill', idempotency_key => 'c1',
	metadata => '{"rate": 1.00, "tags": ["a", null], "note": "ÄÖ"}');
BEGIN;
SAVEPOINT before;
SELECT count(*) FROM store_credit_debit(990001, '1 USD');
ROLLBACK TO before;
SELECT store_credit_debit(990001, '1000 USD');
ROLLBACK TO before;
SELECT seq FROM store_credit_debit(990001, '1 USD');
COMMIT;
SELECT * FROM verify();

-- in a row so wide that the table's owner has columns stored elsewhere
ALTER TABLE account ADD COLUMN note text;
ALTER TABLE account ALTER COLUMN note SET STORAGE MAIN;
UPDATE account SET note = (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 230) n) WHERE account_id = 990001;
SELECT seq FROM store_credit_debit(990001, '1 USD');
SELECT * FROM verify(990001);

-- a ledger that has a history already
\c :home
CREATE DATABASE regression_storecredit_evidence_late;
ALTER DATABASE regression_storecredit_evidence_late SET search_path = "$user", public, storecredit;
\c regression_storecredit_evidence_late
\set VERBOSITY terse
\set SHOW_CONTEXT never
CREATE EXTENSION storecredit;
SELECT create_ledger(NULL);
SELECT create_ledger(false);
SELECT has_tamper_evidence();
SELECT count(*) FROM generate_series(1, 250) n, store_credit_credit('late/' || n, '5 USD', memo => 'long ago', metadata => to_jsonb(n));
SELECT count(*) FROM store_credit_debit('late/1', '1 USD');
SELECT store_credit_erase('late/none');
UPDATE transaction SET memo = NULL WHERE account_id = 2;
SELECT count(hash), count(salt), count(memo_digest) FROM transaction;
SELECT * FROM chain_heads();
-- a hash that does not fit cannot be put in by hand
UPDATE transaction SET hash = sha256('a') WHERE account_id = 1 AND seq = 1;
UPDATE transaction SET hash = sha256('a') WHERE account_id = 1 AND seq = 2;
SELECT create_ledger(tamper_evidence => true);
BEGIN;
CALL add_tamper_evidence();
ROLLBACK;
CALL add_tamper_evidence();
SELECT has_tamper_evidence(), count(*), count(last_hash) FROM account;
SELECT count(*), count(hash), count(salt) FROM transaction;
SELECT * FROM verify();
SELECT count(*) FROM store_credit_debit('late/1', '1 USD');
SELECT count(*) FROM store_credit_credit('late/new', '1 USD');
CALL add_tamper_evidence();
SELECT create_ledger(tamper_evidence => true);
SELECT * FROM verify();
-- a subscriber, or whoever dropped the default, has the chains checked that are there
ALTER TABLE account ALTER COLUMN last_hash DROP DEFAULT;
SELECT count(*) FROM store_credit_credit('late/unchained', '1 USD');
SELECT * FROM verify();
ALTER TABLE transaction DISABLE TRIGGER guard;
UPDATE transaction SET issuer = 'x' WHERE account_id = 1 AND seq = 2;
ALTER TABLE transaction ENABLE ALWAYS TRIGGER guard;
SELECT account_id, rule, left(expected, 13) AS expected FROM verify();
SELECT account_id, rule, left(expected, 13) AS expected FROM verify(1);
SELECT seal_account(1);
\echo SQLSTATE :LAST_ERROR_SQLSTATE

\c :home
DROP DATABASE regression_storecredit_evidence;
DROP DATABASE regression_storecredit_evidence_late;
