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
		CONSTRAINT spree_expiry_rule_days_check CHECK (days BETWEEN 0 AND 36500 AND (days > 0 OR kind = 'gift_card'))
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
END
$create_spree_tables$;
COMMENT ON FUNCTION create_spree_tables() IS 'the part of create_ledger() that makes what is kept for Spree''s and Solidus''s tables';
