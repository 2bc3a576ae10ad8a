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
END
$create_spree_tables$;
COMMENT ON FUNCTION create_spree_tables() IS 'the part of create_ledger() that makes what is kept for Spree''s and Solidus''s tables';
