-- The views over the ledger that people read, and the posting map.  create_ledger() calls this, so they are the
-- ledger owner's as the tables are.  Every view is a security_invoker: whoever reads it reads the tables with
-- rights of their own, so row-level security holds in a view just as on the tables under it.

CREATE FUNCTION create_ledger_reports() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $create_ledger_reports$
BEGIN
	-- timeline ---------------------------------------------------------------------------------

	CREATE VIEW storecredit.timeline WITH (security_invoker = true) AS
		SELECT t.account_id, a.owner, a.currency, t.seq, t.hold_id, t.kind, NULL::text AS status,
			t.amount, t.balance_after, t.created_at, t.issuer, t.recorded_by, t.category, t.memo, t.reference,
			t.expires_at, t.related_seq, draws_as_json(t.draws, a.currency) AS credits,
			describe_transaction(t.kind, t.amount, t.balance_after, t.category, t.memo, t.reference, t.issuer,
				t.expires_at, t.related_seq, t.hold_id) AS sentence
		FROM storecredit.transaction t
		JOIN storecredit.account a ON a.account_id = t.account_id
		UNION ALL
		SELECT h.account_id, a.owner, a.currency, NULL, h.hold_id, 'hold', h.status,
			h.amount, NULL, h.created_at, h.issuer, h.recorded_by, NULL, h.memo, h.reference,
			h.expires_at, NULL, draws_as_json(h.authorized, a.currency),
			describe_hold(h.amount, h.captured, h.status, h.memo, h.reference, h.issuer, h.expires_at)
		FROM storecredit.hold h
		JOIN storecredit.account a ON a.account_id = h.account_id;
	COMMENT ON VIEW storecredit.timeline IS 'what has happened to every account, holds included; for pages of one account there is store_credit_timeline()';
	COMMENT ON COLUMN storecredit.timeline.account_id IS 'the account';
	COMMENT ON COLUMN storecredit.timeline.owner IS 'whose it is, in the application''s words';
	COMMENT ON COLUMN storecredit.timeline.currency IS 'ISO 4217 code';
	COMMENT ON COLUMN storecredit.timeline.seq IS 'position in the account''s history; null for a hold';
	COMMENT ON COLUMN storecredit.timeline.hold_id IS 'the hold, also of a debit that captured one';
	COMMENT ON COLUMN storecredit.timeline.kind IS 'the transaction''s kind, or hold';
	COMMENT ON COLUMN storecredit.timeline.status IS 'of a hold: open, captured, voided or expired, as it is now; null for a transaction';
	COMMENT ON COLUMN storecredit.timeline.amount IS 'signed effect on the balance; of a hold what was set aside';
	COMMENT ON COLUMN storecredit.timeline.balance_after IS 'the balance once this was booked; null for a hold, which leaves it as it is';
	COMMENT ON COLUMN storecredit.timeline.created_at IS 'when';
	COMMENT ON COLUMN storecredit.timeline.issuer IS 'who did it, in the application''s words';
	COMMENT ON COLUMN storecredit.timeline.recorded_by IS 'the database session''s user';
	COMMENT ON COLUMN storecredit.timeline.category IS 'the application''s word for what it was for';
	COMMENT ON COLUMN storecredit.timeline.memo IS 'why, for people to read';
	COMMENT ON COLUMN storecredit.timeline.reference IS 'what it belongs to elsewhere';
	COMMENT ON COLUMN storecredit.timeline.expires_at IS 'as in transaction and hold';
	COMMENT ON COLUMN storecredit.timeline.related_seq IS 'the credit or debit that it is about, as in transaction';
	COMMENT ON COLUMN storecredit.timeline.credits IS 'the credits that it drew on, or gave back to: [{"seq", "amount"}]; null if none';
	COMMENT ON COLUMN storecredit.timeline.sentence IS 'all of it in English words';

	-- posting ----------------------------------------------------------------------------------

	CREATE TABLE storecredit.posting (
		kind           text COLLATE "C" NOT NULL,
		category       text,
		debit_account  text NOT NULL,
		credit_account text NOT NULL,
		CONSTRAINT posting_key UNIQUE NULLS NOT DISTINCT (kind, category),
		CONSTRAINT posting_kind_check CHECK (
			kind = ANY ('{credit,debit,debit_revert,expiration,adjustment,revocation}')),
		CONSTRAINT posting_accounts_check CHECK (debit_account <> '' AND credit_account <> '')
	);
	-- a key with nulls tells a subscriber no row
	ALTER TABLE storecredit.posting REPLICA IDENTITY FULL;
	COMMENT ON TABLE storecredit.posting IS 'which accounts of the general ledger an entry is posted to: by kind and category, or else by kind';
	COMMENT ON COLUMN storecredit.posting.kind IS 'the transaction''s kind';
	COMMENT ON COLUMN storecredit.posting.category IS 'the transaction''s category, or that of the credit or debit it is about; null: any other';
	COMMENT ON COLUMN storecredit.posting.debit_account IS 'the account debited; credited by an adjustment that lowers a credit';
	COMMENT ON COLUMN storecredit.posting.credit_account IS 'the account credited; debited by an adjustment that lowers a credit';
	INSERT INTO storecredit.posting VALUES
		('credit', NULL, 'store credit issued', 'store credit liability'),
		('credit', 'refund', 'sales returns', 'store credit liability'),
		('credit', 'bonus', 'promotion expense', 'store credit liability'),
		('debit', NULL, 'store credit liability', 'store credit redeemed'),
		('debit_revert', NULL, 'store credit redeemed', 'store credit liability'),
		('expiration', NULL, 'store credit liability', 'breakage income'),
		('adjustment', NULL, 'store credit issued', 'store credit liability'),
		('revocation', NULL, 'store credit liability', 'store credit issued');

	CREATE VIEW storecredit.journal WITH (security_invoker = true) AS
		SELECT t.account_id, t.seq, l.line, t.created_at, t.kind, t.category, t.reference, l.ledger_account,
			CASE WHEN l.line = 1 THEN money_ccy_from_minor(abs(e.minor), e.currency) END AS debit,
			CASE WHEN l.line = 2 THEN money_ccy_from_minor(abs(e.minor), e.currency) END AS credit
		FROM storecredit.transaction t
		LEFT JOIN storecredit.transaction r ON r.account_id = t.account_id AND r.seq = t.related_seq
		CROSS JOIN LATERAL (
			SELECT money_ccy_to_minor(t.amount) AS minor, money_ccy_currency(t.amount) AS currency,
				t.kind = 'adjustment' AND money_ccy_to_minor(t.amount) < 0 AS swapped) e
		LEFT JOIN LATERAL (
			SELECT p.debit_account, p.credit_account FROM storecredit.posting p
			WHERE p.kind = t.kind AND (p.category IS NULL OR p.category = coalesce(t.category, r.category))
			ORDER BY p.category IS NULL LIMIT 1) p ON true
		CROSS JOIN LATERAL (VALUES
			(1, coalesce(CASE WHEN e.swapped THEN p.credit_account ELSE p.debit_account END, 'unposted')),
			(2, coalesce(CASE WHEN e.swapped THEN p.debit_account ELSE p.credit_account END, 'unposted'))) l (line, ledger_account)
		WHERE e.minor <> 0;
	COMMENT ON VIEW storecredit.journal IS 'the history as journal lines, two for each entry, which balance in each currency';
	COMMENT ON COLUMN storecredit.journal.account_id IS 'the store credit account';
	COMMENT ON COLUMN storecredit.journal.seq IS 'the entry in its history';
	COMMENT ON COLUMN storecredit.journal.line IS '1: what is debited; 2: what is credited';
	COMMENT ON COLUMN storecredit.journal.created_at IS 'when it was booked';
	COMMENT ON COLUMN storecredit.journal.kind IS 'the entry''s kind';
	COMMENT ON COLUMN storecredit.journal.category IS 'the entry''s own category';
	COMMENT ON COLUMN storecredit.journal.reference IS 'the entry''s reference';
	COMMENT ON COLUMN storecredit.journal.ledger_account IS 'account of the general ledger, by storecredit.posting; unposted where it has no row for the kind';
	COMMENT ON COLUMN storecredit.journal.debit IS 'amount debited, above zero; null on line 2';
	COMMENT ON COLUMN storecredit.journal.credit IS 'amount credited, above zero; null on line 1';

	-- finance, as of now -----------------------------------------------------------------------

	CREATE VIEW storecredit.liability WITH (security_invoker = true) AS
		SELECT * FROM storecredit.store_credit_liability();
	COMMENT ON VIEW storecredit.liability IS 'what the shop owes, and what is owed to it, in each currency now: store_credit_liability()';
	COMMENT ON COLUMN storecredit.liability.currency IS 'ISO 4217 code';
	COMMENT ON COLUMN storecredit.liability.accounts IS 'how many accounts have a balance that is not zero';
	COMMENT ON COLUMN storecredit.liability.liability IS 'sum of the balances above zero';
	COMMENT ON COLUMN storecredit.liability.receivable IS 'sum of what accounts have drawn from their credit lines, above zero';
	COMMENT ON COLUMN storecredit.liability.net IS 'liability less receivable: the sum of all balances';

	CREATE VIEW storecredit.roll_forward WITH (security_invoker = true) AS
		SELECT * FROM storecredit.store_credit_roll_forward(step => 'month');
	COMMENT ON VIEW storecredit.roll_forward IS 'how the sum of all balances came about, month by month: store_credit_roll_forward()';
	COMMENT ON COLUMN storecredit.roll_forward.currency IS 'ISO 4217 code';
	COMMENT ON COLUMN storecredit.roll_forward.period_start IS 'first instant of the month in the shop''s time zone';
	COMMENT ON COLUMN storecredit.roll_forward.period_end IS 'first instant after it';
	COMMENT ON COLUMN storecredit.roll_forward.opening IS 'sum of all balances at its start';
	COMMENT ON COLUMN storecredit.roll_forward.issued IS 'credits but for those of category bonus';
	COMMENT ON COLUMN storecredit.roll_forward.bonus IS 'credits of category bonus';
	COMMENT ON COLUMN storecredit.roll_forward.reverted IS 'debits given back';
	COMMENT ON COLUMN storecredit.roll_forward.redeemed IS 'debits, as an amount above zero';
	COMMENT ON COLUMN storecredit.roll_forward.expired IS 'expirations, as an amount above zero';
	COMMENT ON COLUMN storecredit.roll_forward.revoked IS 'revocations, as an amount above zero';
	COMMENT ON COLUMN storecredit.roll_forward.adjusted IS 'adjustments, signed';
	COMMENT ON COLUMN storecredit.roll_forward.closing IS 'opening + issued + bonus + reverted - redeemed - expired - revoked + adjusted';

	CREATE VIEW storecredit.aging WITH (security_invoker = true) AS
		SELECT b.by, g.*
		FROM (VALUES ('issue'), ('expiry'), ('activity')) b (by)
		CROSS JOIN LATERAL storecredit.store_credit_aging(b.by) g;
	COMMENT ON VIEW storecredit.aging IS 'how old the liability is now, by each of three measures: store_credit_aging()';
	COMMENT ON COLUMN storecredit.aging.by IS 'issue, expiry or activity: each of them adds up to the liability';
	COMMENT ON COLUMN storecredit.aging.currency IS 'ISO 4217 code';
	COMMENT ON COLUMN storecredit.aging.bucket IS 'days since the issue or the last activity, or until the expiry';
	COMMENT ON COLUMN storecredit.aging.items IS 'how many credits; by activity, how many accounts';
	COMMENT ON COLUMN storecredit.aging.amount IS 'what is left of them';

	CREATE VIEW storecredit.cohort WITH (security_invoker = true) AS
		SELECT * FROM storecredit.store_credit_cohorts();
	COMMENT ON VIEW storecredit.cohort IS 'what has become of the credits of each month and category until now: store_credit_cohorts()';
	COMMENT ON COLUMN storecredit.cohort.currency IS 'ISO 4217 code';
	COMMENT ON COLUMN storecredit.cohort.month IS 'month of issue in the shop''s time zone, as its first day';
	COMMENT ON COLUMN storecredit.cohort.category IS 'as issued; null for none';
	COMMENT ON COLUMN storecredit.cohort.credits IS 'how many were issued';
	COMMENT ON COLUMN storecredit.cohort.issued IS 'what they were issued with';
	COMMENT ON COLUMN storecredit.cohort.adjusted IS 'by how much they were edited since, signed';
	COMMENT ON COLUMN storecredit.cohort.redeemed IS 'what debits drew from them, less what was given back';
	COMMENT ON COLUMN storecredit.cohort.repaid IS 'what they paid back to credit lines, less what came back';
	COMMENT ON COLUMN storecredit.cohort.expired IS 'what of them expired';
	COMMENT ON COLUMN storecredit.cohort.revoked IS 'what of them was revoked';
	COMMENT ON COLUMN storecredit.cohort.outstanding IS 'issued + adjusted - redeemed - repaid - expired - revoked: what is left of them, held or not';

	CREATE VIEW storecredit.redemption WITH (security_invoker = true) AS
		SELECT * FROM storecredit.store_credit_redemptions();
	COMMENT ON VIEW storecredit.redemption IS 'what was paid with store credit, by category and reference, ever: store_credit_redemptions()';
	COMMENT ON COLUMN storecredit.redemption.currency IS 'ISO 4217 code';
	COMMENT ON COLUMN storecredit.redemption.category IS 'the debit''s; null for none';
	COMMENT ON COLUMN storecredit.redemption.reference IS 'the debit''s: an order, a payment; null for none';
	COMMENT ON COLUMN storecredit.redemption.debits IS 'how many debits';
	COMMENT ON COLUMN storecredit.redemption.redeemed IS 'their sum, as an amount above zero';
	COMMENT ON COLUMN storecredit.redemption.reverted IS 'what was given back of such debits';
	COMMENT ON COLUMN storecredit.redemption.net IS 'redeemed less reverted';
END
$create_ledger_reports$;
COMMENT ON FUNCTION create_ledger_reports() IS 'the part of create_ledger() that makes the views for people and the posting map';
