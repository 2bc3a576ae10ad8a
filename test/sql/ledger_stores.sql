-- The ledger's tables are the user's own: indexes, columns and constraints of his work, and where they are more than the access
-- methods are used for, SQL statements take over.
\set home :DBNAME
CREATE DATABASE regression_storecredit_stores;
ALTER DATABASE regression_storecredit_stores SET search_path = "$user", public, storecredit;
\c regression_storecredit_stores
CREATE EXTENSION storecredit;
SELECT create_ledger();

\set VERBOSITY terse

-- Opens an account, uses it in every way, and tells by which store: the plans that a session keeps show SQL statements.
CREATE FUNCTION play(owner text, OUT balance money_ccy, OUT entries bigint, OUT store text)
LANGUAGE plpgsql SET storecredit.fast_path = on AS $$
BEGIN
	PERFORM store_credit_credit(owner, '3 USD', expires_at => 'infinity', reference => owner || '/1', idempotency_key => 'c');
	PERFORM store_credit_credit(owner, '2 USD', expires_at => '2100-01-01 00:00+00', reference => owner || '/2');
	PERFORM store_credit_debit(owner, '2.50 USD', memo => 'more than one credit', metadata => '{"a": 1}', idempotency_key => 'd');
	PERFORM store_credit_debit(owner, '2.50 USD', memo => 'more than one credit', metadata => '{"a": 1}', idempotency_key => 'd');
	SELECT a.balance, a.last_seq INTO balance, entries FROM account a WHERE a.owner = play.owner COLLATE "C" AND a.currency = 'USD';
	store := CASE WHEN EXISTS (SELECT FROM pg_backend_memory_contexts WHERE ident LIKE '% FROM storecredit.open\_' || 'credit %')
		THEN 'statements' ELSE 'access methods' END;
END$$;

-- as create_ledger() made them
\c -
SELECT * FROM play('stores/as made');

-- plain btree indexes, unique ones and such with further columns too
\c -
CREATE INDEX regress_reference ON transaction (reference, created_at DESC NULLS LAST);
CREATE UNIQUE INDEX regress_unique ON transaction (account_id, reference) INCLUDE (memo);
CREATE INDEX regress_balance ON account (currency, balance) INCLUDE (owner);
CREATE INDEX regress_remaining ON open_credit (account_id, remaining);
CREATE INDEX regress_not_null ON transaction (metadata) WHERE metadata IS NOT NULL;
SELECT * FROM play('stores/indexes');
SELECT count(*) FROM store_credit_debit('stores/indexes', '0.10 USD');
-- they lead to the rows, also where these had to move
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT seq, amount FROM transaction WHERE reference = 'stores/indexes/2';
SELECT owner, balance FROM account WHERE currency = 'USD' AND balance = '2.40 USD' AND owner = 'stores/indexes';
SELECT o.seq, o.remaining FROM open_credit o JOIN account a USING (account_id)
WHERE a.owner = 'stores/indexes' AND o.remaining > '0 USD';
SELECT count(*) FROM transaction JOIN account USING (account_id) WHERE metadata = '{"a": 1}' AND owner = 'stores/indexes';
RESET enable_seqscan;
RESET enable_bitmapscan;
-- what a unique one refuses leaves nothing behind
SELECT store_credit_credit('stores/indexes', '1 USD', reference => 'stores/indexes/2');
SELECT last_seq, balance FROM account WHERE owner = 'stores/indexes';
DROP INDEX regress_reference, regress_unique, regress_balance, regress_remaining,
	regress_not_null;

-- other indexes
\c -
CREATE INDEX regress_lower ON account (lower(owner));
SELECT * FROM play('stores/EXPRESSION');
SET enable_seqscan = off;
SELECT owner FROM account WHERE lower(owner) = 'stores/expression';
DROP INDEX regress_lower;
\c -
CREATE INDEX regress_debits ON transaction (created_at) WHERE kind = 'debit';
SELECT * FROM play('stores/partial');
DROP INDEX regress_debits;
\c -
CREATE INDEX regress_before ON open_credit (expires_at) WHERE expires_at < '2100-01-01 00:00+00';
SELECT * FROM play('stores/partial by expiry');
DROP INDEX regress_before;
\c -
CREATE INDEX regress_never ON open_credit (account_id) WHERE expires_at = 'infinity';
SELECT * FROM play('stores/partial without end');
SET enable_seqscan = off;
SELECT seq, remaining FROM open_credit JOIN account USING (account_id) WHERE expires_at = 'infinity' AND owner = 'stores/partial without end';
DROP INDEX regress_never;
\c -
CREATE INDEX regress_metadata ON transaction USING gin (metadata);
SELECT * FROM play('stores/gin');
SET enable_seqscan = off;
SELECT seq FROM transaction JOIN account USING (account_id)
WHERE metadata @> '{"a": 1}' AND owner = 'stores/gin';
DROP INDEX regress_metadata;
\c -
CREATE INDEX regress_brin ON transaction USING brin (created_at);
SELECT * FROM play('stores/brin');
DROP INDEX regress_brin;
\c -
CREATE INDEX regress_hash ON open_credit USING hash (seq);
SELECT * FROM play('stores/hash');
DROP INDEX regress_hash;
\c -
SELECT format('CREATE INDEX regress_%s ON account (opened_at)', n) FROM generate_series(1, 8) AS n \gexec
SELECT * FROM play('stores/many indexes');
SELECT format('DROP INDEX regress_%s', n) FROM generate_series(1, 8) AS n \gexec
-- and one fewer: the key that idempotency is kept with
\c -
DROP INDEX transaction_idempotency_key;
SELECT * FROM play('stores/no key');
CREATE UNIQUE INDEX transaction_idempotency_key ON transaction (account_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
COMMENT ON INDEX transaction_idempotency_key IS 'an idempotency key is used once per account, forever';

-- columns of the user's on account, small and large
\c -
ALTER TABLE account ADD COLUMN tier text NOT NULL DEFAULT 'basic', ADD COLUMN notes text,
	ADD COLUMN customer_id bigint GENERATED ALWAYS AS IDENTITY;
SELECT * FROM play('stores/columns');
UPDATE account SET tier = 'gold', notes = (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 2000) AS n)
WHERE owner = 'stores/columns';
SELECT balance_after FROM store_credit_debit('stores/columns', '0.50 USD');
SELECT balance_after FROM store_credit_credit('stores/columns', '0.25 USD');
SELECT balance, tier, length(notes), md5(notes) FROM account WHERE owner = 'stores/columns';
-- made from the ledger's own
\c -
ALTER TABLE account ADD COLUMN cents bigint GENERATED ALWAYS AS (money_ccy_to_minor(balance)) STORED;
SELECT * FROM play('stores/generated');
SELECT balance, cents FROM account WHERE owner = 'stores/generated';
ALTER TABLE account DROP COLUMN tier, DROP COLUMN notes, DROP COLUMN customer_id, DROP COLUMN cents;
-- where they have been
\c -
SELECT * FROM play('stores/columns gone');
-- on the other tables
\c -
BEGIN;
ALTER TABLE open_credit ADD COLUMN campaign text DEFAULT 'none';
SELECT * FROM play('stores/column of a credit');
SELECT o.campaign, o.remaining FROM open_credit o JOIN account a USING (account_id)
WHERE a.owner = 'stores/column of a credit';
ROLLBACK;
\c -
ALTER TABLE transaction ADD COLUMN campaign text;

-- a rule of the user's for amounts
\c -
ALTER TABLE transaction ADD CONSTRAINT regress_small CHECK (abs(amount) < '1000 USD') NOT VALID;
SELECT * FROM play('stores/check');
SELECT balance_after FROM store_credit_credit('stores/check', '1000 USD');
SELECT last_seq, balance FROM account WHERE owner = 'stores/check';
ALTER TABLE transaction DROP CONSTRAINT regress_small;

-- other kinds of tables
\c -
ALTER TABLE open_credit SET UNLOGGED;
SELECT * FROM play('stores/unlogged');
ALTER TABLE open_credit SET LOGGED;
\c -
ALTER TABLE transaction REPLICA IDENTITY FULL;
SELECT * FROM play('stores/replica identity');
ALTER TABLE transaction REPLICA IDENTITY DEFAULT;
\c -
CREATE TABLE more_accounts () INHERITS (account);
SELECT * FROM play('stores/inherited');
DROP TABLE more_accounts;
ANALYZE account;

-- what a session has seen of the tables it forgets when they change
\c -
SELECT * FROM play('stores/changing');
CREATE INDEX regress_lower ON account (lower(owner));
SELECT store FROM play('stores/changed');
DROP INDEX regress_lower;
VACUUM (FULL) account, open_credit, transaction;
SELECT balance_after FROM store_credit_debit('stores/changing', '0.50 USD');
REINDEX TABLE open_credit;
SELECT balance_after FROM store_credit_credit('stores/changing', '0.50 USD');
\c -
SELECT * FROM play('stores/as made again');

SELECT owner, balance, last_seq FROM account WHERE owner LIKE 'stores/%' AND (balance <> '2.50 USD' OR last_seq <> 3) ORDER BY owner;
SELECT * FROM verify();

\c :home
DROP DATABASE regression_storecredit_stores;
