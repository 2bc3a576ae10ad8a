-- A chain of hashes through each account's history: doc/tamper_evidence.md.  src/chain.c computes the same hashes
-- where entries are written and verified.

CREATE FUNCTION chain_start() RETURNS bytea
LANGUAGE SQL IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.decode(pg_catalog.repeat('00', 32), 'hex');
COMMENT ON FUNCTION chain_start() IS 'what stands for the hash before the first transaction of an account: 32 zero bytes';

CREATE FUNCTION salted_digest(salt bytea, content text) RETURNS bytea
LANGUAGE SQL STABLE PARALLEL SAFE
RETURN pg_catalog.sha256(coalesce(salt, '') OPERATOR(pg_catalog.||) pg_catalog.convert_to(content, 'UTF8'));
COMMENT ON FUNCTION salted_digest(bytea, text) IS 'what stays of a memo or of metadata as text when it is blanked; null of null';

CREATE FUNCTION transaction_hash(entry store_credit_transaction, previous bytea) RETURNS bytea
LANGUAGE SQL STABLE PARALLEL SAFE
RETURN pg_catalog.sha256(pg_catalog.record_send(ROW(
	previous,
	entry.account_id,
	entry.seq,
	storecredit.money_ccy_send(entry.amount),
	storecredit.money_ccy_send(entry.balance_after),
	entry.created_at,
	entry.expires_at,
	pg_catalog.convert_to(entry.kind, 'UTF8'),
	pg_catalog.convert_to(entry.category, 'UTF8'),
	coalesce(storecredit.salted_digest(entry.salt, entry.memo), entry.memo_digest),
	pg_catalog.convert_to(entry.reference, 'UTF8'),
	pg_catalog.convert_to(entry.issuer, 'UTF8'),
	pg_catalog.convert_to(entry.recorded_by, 'UTF8'),
	pg_catalog.convert_to(entry.idempotency_key, 'UTF8'),
	entry.related_seq,
	entry.hold_id,
	coalesce(storecredit.salted_digest(entry.salt, entry.metadata::pg_catalog.text), entry.metadata_digest),
	entry.draws,
	entry.request_hash)));
COMMENT ON FUNCTION transaction_hash(store_credit_transaction, bytea) IS
	'what the hash of a transaction must be, by the hash of the one before it in its account, or chain_start()';

-- turning it on --------------------------------------------------------------------------------

CREATE FUNCTION has_tamper_evidence() RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $has_tamper_evidence$
BEGIN
	RETURN EXISTS (SELECT FROM pg_attribute a
		WHERE a.attrelid = to_regclass('storecredit.account') AND a.attname = 'last_hash' AND a.atthasdef);
END
$has_tamper_evidence$;
COMMENT ON FUNCTION has_tamper_evidence() IS 'whether accounts are opened with a chain of hashes: last_hash has a default then';

CREATE FUNCTION guard_blanking() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $guard_blanking$
BEGIN
	NEW.memo_digest := CASE WHEN NEW.memo IS NULL THEN coalesce(salted_digest(OLD.salt, OLD.memo), OLD.memo_digest) END;
	NEW.metadata_digest := CASE WHEN NEW.metadata IS NULL THEN coalesce(salted_digest(OLD.salt, OLD.metadata::text), OLD.metadata_digest) END;
	IF NEW.memo IS NULL AND NEW.metadata IS NULL THEN
		NEW.salt := NULL;
	END IF;
	RETURN NEW;
END
$guard_blanking$;
COMMENT ON FUNCTION guard_blanking() IS 'trigger of storecredit.transaction where there is tamper evidence: keeps the digests of a memo and of metadata that are blanked';

CREATE FUNCTION start_tamper_evidence() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $start_tamper_evidence$
BEGIN
	IF NOT has_tamper_evidence() THEN
		EXECUTE format('ALTER TABLE storecredit.account ALTER COLUMN last_hash SET DEFAULT %L::bytea', chain_start());
		CREATE TRIGGER guard_blanking BEFORE UPDATE ON storecredit.transaction
			FOR EACH ROW EXECUTE FUNCTION storecredit.guard_blanking();
	END IF;
END
$start_tamper_evidence$;
COMMENT ON FUNCTION start_tamper_evidence() IS 'makes every account that is opened from now on have a chain of hashes; the part of create_ledger() and add_tamper_evidence() that does so';

CREATE FUNCTION create_ledger(tamper_evidence boolean) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $create_ledger$
DECLARE
	wanted boolean := require_value(tamper_evidence, 'tamper_evidence');
	existed boolean := to_regclass('storecredit.account') IS NOT NULL;
BEGIN
	PERFORM create_ledger();
	IF wanted AND NOT existed THEN
		PERFORM start_tamper_evidence();
	ELSIF wanted AND NOT has_tamper_evidence() THEN
		RAISE NOTICE 'the ledger has no tamper evidence' USING HINT = 'Add it with CALL storecredit.add_tamper_evidence().';
	END IF;
END
$create_ledger$;
COMMENT ON FUNCTION create_ledger(boolean) IS
	'create_ledger(), with a chain of hashes through the history of every account if tamper_evidence is true';

/* The account is locked, so nothing is added meanwhile. */
CREATE FUNCTION seal_account(account_id bigint) RETURNS bytea
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $seal_account$
DECLARE
	entry store_credit_transaction;
	head bytea := chain_start();
BEGIN
	PERFORM require_ledger(), require_value(seal_account.account_id, 'account_id');
	PERFORM FROM storecredit.account a WHERE a.account_id = seal_account.account_id FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'Store credit account does not exist'
			USING ERRCODE = 'SC004', CONSTRAINT = 'account_not_found',
				DETAIL = format('There is no account %s.', seal_account.account_id);
	END IF;
	FOR entry IN SELECT t.* FROM storecredit.transaction t WHERE t.account_id = seal_account.account_id ORDER BY t.seq LOOP
		IF entry.hash IS NULL THEN
			IF entry.salt IS NULL AND (entry.memo IS NOT NULL OR entry.metadata IS NOT NULL) THEN
				entry.salt := uuid_send(gen_random_uuid());
			END IF;
			entry.hash := transaction_hash(entry, head);
			UPDATE storecredit.transaction t SET hash = entry.hash, salt = entry.salt
			WHERE t.account_id = entry.account_id AND t.seq = entry.seq;
		ELSIF entry.hash <> transaction_hash(entry, head) THEN
			RAISE EXCEPTION 'transaction % of account % does not fit into its chain of hashes', entry.seq, entry.account_id
				USING ERRCODE = 'data_corrupted',
					HINT = format('See what SELECT * FROM storecredit.verify(%s) finds.', entry.account_id);
		END IF;
		head := entry.hash;
	END LOOP;
	UPDATE storecredit.account a SET last_hash = head
	WHERE a.account_id = seal_account.account_id AND a.last_hash IS DISTINCT FROM head;
	RETURN head;
END
$seal_account$;
COMMENT ON FUNCTION seal_account(bigint) IS
	'gives the transactions of an account the hashes that they lack, and the account its last_hash, which is returned; of what statements other than the ledger''s functions wrote';

/* A procedure that commits can have no search_path of its own, so everything in it is named in full. */
CREATE PROCEDURE add_tamper_evidence()
LANGUAGE plpgsql
AS $add_tamper_evidence$
DECLARE
	account bigint;
	sealed bigint := 0;
BEGIN
	PERFORM storecredit.require_ledger();
	PERFORM storecredit.start_tamper_evidence();
	COMMIT;
	FOR account IN SELECT a.account_id FROM storecredit.account a WHERE a.last_hash IS NULL ORDER BY a.account_id LOOP
		PERFORM storecredit.seal_account(account);
		sealed := sealed OPERATOR(pg_catalog.+) 1;
		IF (sealed OPERATOR(pg_catalog.%) 100) OPERATOR(pg_catalog.=) 0 THEN
			COMMIT;
		END IF;
	END LOOP;
END
$add_tamper_evidence$;
COMMENT ON PROCEDURE add_tamper_evidence() IS
	'gives every account of a ledger, past and future, a chain of hashes, a hundred accounts a transaction; goes on where it was broken off';

-- anchors --------------------------------------------------------------------------------------

CREATE FUNCTION chain_heads() RETURNS TABLE (account_id bigint, seq bigint, hash bytea)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1000
SET search_path = pg_catalog, storecredit, pg_temp
AS $chain_heads$
BEGIN
	PERFORM require_ledger();
	RETURN QUERY
	SELECT a.account_id, a.last_seq, a.last_hash FROM storecredit.account a WHERE a.last_hash IS NOT NULL;
END
$chain_heads$;
COMMENT ON FUNCTION chain_heads() IS
	'the newest hash of every account that has a chain, and the seq of its transaction: kept elsewhere, they prove later that the history until then is still the same';

/* By slices of accounts, so that no value grows with the ledger. */
CREATE FUNCTION chain_digest(before timestamptz DEFAULT 'infinity')
RETURNS TABLE (accounts bigint, transactions bigint, digest bytea)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, storecredit, pg_temp
AS $chain_digest$
DECLARE
	instant timestamptz := require_value(chain_digest.before, 'before');
BEGIN
	PERFORM require_ledger();
	RETURN QUERY
	SELECT coalesce(sum(s.accounts), 0)::bigint, coalesce(sum(s.transactions), 0)::bigint,
		sha256(coalesce(string_agg(s.digest, '' ORDER BY s.slice), ''))
	FROM (
		SELECT h.account_id >> 16 AS slice, count(*) AS accounts, sum(h.seq) AS transactions,
			sha256(string_agg(int8send(h.account_id) || int8send(h.seq) || h.hash, '' ORDER BY h.account_id)) AS digest
		FROM (
			SELECT DISTINCT ON (t.account_id) t.account_id, t.seq, t.hash
			FROM storecredit.transaction t
			WHERE t.created_at < instant AND t.hash IS NOT NULL
			ORDER BY t.account_id, t.seq DESC) h
		GROUP BY h.account_id >> 16) s;
END
$chain_digest$;
COMMENT ON FUNCTION chain_digest(timestamptz) IS
	'one SHA-256 over the newest hash that each account had before an instant, with how many accounts and transactions that is: to be kept elsewhere, and computed again later';

REVOKE EXECUTE ON FUNCTION
	create_ledger(boolean),
	start_tamper_evidence(),
	seal_account(bigint),
	chain_heads(),
	chain_digest(timestamptz)
FROM PUBLIC;
REVOKE EXECUTE ON PROCEDURE add_tamper_evidence() FROM PUBLIC;
