-- A trigger that was put on a table the wrong way says so at its first row.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
\set SHOW_CONTEXT never
CREATE SCHEMA guard_misuse;
SET search_path = guard_misuse, storecredit;
CREATE TABLE t (id integer, owner text, amount money_ccy, plain numeric, currency text, ratio double precision, doc json);

-- each definition is tried with one row, and taken away again
CREATE PROCEDURE try(definition text, row_values text DEFAULT '1, ''Anna'', ''5 USD'', 5, ''USD'', 0.5, ''{}''') LANGUAGE plpgsql AS $$
DECLARE
	state text;
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE 'CREATE TRIGGER x ' || definition;
	EXECUTE 'INSERT INTO t VALUES (' || row_values || ')';
	RAISE EXCEPTION 'nothing was said';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RAISE WARNING '% %', state, concat_ws(' | ', message, nullif(detail, ''), nullif(hint, ''));
END$$;

-- when it fires
CALL try('BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION storecredit.enforce_positive_amount(amount)');
CALL try('AFTER INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION storecredit.enforce_positive_amount(amount)');
CALL try('BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION storecredit.enforce_currency_limit(owner, amount)');
CALL try('BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION storecredit.guard_account()');
CALL try('AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION storecredit.guard_transaction()');
CALL try('AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION storecredit.guard_hold()');
CALL try('AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION storecredit.guard_truncate()');
CALL try('BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION storecredit.announce_limits()');
SELECT storecredit.enforce_positive_amount();
SELECT storecredit.enforce_currency_limit();
SELECT storecredit.guard_soundness();
SELECT storecredit.guard_truncate();
SELECT storecredit.announce_limits();
BEGIN;
CREATE TRIGGER positive AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION storecredit.enforce_positive_amount(amount);
INSERT INTO t VALUES (1);
DELETE FROM t;
ROLLBACK;

-- what it names
CALL try('AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION storecredit.enforce_positive_amount()');
CALL try('AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION storecredit.enforce_positive_amount(''Amount'')');
CALL try('AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION storecredit.enforce_positive_amount(ctid)');
CALL try('AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION storecredit.enforce_positive_amount(owner)');
CALL try('AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION storecredit.enforce_positive_amount(ratio)');
CALL try('AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION storecredit.enforce_currency_limit()');
CALL try('AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION storecredit.enforce_currency_limit(owner)');
CALL try('AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION storecredit.enforce_currency_limit(owner, currency)');
CALL try('AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION storecredit.enforce_currency_limit(nobody, amount)');
CALL try('AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION storecredit.enforce_currency_limit(owner, ''- amount'')');
CALL try('AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION storecredit.enforce_currency_limit(owner, plain)');
CALL try('AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION storecredit.enforce_currency_limit(owner, amount, plain)');
CALL try('AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION storecredit.enforce_currency_limit(owner, currency, amount)');
CALL try('AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION storecredit.enforce_currency_limit(owner, id, currency)');
CALL try('AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION storecredit.enforce_currency_limit(owner, amount, id)');

-- a type that cannot be compared tells no owner
INSERT INTO storecredit.currency_limit VALUES ('RON', '5 RON');
CALL try('AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION storecredit.enforce_currency_limit(doc, amount)',
	'1, ''Anna'', ''9 RON'', 5, ''RON'', 0.5, ''{}''');
DELETE FROM storecredit.currency_limit WHERE currency = 'RON';

-- the guards of the ledger are of use nowhere else
CALL try('AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION storecredit.guard_account()');
CALL try('AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION storecredit.guard_soundness()');

-- without a ledger there are no limits to enforce
BEGIN;
DROP TABLE storecredit.account, storecredit.transaction, storecredit.open_credit, storecredit.hold,
	storecredit.currency_limit, storecredit.notification CASCADE;
CALL try('AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION storecredit.enforce_currency_limit(owner, amount)');
CALL try('AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION storecredit.enforce_positive_amount(plain)', '1, NULL, NULL, 0');
ROLLBACK;

DROP SCHEMA guard_misuse CASCADE;
