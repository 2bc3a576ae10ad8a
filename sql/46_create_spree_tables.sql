-- create_spree_tables() makes what the functions for Spree's and Solidus's tables keep, beside the ledger and
-- as its owner's.  Nothing of it refers to a table of the shop's: those are truncated and dropped as before.

CREATE FUNCTION create_spree_tables() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $create_spree_tables$
BEGIN
	-- rules ------------------------------------------------------------------------------------

	CREATE TABLE storecredit.spree_violation (
		violation_id bigint      GENERATED ALWAYS AS IDENTITY,
		occurred_at  timestamptz NOT NULL,
		table_name   text        COLLATE "C" NOT NULL,
		row_id       text        COLLATE "C",
		rule         text        COLLATE "C" NOT NULL,
		detail       text        NOT NULL,
		recorded_by  text        NOT NULL,
		CONSTRAINT spree_violation_pkey PRIMARY KEY (violation_id)
	);
	COMMENT ON TABLE storecredit.spree_violation IS 'what a rule in mode "warn" has let pass; rows may be deleted at any time';
	COMMENT ON COLUMN storecredit.spree_violation.violation_id IS 'order of writing';
	COMMENT ON COLUMN storecredit.spree_violation.occurred_at IS 'when';
	COMMENT ON COLUMN storecredit.spree_violation.table_name IS 'the shop''s table, with its schema';
	COMMENT ON COLUMN storecredit.spree_violation.row_id IS 'id of the row; null if it was the whole table';
	COMMENT ON COLUMN storecredit.spree_violation.rule IS 'the rule, as in spree_rules()';
	COMMENT ON COLUMN storecredit.spree_violation.detail IS 'the figures';
	COMMENT ON COLUMN storecredit.spree_violation.recorded_by IS 'who was logged in';

	CREATE VIEW storecredit.spree_violations WITH (security_invoker = true) AS
		SELECT v.table_name, v.rule, count(*) AS violations, count(DISTINCT v.row_id) AS row_count,
			min(v.occurred_at) AS first_at, max(v.occurred_at) AS last_at,
			(array_agg(v.detail ORDER BY v.violation_id DESC))[1] AS last_detail
		FROM storecredit.spree_violation v
		GROUP BY v.table_name, v.rule;
	COMMENT ON VIEW storecredit.spree_violations IS 'how often each rule in mode "warn" was broken, and would have refused something in mode "enforce"';
	COMMENT ON COLUMN storecredit.spree_violations.table_name IS 'the shop''s table, with its schema';
	COMMENT ON COLUMN storecredit.spree_violations.rule IS 'the rule, as in spree_rules()';
	COMMENT ON COLUMN storecredit.spree_violations.violations IS 'how many changes have broken it';
	COMMENT ON COLUMN storecredit.spree_violations.row_count IS 'how many rows these were';
	COMMENT ON COLUMN storecredit.spree_violations.first_at IS 'when the first was';
	COMMENT ON COLUMN storecredit.spree_violations.last_at IS 'when the last was';
	COMMENT ON COLUMN storecredit.spree_violations.last_detail IS 'the figures of the last';

	-- expiry -----------------------------------------------------------------------------------
	-- No foreign keys, here or anywhere, to an application's tables: what it does to them stays its own.

	CREATE TABLE storecredit.spree_expiry (
		store_credits   regclass    NOT NULL,
		store_credit_id bigint      NOT NULL,
		expires_at      timestamptz NOT NULL,
		CONSTRAINT spree_expiry_pkey PRIMARY KEY (store_credits, store_credit_id)
	);
	CREATE INDEX spree_expiry_expires_at_idx ON storecredit.spree_expiry (store_credits, expires_at)
		WHERE expires_at < 'infinity';
	COMMENT ON TABLE storecredit.spree_expiry IS 'when single credits of a shop end, whatever its rules say: spree_expire_at()';
	COMMENT ON COLUMN storecredit.spree_expiry.store_credits IS 'the shop, by its table of store credits';
	COMMENT ON COLUMN storecredit.spree_expiry.store_credit_id IS 'id of the credit there';
	COMMENT ON COLUMN storecredit.spree_expiry.expires_at IS 'the first instant at which it is gone; infinity for never';
	COMMENT ON INDEX storecredit.spree_expiry_expires_at_idx IS 'whether a shop has credits that may be due';

	CREATE TABLE storecredit.spree_expiry_rule (
		store_credits regclass    NOT NULL,
		kind          text        COLLATE "C" NOT NULL,
		name          text,
		days          integer     NOT NULL,
		issued_from   timestamptz NOT NULL,
		CONSTRAINT spree_expiry_rule_key UNIQUE NULLS NOT DISTINCT (store_credits, kind, name),
		CONSTRAINT spree_expiry_rule_kind_check CHECK (
			kind = ANY ('{type,category,gift_card}') AND (kind = 'gift_card') = (name IS NULL)),
		CONSTRAINT spree_expiry_rule_days_check CHECK (
			days >= CASE WHEN kind = 'gift_card' THEN 0 ELSE 1 END AND days <= 36500)
	);
	COMMENT ON TABLE storecredit.spree_expiry_rule IS 'when credits of a shop end that have no end of their own: spree_set_expiry_rule(); the earliest counts where several do';
	COMMENT ON COLUMN storecredit.spree_expiry_rule.store_credits IS 'the shop, by its table of store credits';
	COMMENT ON COLUMN storecredit.spree_expiry_rule.kind IS 'type or category: credits of that name; gift_card: credits that a gift card was turned into';
	COMMENT ON COLUMN storecredit.spree_expiry_rule.name IS 'of the type or the category; null for gift_card';
	COMMENT ON COLUMN storecredit.spree_expiry_rule.days IS 'days of 24 hours after the credit''s created_at; for gift_card, after the card''s expires_at';
	COMMENT ON COLUMN storecredit.spree_expiry_rule.issued_from IS 'credits that were issued before are left alone';

	CREATE TABLE storecredit.spree_expired (
		expired_id      bigint      GENERATED ALWAYS AS IDENTITY,
		store_credits   regclass    NOT NULL,
		store_credit_id bigint      NOT NULL,
		owner_id        text,
		currency        text,
		amount          numeric     NOT NULL,
		expires_at      timestamptz NOT NULL,
		expired_at      timestamptz NOT NULL,
		action          text        COLLATE "C" NOT NULL,
		CONSTRAINT spree_expired_pkey PRIMARY KEY (expired_id)
	);
	COMMENT ON TABLE storecredit.spree_expired IS 'what spree_expire() has taken from the credits of shops, the breakage: written in the transaction that took it';
	COMMENT ON COLUMN storecredit.spree_expired.expired_id IS 'order of writing';
	COMMENT ON COLUMN storecredit.spree_expired.store_credits IS 'the shop, by its table of store credits';
	COMMENT ON COLUMN storecredit.spree_expired.store_credit_id IS 'id of the credit there';
	COMMENT ON COLUMN storecredit.spree_expired.owner_id IS 'whose it was: its user_id or customer_id; null if the customer is gone';
	COMMENT ON COLUMN storecredit.spree_expired.currency IS 'the credit''s, as it stands there';
	COMMENT ON COLUMN storecredit.spree_expired.amount IS 'what was left of it, in the currency''s units as it stands there';
	COMMENT ON COLUMN storecredit.spree_expired.expires_at IS 'when it ended';
	COMMENT ON COLUMN storecredit.spree_expired.expired_at IS 'when that was booked, by the clock that expiry is judged by';
	COMMENT ON COLUMN storecredit.spree_expired.action IS 'what was done to it: invalidated, lowered to what was used, or deleted';

	-- import -----------------------------------------------------------------------------------

	CREATE TABLE storecredit.spree_imported (
		store_credits   regclass    NOT NULL,
		store_credit_id bigint      NOT NULL,
		account_id      bigint,
		seq             bigint,
		granted         money_ccy   NOT NULL,
		remaining       money_ccy   NOT NULL,
		last_event_id   bigint      NOT NULL,
		ended           boolean     NOT NULL,
		adjusted        boolean     NOT NULL,
		state           bigint      NOT NULL,
		imported_at     timestamptz NOT NULL,
		CONSTRAINT spree_imported_pkey PRIMARY KEY (store_credits, store_credit_id),
		CONSTRAINT spree_imported_seq_check CHECK ((account_id IS NULL) = (seq IS NULL)),
		CONSTRAINT spree_imported_currency_check CHECK (money_ccy_currency(granted) = money_ccy_currency(remaining))
	) WITH (fillfactor = 90);
	COMMENT ON TABLE storecredit.spree_imported IS 'which of a shop''s store credits spree_import() has copied into the ledger, and how far';
	COMMENT ON COLUMN storecredit.spree_imported.store_credits IS 'the shop''s table of store credits';
	COMMENT ON COLUMN storecredit.spree_imported.store_credit_id IS 'its row';
	COMMENT ON COLUMN storecredit.spree_imported.account_id IS 'the account that has the credit; null if nothing was left of it at the start of the import';
	COMMENT ON COLUMN storecredit.spree_imported.seq IS 'the credit''s seq in the account''s history; null as account_id is';
	COMMENT ON COLUMN storecredit.spree_imported.granted IS 'what the shop had granted, its adjustments left out';
	COMMENT ON COLUMN storecredit.spree_imported.remaining IS 'what was left of it, by the shop, when it was copied last: open_credit has the same unless it was used in the ledger since';
	COMMENT ON COLUMN storecredit.spree_imported.last_event_id IS 'the newest of its events that was copied; 0 for none';
	COMMENT ON COLUMN storecredit.spree_imported.ended IS 'true once it was deleted or invalidated in the shop';
	COMMENT ON COLUMN storecredit.spree_imported.adjusted IS 'true if it came by its columns and not by its events: what happens to it later is not followed';
	COMMENT ON COLUMN storecredit.spree_imported.state IS 'digest of the row and of its events, as copied last';
	COMMENT ON COLUMN storecredit.spree_imported.imported_at IS 'when it was copied last';

	CREATE TABLE storecredit.spree_quarantine (
		store_credits   regclass    NOT NULL,
		store_credit_id bigint      NOT NULL,
		decision        text        NOT NULL,
		reasons         text[]      NOT NULL,
		owner           text        NOT NULL,
		currency        text,
		by_columns      numeric,
		by_events       numeric,
		booked          numeric,
		state           bigint      NOT NULL,
		noted_at        timestamptz NOT NULL,
		CONSTRAINT spree_quarantine_pkey PRIMARY KEY (store_credits, store_credit_id),
		CONSTRAINT spree_quarantine_decision_check CHECK (decision = ANY ('{quarantined,adjusted}')),
		CONSTRAINT spree_quarantine_reasons_check CHECK (cardinality(reasons) > 0)
	) WITH (fillfactor = 90);
	COMMENT ON TABLE storecredit.spree_quarantine IS 'store credits of a shop that spree_import() could not copy as they stand, and why';
	COMMENT ON COLUMN storecredit.spree_quarantine.store_credits IS 'the shop''s table of store credits';
	COMMENT ON COLUMN storecredit.spree_quarantine.store_credit_id IS 'its row';
	COMMENT ON COLUMN storecredit.spree_quarantine.decision IS 'quarantined: nothing of it was booked since it became so; adjusted: an opening balance was, by its columns';
	COMMENT ON COLUMN storecredit.spree_quarantine.reasons IS 'what is wrong with it, in sentences';
	COMMENT ON COLUMN storecredit.spree_quarantine.owner IS 'whose account it would be in';
	COMMENT ON COLUMN storecredit.spree_quarantine.currency IS 'as the shop has it';
	COMMENT ON COLUMN storecredit.spree_quarantine.by_columns IS 'what the customer has of it by its row: amount less used, what is authorized included; zero once deleted or invalidated';
	COMMENT ON COLUMN storecredit.spree_quarantine.by_events IS 'the same by its events; null where an amount cannot be read';
	COMMENT ON COLUMN storecredit.spree_quarantine.booked IS 'what of it is in the ledger; null for nothing';
	COMMENT ON COLUMN storecredit.spree_quarantine.state IS 'digest under which it is not looked at again: delete the row to have it looked at anyway';
	COMMENT ON COLUMN storecredit.spree_quarantine.noted_at IS 'when spree_import() looked at it last';
END
$create_spree_tables$;
COMMENT ON FUNCTION create_spree_tables() IS 'the part of create_ledger() that makes what is kept for Spree''s and Solidus''s tables';
