-- The outbox: storecredit.notify_kinds has customers told of every transaction of a kind, whoever books it, and by either store.
\set home :DBNAME
CREATE DATABASE regression_storecredit_kinds;
ALTER DATABASE regression_storecredit_kinds SET search_path = "$user", public, storecredit;
\c regression_storecredit_kinds
CREATE EXTENSION storecredit;
SELECT create_ledger();
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-11-27 09:00+00';
\set SHOW_CONTEXT never

-- what it may be: kinds of transactions, in any case and order, or nothing
SHOW storecredit.notify_kinds;
SET storecredit.notify_kinds = 'credit, Debit,"debit_revert", EXPIRATION ,adjustment,revocation,credit';
SET storecredit.notify_kinds = 'credit', 'debit';
SHOW storecredit.notify_kinds;
SET storecredit.notify_kinds = 'refund';
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SET storecredit.notify_kinds = 'credit, expiring_soon';
SET storecredit.notify_kinds = '"Credit"';
SET storecredit.notify_kinds = 'credit debit';
SET storecredit.notify_kinds = 'credit,';
SET storecredit.notify_kinds = 'all';
SHOW storecredit.notify_kinds;
SET storecredit.notify_kinds = '';
SET storecredit.notify_kinds = DEFAULT;
-- for the shop, and not for whoever logs in
CREATE ROLE regress_storecredit_clerk;
SET ROLE regress_storecredit_clerk;
SET storecredit.notify_kinds = 'credit';
RESET ROLE;
DROP ROLE regress_storecredit_clerk;

-- every kind, and what is booked on the way: a hold's end, an expiry moved, an end by the sweep
CREATE FUNCTION pg_temp.play(owner text, kinds text, fast boolean) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	account bigint;
BEGIN
	PERFORM set_config('storecredit.notify_kinds', kinds, true), set_config('storecredit.fast_path', fast::text, true),
		set_config('storecredit.test_clock', '2026-11-27 09:00+00', true);
	SELECT account_id INTO account FROM store_credit_credit(owner, '10 USD', expires_on => '2026-11-28');
	PERFORM store_credit_credit(owner, '20 USD', notify => true, idempotency_key => 'k');
	PERFORM store_credit_credit(owner, '20 USD', notify => true, idempotency_key => 'k');
	PERFORM store_credit_debit(owner, '5 USD'), store_credit_debit(owner, '1 USD', notify => true);
	PERFORM store_credit_authorize(owner, '2 USD'), store_credit_authorize(owner, '2 USD', expires_at => '2026-11-28Z');
	PERFORM store_credit_capture(account, 1, '1 USD'), store_credit_edit(account, 2, '21 USD');
	PERFORM store_credit_credit_many(jsonb_build_array(
		jsonb_build_object('owner', owner, 'amount', '3 USD'),
		jsonb_build_object('owner', owner, 'amount', '-1 USD', 'notify', true),
		jsonb_build_object('owner', owner, 'amount', '4 USD', 'notify', true)), 'skip');
	PERFORM store_credit_refund(owner, '6 USD', bonus => '1 USD');
	PERFORM store_credit_account_credit(owner, '{"creditAmount": {"amount": 1, "currencyCode": "USD"}}');
	-- refused, and so none
	BEGIN
		PERFORM store_credit_debit(owner, '1000 USD', notify => true);
	EXCEPTION WHEN SQLSTATE 'SC003' THEN NULL;
	END;
	PERFORM set_config('storecredit.test_clock', '2026-11-30 09:00+00', true);
	PERFORM store_credit_revert(account, 4, memo => 'of what has ended');
	PERFORM set_config('storecredit.test_clock', '2027-02-01 09:00+00', true);
	PERFORM store_credit_expire();
	PERFORM store_credit_revoke(account, 2);
	RETURN account;
END$$;

SELECT pg_temp.play('kinds/fast/none', '', true), pg_temp.play('kinds/plain/none', '', false);
SELECT pg_temp.play('kinds/fast/some', 'credit, expiration', true), pg_temp.play('kinds/plain/some', 'credit, expiration', false);
SELECT pg_temp.play('kinds/fast/all', 'credit, debit, debit_revert, expiration, adjustment, revocation', true),
	pg_temp.play('kinds/plain/all', 'credit, debit, debit_revert, expiration, adjustment, revocation', false);
RESET storecredit.notify_kinds;

-- where it is asked for
SELECT seq, event, amount, t.created_at FROM notification JOIN account USING (account_id) JOIN transaction t USING (account_id, seq)
WHERE owner = 'kinds/fast/none' ORDER BY notification_id;
-- and of each of the kinds, once, in the order of the history
SELECT seq, event, amount, t.created_at, issuer = 'storecredit' AS by_itself, n.created_at = t.created_at AS at_once
FROM notification n JOIN account USING (account_id) JOIN transaction t USING (account_id, seq)
WHERE owner = 'kinds/fast/some' ORDER BY notification_id;
SELECT count(*) AS entries, count(DISTINCT n.notification_id) AS notifications, string_agg(DISTINCT t.kind, ' ') AS kinds,
	count(*) FILTER (WHERE n.event IS DISTINCT FROM t.kind) AS wrong
FROM account JOIN transaction t USING (account_id) LEFT JOIN notification n USING (account_id, seq) WHERE owner = 'kinds/fast/all';
-- the stores agree
CREATE FUNCTION pg_temp.told(store text) RETURNS TABLE (kinds text, n bigint, event text, seq bigint, created_at timestamptz) LANGUAGE sql AS $$
	SELECT split_part(owner, '/', 3), row_number() OVER (PARTITION BY account_id ORDER BY notification_id), event, seq, n.created_at
	FROM notification n JOIN account USING (account_id) WHERE owner LIKE 'kinds/' || store || '/%'$$;
SELECT count(*) FROM pg_temp.told('plain');
(SELECT * FROM pg_temp.told('fast') EXCEPT SELECT * FROM pg_temp.told('plain')) UNION ALL
(SELECT * FROM pg_temp.told('plain') EXCEPT SELECT * FROM pg_temp.told('fast'));

-- none of what is rolled back, to a savepoint too; and the outbox fails when all else is written
SET storecredit.notify_kinds = 'credit';
DELETE FROM notification;
BEGIN;
SELECT seq FROM store_credit_credit('kinds/back', '1 USD');
SAVEPOINT a;
SELECT seq FROM store_credit_credit('kinds/back', '2 USD');
ROLLBACK TO a;
COMMIT;
CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;
CREATE TRIGGER refuse BEFORE INSERT ON notification FOR EACH ROW EXECUTE FUNCTION pg_temp.refuse();
SELECT seq FROM store_credit_credit('kinds/back', '4 USD');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
DROP TRIGGER refuse ON notification;
SELECT seq, event, balance FROM notification JOIN account USING (account_id);

-- as it is set for a database
ALTER DATABASE regression_storecredit_kinds SET storecredit.notify_kinds = 'debit', 'revocation';
\c -
DELETE FROM notification;
SELECT seq FROM store_credit_credit('kinds/back', '2 USD');
SELECT seq FROM store_credit_debit('kinds/back', '2 USD');
SELECT seq, event FROM notification;

SELECT * FROM verify();
\c :home
DROP DATABASE regression_storecredit_kinds;
