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
		kind            text COLLATE "C" NOT NULL,
		category        text,
		credit_category text,
		debit_account   text NOT NULL,
		credit_account  text NOT NULL,
		CONSTRAINT posting_key UNIQUE NULLS NOT DISTINCT (kind, category, credit_category),
		CONSTRAINT posting_kind_check CHECK (
			kind = ANY ('{credit,debit,debit_revert,expiration,adjustment,revocation,repayment}')),
		CONSTRAINT posting_accounts_check CHECK (debit_account <> '' AND credit_account <> '')
	);
	-- a key with nulls tells a subscriber no row
	ALTER TABLE storecredit.posting REPLICA IDENTITY FULL;
	COMMENT ON TABLE storecredit.posting IS 'which accounts of the general ledger the parts of an entry are posted to: by kind, the entry''s category and that of the credit whose money it is; the closest row is taken';
	COMMENT ON COLUMN storecredit.posting.kind IS 'the transaction''s kind; or repayment, of what a credit pays back to the credit line';
	COMMENT ON COLUMN storecredit.posting.category IS 'the transaction''s category, of a debit_revert without one the debit''s; null: any other';
	COMMENT ON COLUMN storecredit.posting.credit_category IS 'the category, as issued, of the credit whose money it is; null: any other, and what is of the credit line';
	COMMENT ON COLUMN storecredit.posting.debit_account IS 'the account debited; credited by an adjustment that lowers a credit, and by a repayment that is returned';
	COMMENT ON COLUMN storecredit.posting.credit_account IS 'the account credited; debited by an adjustment that lowers a credit, and by a repayment that is returned';
	INSERT INTO storecredit.posting VALUES
		('credit', NULL, NULL, 'store credit issued', 'store credit liability'),
		('debit', NULL, NULL, 'store credit liability', 'store credit redeemed'),
		('debit_revert', NULL, NULL, 'store credit redeemed', 'store credit liability'),
		('expiration', NULL, NULL, 'store credit liability', 'breakage income'),
		('adjustment', NULL, NULL, 'store credit issued', 'store credit liability'),
		('revocation', NULL, NULL, 'store credit liability', 'store credit issued'),
		('repayment', NULL, NULL, 'store credit liability', 'store credit liability'),
		('credit', NULL, 'refund', 'sales returns', 'store credit liability'),
		('adjustment', NULL, 'refund', 'sales returns', 'store credit liability'),
		('revocation', NULL, 'refund', 'store credit liability', 'sales returns'),
		('credit', NULL, 'bonus', 'promotion expense', 'promotional credit liability'),
		('debit', NULL, 'bonus', 'promotional credit liability', 'store credit redeemed'),
		('debit_revert', NULL, 'bonus', 'store credit redeemed', 'promotional credit liability'),
		('expiration', NULL, 'bonus', 'promotional credit liability', 'promotion expense'),
		('adjustment', NULL, 'bonus', 'promotion expense', 'promotional credit liability'),
		('revocation', NULL, 'bonus', 'promotional credit liability', 'promotion expense'),
		('repayment', NULL, 'bonus', 'promotional credit liability', 'store credit liability');

	-- An entry's money is posted by the credit that it comes from or goes to: what was bought and what was given
	-- away are different debts.
	CREATE VIEW storecredit.journal WITH (security_invoker = true) AS
		SELECT e.account_id, e.seq, l.line, e.created_at, e.kind, e.category, e.reference, e.credit_seq, l.ledger_account,
			CASE WHEN l.line % 2 = 1 THEN money_ccy_from_minor(abs(e.minor), e.currency) END AS debit,
			CASE WHEN l.line % 2 = 0 THEN money_ccy_from_minor(abs(e.minor), e.currency) END AS credit
		FROM (
			SELECT t.account_id, t.seq, 1 AS part, t.created_at, t.kind, t.category, t.reference, money_ccy_currency(t.amount) AS currency,
				CASE t.kind WHEN 'credit' THEN t.seq ELSE t.related_seq END AS credit_seq, NULL::bigint AS debit_seq,
				money_ccy_to_minor(t.amount) AS minor
			FROM storecredit.transaction t
			WHERE t.kind <> 'debit' AND t.kind <> 'debit_revert'
			UNION ALL
			SELECT d.account_id, d.seq, d.n / 2 + CASE WHEN d.is_debit THEN 1 ELSE 2 END, d.created_at,
				CASE WHEN d.is_debit THEN d.kind ELSE 'repayment' END, d.category, d.reference, money_ccy_currency(d.amount),
				d.draws[d.n], CASE d.kind WHEN 'debit_revert' THEN d.related_seq END, d.draws[d.n + 1]
			FROM (
				SELECT t.account_id, t.seq, t.kind, t.kind = 'debit' OR t.kind = 'debit_revert' AS is_debit, t.amount, t.created_at,
					t.category, t.reference, t.related_seq, t.draws, generate_series(1, cardinality(t.draws), 2) AS n
				FROM storecredit.transaction t) d
			UNION ALL
			-- what came from the credit line, or went back to it
			SELECT t.account_id, t.seq, coalesce(cardinality(t.draws), 0) / 2 + 1, t.created_at, t.kind, t.category, t.reference,
				money_ccy_currency(t.amount), NULL::bigint AS credit_seq, CASE t.kind WHEN 'debit_revert' THEN t.related_seq END,
				abs(money_ccy_to_minor(t.amount)) - d.minor
			FROM storecredit.transaction t
			CROSS JOIN LATERAL (
				SELECT coalesce(sum(t.draws[n]), 0)::bigint AS minor FROM generate_series(2, cardinality(t.draws), 2) n) d
			WHERE t.kind = 'debit' OR t.kind = 'debit_revert') e
		LEFT JOIN storecredit.transaction c ON c.account_id = e.account_id AND c.seq = e.credit_seq AND c.kind = 'credit'
		CROSS JOIN LATERAL (
			SELECT coalesce(e.category,
				(SELECT r.category FROM storecredit.transaction r WHERE r.account_id = e.account_id AND r.seq = e.debit_seq)) AS category) k
		LEFT JOIN LATERAL (
			SELECT p.debit_account, p.credit_account FROM storecredit.posting p
			WHERE p.kind = e.kind AND (p.category IS NULL OR p.category = k.category)
				AND (p.credit_category IS NULL OR p.credit_category = c.category)
			ORDER BY p.category IS NULL, p.credit_category IS NULL LIMIT 1) p ON true
		CROSS JOIN LATERAL (SELECT e.minor < 0 AND e.kind IN ('adjustment', 'repayment') AS swapped) s
		CROSS JOIN LATERAL (VALUES
			(2 * e.part - 1, coalesce(CASE WHEN s.swapped THEN p.credit_account ELSE p.debit_account END, 'unposted')),
			(2 * e.part, coalesce(CASE WHEN s.swapped THEN p.debit_account ELSE p.credit_account END, 'unposted'))) l (line, ledger_account)
		WHERE e.minor <> 0 AND (p.debit_account = p.credit_account) IS NOT TRUE;
	COMMENT ON VIEW storecredit.journal IS 'the history as journal lines, two for each credit that an entry moves money of, which balance in each currency';
	COMMENT ON COLUMN storecredit.journal.account_id IS 'the store credit account';
	COMMENT ON COLUMN storecredit.journal.seq IS 'the entry in its history';
	COMMENT ON COLUMN storecredit.journal.line IS '1, 3 ...: what is debited; 2, 4 ...: what is credited by the line before';
	COMMENT ON COLUMN storecredit.journal.created_at IS 'when it was booked';
	COMMENT ON COLUMN storecredit.journal.kind IS 'the entry''s kind; or repayment, of what a credit pays back to the credit line';
	COMMENT ON COLUMN storecredit.journal.category IS 'the entry''s own category';
	COMMENT ON COLUMN storecredit.journal.reference IS 'the entry''s reference';
	COMMENT ON COLUMN storecredit.journal.credit_seq IS 'the credit whose money it is; null for what is of the credit line';
	COMMENT ON COLUMN storecredit.journal.ledger_account IS 'account of the general ledger, by storecredit.posting; unposted where it has no row for the kind';
	COMMENT ON COLUMN storecredit.journal.debit IS 'amount debited, above zero; null on an even line';
	COMMENT ON COLUMN storecredit.journal.credit IS 'amount credited, above zero; null on an odd line';

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
