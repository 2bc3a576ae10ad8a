-- create_ledger() makes the ledger as ordinary tables of the calling role, so that pg_dump, replication
-- and indexes treat them as the user's own, and DROP EXTENSION cannot take them along unasked.
--
-- Column order matters in account and open_credit: the fast store (src/store_fast.c) overlays a struct on
-- the fixed-width columns at the front, and what a debit changes lies together, to keep its WAL short.  Their
-- fillfactor leaves room for more versions between two prunings of a page; in account, for one of every row:
-- a sweep of a campaign's credits changes all accounts of a page in one transaction.

CREATE FUNCTION create_ledger() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $create_ledger$
BEGIN
	IF to_regclass('storecredit.account') IS NOT NULL AND to_regclass('storecredit.transaction') IS NULL THEN
		RAISE EXCEPTION 'schema storecredit has the remains of a ledger'
			USING ERRCODE = 'object_not_in_prerequisite_state',
				DETAIL = 'DROP EXTENSION ... CASCADE takes what is made of the extension''s types, and leaves the rest of the tables.',
				HINT = 'Drop them: DROP TABLE storecredit.account, storecredit.open_credit, storecredit.currency_limit, storecredit.refund_bonus, storecredit.notification, storecredit.posting, storecredit.reminder, storecredit.worker_status, storecredit.spree_violation, storecredit.spree_expiry, storecredit.spree_expiry_rule, storecredit.spree_expired, storecredit.spree_imported, storecredit.spree_quarantine CASCADE.';
	END IF;
	IF to_regclass('storecredit.account') IS NOT NULL THEN
		RAISE NOTICE 'the ledger exists already, nothing done';
		RETURN;
	END IF;

	-- accounts ---------------------------------------------------------------------------------

	CREATE SEQUENCE storecredit.account_number_seq AS bigint MAXVALUE 281474976710655;
	COMMENT ON SEQUENCE storecredit.account_number_seq IS 'local account numbers, the lower 48 bits of account_id';

	CREATE TABLE storecredit.account (
		account_id   bigint      NOT NULL,
		opened_at    timestamptz NOT NULL,
		last_seq     bigint      NOT NULL,
		balance      money_ccy   NOT NULL,
		held         money_ccy   NOT NULL,
		credit_line  money_ccy   NOT NULL,
		last_hold_id bigint      NOT NULL,
		currency     text        COLLATE "C" NOT NULL,
		owner        text        COLLATE "C" NOT NULL,
		max_balance  money_ccy,
		last_hash    bytea,
		CONSTRAINT account_pkey PRIMARY KEY (account_id),
		CONSTRAINT account_owner_currency_key UNIQUE (owner, currency),
		CONSTRAINT account_owner_check CHECK (char_length(owner) BETWEEN 1 AND 255),
		CONSTRAINT account_currency_check CHECK (
			currency = money_ccy_currency(balance)
			AND currency = money_ccy_currency(held)
			AND currency = money_ccy_currency(credit_line)
			AND (max_balance IS NULL OR currency = money_ccy_currency(max_balance))),
		CONSTRAINT account_amounts_check CHECK (
			money_ccy_to_minor(held) >= 0
			AND money_ccy_to_minor(credit_line) >= 0
			AND (max_balance IS NULL OR money_ccy_to_minor(max_balance) >= 0)
			AND last_seq >= 0 AND last_hold_id >= 0),
		CONSTRAINT account_last_hash_check CHECK (octet_length(last_hash) = 32),
		CONSTRAINT account_credit_line_check CHECK (
			money_ccy_to_minor(balance)::numeric - money_ccy_to_minor(held) + money_ccy_to_minor(credit_line) >= 0)
	) WITH (fillfactor = 50);
	ALTER SEQUENCE storecredit.account_number_seq OWNED BY storecredit.account.account_id;
	COMMENT ON TABLE storecredit.account IS 'one account per owner and currency, opened by its first credit, forever';
	COMMENT ON COLUMN storecredit.account.account_id IS 'storecredit.cell in the upper 16 bits, a local number in the lower 48';
	COMMENT ON COLUMN storecredit.account.opened_at IS 'when its first credit came';
	COMMENT ON COLUMN storecredit.account.last_seq IS 'seq of its newest transaction';
	COMMENT ON COLUMN storecredit.account.balance IS 'what the shop owes, held money included; below zero by what is drawn from the credit line';
	COMMENT ON COLUMN storecredit.account.held IS 'sum of what open holds still hold';
	COMMENT ON COLUMN storecredit.account.credit_line IS 'by how much the available money may go below zero';
	COMMENT ON COLUMN storecredit.account.last_hold_id IS 'hold_id of its newest hold';
	COMMENT ON COLUMN storecredit.account.currency IS 'ISO 4217 code';
	COMMENT ON COLUMN storecredit.account.owner IS 'whose it is, in the application''s words';
	COMMENT ON COLUMN storecredit.account.max_balance IS 'limit on the balance of this account instead of its currency''s; null for the currency''s';
	COMMENT ON COLUMN storecredit.account.last_hash IS 'hash of its newest transaction, 32 zero bytes before the first; null if it has no chain of hashes';

	-- history ----------------------------------------------------------------------------------

	CREATE TABLE storecredit.transaction OF store_credit_transaction (
		account_id    WITH OPTIONS NOT NULL,
		seq           WITH OPTIONS NOT NULL,
		kind          WITH OPTIONS NOT NULL,
		amount        WITH OPTIONS NOT NULL,
		balance_after WITH OPTIONS NOT NULL,
		created_at    WITH OPTIONS NOT NULL,
		issuer        WITH OPTIONS NOT NULL,
		recorded_by   WITH OPTIONS NOT NULL,
		CONSTRAINT transaction_pkey PRIMARY KEY (account_id, seq),
		CONSTRAINT transaction_seq_check CHECK (seq > 0),
		CONSTRAINT transaction_currency_check CHECK (money_ccy_currency(amount) = money_ccy_currency(balance_after)),
		CONSTRAINT transaction_amount_check CHECK (
			CASE kind
				WHEN 'credit' THEN money_ccy_to_minor(amount) > 0
				WHEN 'debit' THEN money_ccy_to_minor(amount) < 0
				WHEN 'debit_revert' THEN money_ccy_to_minor(amount) > 0
				WHEN 'expiration' THEN money_ccy_to_minor(amount) < 0
				WHEN 'revocation' THEN money_ccy_to_minor(amount) < 0
				WHEN 'adjustment' THEN true
				ELSE false
			END),
		CONSTRAINT transaction_idempotency_check CHECK (
			(idempotency_key IS NULL) = (request_hash IS NULL)
			AND char_length(idempotency_key) BETWEEN 1 AND 255),
		CONSTRAINT transaction_draws_check CHECK (cardinality(draws) % 2 = 0),
		CONSTRAINT transaction_hash_check CHECK (octet_length(hash) = 32)
	);
	CREATE UNIQUE INDEX transaction_idempotency_key ON storecredit.transaction (account_id, idempotency_key)
		WHERE idempotency_key IS NOT NULL;
	CREATE INDEX transaction_related_seq_idx ON storecredit.transaction (account_id, related_seq, seq)
		WHERE related_seq IS NOT NULL AND kind <> 'expiration';
	COMMENT ON INDEX storecredit.transaction_related_seq_idx IS 'what has been done to a credit or a debit since, but for expirations';
	COMMENT ON TABLE storecredit.transaction IS 'the append-only history of every account';
	COMMENT ON INDEX storecredit.transaction_idempotency_key IS 'an idempotency key is used once per account, forever';

	-- what is left of the credits --------------------------------------------------------------

	CREATE TABLE storecredit.open_credit (
		account_id bigint      NOT NULL,
		expires_at timestamptz NOT NULL,
		seq        bigint      NOT NULL,
		remaining  money_ccy   NOT NULL,
		CONSTRAINT open_credit_pkey PRIMARY KEY (account_id, expires_at, seq),
		CONSTRAINT open_credit_remaining_check CHECK (money_ccy_to_minor(remaining) > 0)
	) WITH (fillfactor = 75);
	CREATE INDEX open_credit_expires_at_idx ON storecredit.open_credit (expires_at, account_id)
		WHERE expires_at < 'infinity';
	COMMENT ON TABLE storecredit.open_credit IS 'credits with something left, in the order in which debits draw on them; a row goes when nothing is left';
	COMMENT ON COLUMN storecredit.open_credit.account_id IS 'the account';
	COMMENT ON COLUMN storecredit.open_credit.expires_at IS 'the first instant at which it is gone; infinity for never';
	COMMENT ON COLUMN storecredit.open_credit.seq IS 'the credit''s seq in the account''s history';
	COMMENT ON COLUMN storecredit.open_credit.remaining IS 'what is left of it: not spent, held, expired or revoked';
	COMMENT ON INDEX storecredit.open_credit_expires_at_idx IS 'the order of the expiry sweep';

	-- holds ------------------------------------------------------------------------------------

	CREATE TABLE storecredit.hold OF store_credit_hold (
		account_id  WITH OPTIONS NOT NULL,
		hold_id     WITH OPTIONS NOT NULL,
		amount      WITH OPTIONS NOT NULL,
		captured    WITH OPTIONS NOT NULL,
		status      WITH OPTIONS NOT NULL,
		created_at  WITH OPTIONS NOT NULL,
		issuer      WITH OPTIONS NOT NULL,
		recorded_by WITH OPTIONS NOT NULL,
		CONSTRAINT hold_pkey PRIMARY KEY (account_id, hold_id),
		CONSTRAINT hold_amount_check CHECK (
			money_ccy_currency(amount) = money_ccy_currency(captured)
			AND money_ccy_to_minor(amount) > 0
			AND money_ccy_to_minor(captured) BETWEEN 0 AND money_ccy_to_minor(amount)),
		CONSTRAINT hold_status_check CHECK (
			status = ANY ('{open,captured,voided,expired}') AND (status = 'open') = (closed_at IS NULL)),
		CONSTRAINT hold_idempotency_check CHECK (
			(idempotency_key IS NULL) = (request_hash IS NULL)
			AND char_length(idempotency_key) BETWEEN 1 AND 255),
		CONSTRAINT hold_closing_check CHECK (
			(closing_key IS NULL) = (closing_hash IS NULL)
			AND char_length(closing_key) BETWEEN 1 AND 255),
		CONSTRAINT hold_draws_check CHECK (cardinality(authorized) % 2 = 0 AND cardinality(draws) % 2 = 0)
	) WITH (fillfactor = 90);
	CREATE UNIQUE INDEX hold_idempotency_key ON storecredit.hold (account_id, idempotency_key)
		WHERE idempotency_key IS NOT NULL;
	CREATE UNIQUE INDEX hold_closing_key ON storecredit.hold (account_id, closing_key)
		WHERE closing_key IS NOT NULL;
	CREATE INDEX hold_open_idx ON storecredit.hold (account_id, expires_at, hold_id) WHERE closed_at IS NULL;
	CREATE INDEX hold_expires_at_idx ON storecredit.hold (expires_at, account_id) WHERE closed_at IS NULL;
	COMMENT ON INDEX storecredit.hold_closing_key IS 'an idempotency key is used once per account, forever';
	COMMENT ON INDEX storecredit.hold_open_idx IS 'the open holds of an account';
	COMMENT ON INDEX storecredit.hold_expires_at_idx IS 'the order of the expiry sweep';
	COMMENT ON TABLE storecredit.hold IS 'authorizations: money set aside for a checkout until it is captured, voided or past its end';
	COMMENT ON INDEX storecredit.hold_idempotency_key IS 'an idempotency key is used once per account, forever';

	-- limits -----------------------------------------------------------------------------------

	CREATE TABLE storecredit.currency_limit (
		currency    text COLLATE "C" NOT NULL,
		max_balance money_ccy,
		max_credit  money_ccy,
		max_debit   money_ccy,
		CONSTRAINT currency_limit_pkey PRIMARY KEY (currency),
		CONSTRAINT currency_limit_known_check CHECK (currency = money_ccy_currency(money_ccy_from_minor(0, currency))),
		CONSTRAINT currency_limit_currency_check CHECK (
			(max_balance IS NULL OR currency = money_ccy_currency(max_balance))
			AND (max_credit IS NULL OR currency = money_ccy_currency(max_credit))
			AND (max_debit IS NULL OR currency = money_ccy_currency(max_debit))),
		CONSTRAINT currency_limit_amounts_check CHECK (
			(max_balance IS NULL OR money_ccy_to_minor(max_balance) >= 0)
			AND (max_credit IS NULL OR money_ccy_to_minor(max_credit) >= 0)
			AND (max_debit IS NULL OR money_ccy_to_minor(max_debit) >= 0))
	);
	COMMENT ON TABLE storecredit.currency_limit IS 'limits of all accounts in a currency; no row, or null, is no limit';
	COMMENT ON COLUMN storecredit.currency_limit.currency IS 'ISO 4217 code';
	COMMENT ON COLUMN storecredit.currency_limit.max_balance IS 'the most that an account may hold after a credit';
	COMMENT ON COLUMN storecredit.currency_limit.max_credit IS 'the most that one credit may bring';
	COMMENT ON COLUMN storecredit.currency_limit.max_debit IS 'the most that one debit may take';

	CREATE TABLE storecredit.refund_bonus (
		currency text COLLATE "C" NOT NULL,
		percent  numeric,
		fixed    money_ccy,
		CONSTRAINT refund_bonus_pkey PRIMARY KEY (currency),
		CONSTRAINT refund_bonus_known_check CHECK (currency = money_ccy_currency(money_ccy_from_minor(0, currency))),
		CONSTRAINT refund_bonus_percent_check CHECK (percent >= 0 AND percent < 'infinity'),
		CONSTRAINT refund_bonus_fixed_check CHECK (
			currency = money_ccy_currency(fixed) AND money_ccy_to_minor(fixed) >= 0)
	);
	COMMENT ON TABLE storecredit.refund_bonus IS 'what a refund in a currency brings on top where the call does not say; no row is nothing';
	COMMENT ON COLUMN storecredit.refund_bonus.currency IS 'ISO 4217 code';
	COMMENT ON COLUMN storecredit.refund_bonus.percent IS 'of the refund, rounded half-even to the minor unit';
	COMMENT ON COLUMN storecredit.refund_bonus.fixed IS 'an amount, added to the percentage';

	-- outbox -----------------------------------------------------------------------------------

	CREATE TABLE storecredit.notification (
		notification_id bigint      GENERATED ALWAYS AS IDENTITY,
		created_at      timestamptz NOT NULL,
		event           text        COLLATE "C" NOT NULL,
		account_id      bigint      NOT NULL,
		seq             bigint      NOT NULL,
		CONSTRAINT notification_pkey PRIMARY KEY (notification_id)
	);
	COMMENT ON TABLE storecredit.notification IS 'outbox: what customers are to be told, written in the transaction that moved the money';
	COMMENT ON COLUMN storecredit.notification.notification_id IS 'order of writing';
	COMMENT ON COLUMN storecredit.notification.created_at IS 'when it was written';
	COMMENT ON COLUMN storecredit.notification.event IS 'the transaction''s kind; or expiring_soon, of a credit that is about to expire';
	COMMENT ON COLUMN storecredit.notification.account_id IS 'the account';
	COMMENT ON COLUMN storecredit.notification.seq IS 'the transaction';

	-- maintenance ------------------------------------------------------------------------------

	CREATE TABLE storecredit.reminder (
		account_id    bigint      NOT NULL,
		seq           bigint      NOT NULL,
		expires_at    timestamptz NOT NULL,
		remind_before interval    NOT NULL,
		reminded_at   timestamptz NOT NULL,
		CONSTRAINT reminder_pkey PRIMARY KEY (account_id, seq)
	) WITH (fillfactor = 90);
	CREATE INDEX reminder_expires_at_idx ON storecredit.reminder (expires_at);
	COMMENT ON TABLE storecredit.reminder IS 'of which credits their owners were reminded; a row goes when the credit has expired';
	COMMENT ON COLUMN storecredit.reminder.account_id IS 'the account';
	COMMENT ON COLUMN storecredit.reminder.seq IS 'the credit''s seq in the account''s history';
	COMMENT ON COLUMN storecredit.reminder.expires_at IS 'the expiry that it was about: with another one the credit is reminded of anew';
	COMMENT ON COLUMN storecredit.reminder.remind_before IS 'the shortest interval of storecredit.remind_before that it was for';
	COMMENT ON COLUMN storecredit.reminder.reminded_at IS 'when it was written, by the clock that expiry is judged by';
	COMMENT ON INDEX storecredit.reminder_expires_at_idx IS 'which rows can go';

	CREATE TABLE storecredit.worker_status (
		only_row        boolean     NOT NULL DEFAULT true,
		last_start      timestamptz NOT NULL,
		last_end        timestamptz,
		credits_expired bigint      NOT NULL DEFAULT 0,
		holds_closed    bigint      NOT NULL DEFAULT 0,
		reminders       bigint      NOT NULL DEFAULT 0,
		backlog         bigint      NOT NULL DEFAULT 0,
		last_error      text,
		last_error_at   timestamptz,
		CONSTRAINT worker_status_pkey PRIMARY KEY (only_row),
		CONSTRAINT worker_status_only_row_check CHECK (only_row)
	) WITH (fillfactor = 50);
	COMMENT ON TABLE storecredit.worker_status IS 'what the maintenance of this ledger has done, by the worker or by run_maintenance(); no row before the first round';
	COMMENT ON COLUMN storecredit.worker_status.only_row IS 'true: there is one row';
	COMMENT ON COLUMN storecredit.worker_status.last_start IS 'when the last round began';
	COMMENT ON COLUMN storecredit.worker_status.last_end IS 'when it ended; null while it runs, and when it was broken off';
	COMMENT ON COLUMN storecredit.worker_status.credits_expired IS 'how many credits the maintenance has expired, since the ledger was made';
	COMMENT ON COLUMN storecredit.worker_status.holds_closed IS 'how many holds the maintenance has closed at their end, since the ledger was made';
	COMMENT ON COLUMN storecredit.worker_status.reminders IS 'how many reminders the maintenance has written, since the ledger was made';
	COMMENT ON COLUMN storecredit.worker_status.backlog IS 'how many credits and holds were overdue when the last round ended: of accounts that others had locked, or that failed';
	COMMENT ON COLUMN storecredit.worker_status.last_error IS 'the last error, if there ever was one';
	COMMENT ON COLUMN storecredit.worker_status.last_error_at IS 'when that was';

	-- guards -----------------------------------------------------------------------------------
	-- What must hold for each single row fires ALWAYS, on a replica too.  What must hold between the rows
	-- of an account is judged once, at commit, and only where the change originates: a subscriber
	-- receives the tables one after the other.

	CREATE TRIGGER guard AFTER INSERT OR UPDATE OR DELETE ON storecredit.account
		FOR EACH ROW EXECUTE FUNCTION storecredit.guard_account();
	CREATE TRIGGER guard AFTER UPDATE OR DELETE ON storecredit.transaction
		FOR EACH ROW EXECUTE FUNCTION storecredit.guard_transaction();
	CREATE TRIGGER guard AFTER UPDATE OR DELETE ON storecredit.hold
		FOR EACH ROW EXECUTE FUNCTION storecredit.guard_hold();
	CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON storecredit.account
		FOR EACH STATEMENT EXECUTE FUNCTION storecredit.guard_truncate();
	CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON storecredit.transaction
		FOR EACH STATEMENT EXECUTE FUNCTION storecredit.guard_truncate();
	CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON storecredit.open_credit
		FOR EACH STATEMENT EXECUTE FUNCTION storecredit.guard_truncate();
	CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON storecredit.hold
		FOR EACH STATEMENT EXECUTE FUNCTION storecredit.guard_truncate();
	CREATE TRIGGER announce AFTER INSERT OR UPDATE OR DELETE ON storecredit.currency_limit
		FOR EACH ROW EXECUTE FUNCTION storecredit.announce_limits();
	CREATE TRIGGER announce_truncate AFTER TRUNCATE ON storecredit.currency_limit
		FOR EACH STATEMENT EXECUTE FUNCTION storecredit.announce_limits();
	ALTER TABLE storecredit.account ENABLE ALWAYS TRIGGER guard, ENABLE ALWAYS TRIGGER guard_truncate;
	ALTER TABLE storecredit.transaction ENABLE ALWAYS TRIGGER guard, ENABLE ALWAYS TRIGGER guard_truncate;
	ALTER TABLE storecredit.hold ENABLE ALWAYS TRIGGER guard, ENABLE ALWAYS TRIGGER guard_truncate;
	ALTER TABLE storecredit.open_credit ENABLE ALWAYS TRIGGER guard_truncate;
	ALTER TABLE storecredit.currency_limit ENABLE ALWAYS TRIGGER announce, ENABLE ALWAYS TRIGGER announce_truncate;

	CREATE TRIGGER guard_period AFTER INSERT ON storecredit.transaction
		FOR EACH ROW EXECUTE FUNCTION storecredit.guard_period();
	CREATE TRIGGER guard_period AFTER INSERT OR UPDATE OF closed_at ON storecredit.hold
		FOR EACH ROW EXECUTE FUNCTION storecredit.guard_period();

	-- An account that was just opened has nothing that could be unsound.
	CREATE CONSTRAINT TRIGGER guard_soundness_insert AFTER INSERT ON storecredit.account
		DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
		WHEN (NEW.last_seq <> 0 OR NEW.last_hold_id <> 0
			OR money_ccy_to_minor(NEW.balance) <> 0 OR money_ccy_to_minor(NEW.held) <> 0)
		EXECUTE FUNCTION storecredit.guard_soundness();
	CREATE CONSTRAINT TRIGGER guard_soundness AFTER UPDATE OR DELETE ON storecredit.account
		DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION storecredit.guard_soundness();
	CREATE CONSTRAINT TRIGGER guard_soundness
		AFTER INSERT OR DELETE OR UPDATE OF account_id, seq, kind, amount, balance_after, related_seq ON storecredit.transaction
		DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION storecredit.guard_soundness();
	CREATE CONSTRAINT TRIGGER guard_soundness AFTER INSERT OR UPDATE OR DELETE ON storecredit.open_credit
		DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION storecredit.guard_soundness();
	CREATE CONSTRAINT TRIGGER guard_soundness AFTER INSERT OR UPDATE OR DELETE ON storecredit.hold
		DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION storecredit.guard_soundness();

	-- views ------------------------------------------------------------------------------------

	CREATE VIEW storecredit.balance WITH (security_invoker = true) AS
		SELECT a.account_id, a.owner, a.currency, a.balance, a.held,
			-- where something is held, a hold may be past its end: only the rules can tell what comes of it
			CASE WHEN money_ccy_to_minor(a.held) > 0 THEN store_credit_available(a.account_id)
				-- as store_credit_balance() has it, which a large balance and a credit line do not overflow
				ELSE money_ccy_from_minor(least(9223372036854775807, money_ccy_to_minor(a.balance)::numeric
					+ money_ccy_to_minor(a.credit_line) - coalesce(money_ccy_to_minor(c.overdue), 0))::bigint, a.currency)
			END AS available,
			c.next_expiry
		FROM storecredit.account a
		CROSS JOIN LATERAL (
			SELECT sum(o.remaining) FILTER (WHERE o.expires_at <= store_credit_clock()) AS overdue,
				min(o.expires_at) FILTER (WHERE o.expires_at > store_credit_clock() AND o.expires_at < 'infinity') AS next_expiry
			FROM storecredit.open_credit o
			WHERE o.account_id = a.account_id) c;
	COMMENT ON VIEW storecredit.balance IS 'what every account holds and what of it can be spent now';
	COMMENT ON COLUMN storecredit.balance.account_id IS 'the account';
	COMMENT ON COLUMN storecredit.balance.owner IS 'whose it is, in the application''s words';
	COMMENT ON COLUMN storecredit.balance.currency IS 'ISO 4217 code';
	COMMENT ON COLUMN storecredit.balance.balance IS 'what the shop owes, held money and what is overdue but not yet booked included';
	COMMENT ON COLUMN storecredit.balance.held IS 'sum of what open holds still hold';
	COMMENT ON COLUMN storecredit.balance.available IS 'what can be spent now: balance less held, less what is past its expiry, plus the credit line';
	COMMENT ON COLUMN storecredit.balance.next_expiry IS 'when the next credit expires; null if none will';

	CREATE VIEW storecredit.allocation WITH (security_invoker = true) AS
		SELECT t.account_id, CASE t.kind WHEN 'debit' THEN t.seq ELSE t.related_seq END AS debit_seq,
			t.draws[n] AS credit_seq,
			money_ccy_from_minor(CASE t.kind WHEN 'debit' THEN t.draws[n + 1] ELSE - t.draws[n + 1] END,
				money_ccy_currency(t.amount)) AS amount,
			CASE t.kind WHEN 'debit' THEN 'draw' ELSE 'give_back' END AS kind,
			t.hold_id, t.seq, t.created_at
		FROM storecredit.transaction t
		CROSS JOIN LATERAL generate_series(1, cardinality(t.draws), 2) n
		WHERE t.kind = 'debit' OR t.kind = 'debit_revert'
		UNION ALL
		-- What a hold has set aside and not captured counts while it is open, and is released by its end.
		SELECT h.account_id, NULL, h.authorized[n],
			money_ccy_from_minor(s.sign * (h.authorized[n + 1] - coalesce(c.minor, 0)), money_ccy_currency(h.amount)),
			s.kind, h.hold_id, NULL, s.created_at
		FROM storecredit.hold h
		CROSS JOIN LATERAL generate_series(1, cardinality(h.authorized), 2) n
		LEFT JOIN (
			SELECT t.account_id, t.hold_id, t.draws[i] AS credit_seq, sum(t.draws[i + 1])::bigint AS minor
			FROM storecredit.transaction t
			CROSS JOIN LATERAL generate_series(1, cardinality(t.draws), 2) i
			WHERE t.hold_id IS NOT NULL
			GROUP BY t.account_id, t.hold_id, t.draws[i]) c
			ON c.account_id = h.account_id AND c.hold_id = h.hold_id AND c.credit_seq = h.authorized[n]
		CROSS JOIN LATERAL (VALUES ('hold', 1, h.created_at), ('release', -1, h.closed_at)) s (kind, sign, created_at)
		WHERE h.authorized[n + 1] > coalesce(c.minor, 0) AND s.created_at IS NOT NULL;
	COMMENT ON VIEW storecredit.allocation IS 'which credits each debit and each hold drew on, and what was given back to them';
	COMMENT ON COLUMN storecredit.allocation.account_id IS 'the account';
	COMMENT ON COLUMN storecredit.allocation.debit_seq IS 'the debit''s seq; null for a hold';
	COMMENT ON COLUMN storecredit.allocation.credit_seq IS 'the credit''s seq';
	COMMENT ON COLUMN storecredit.allocation.amount IS 'what was taken from the credit; negative for what was given back to it';
	COMMENT ON COLUMN storecredit.allocation.kind IS 'draw or give_back of a debit; hold: set aside and not captured; release: the same given back when the hold closed';
	COMMENT ON COLUMN storecredit.allocation.hold_id IS 'the hold, also of a debit that captured one';
	COMMENT ON COLUMN storecredit.allocation.seq IS 'the entry that drew or gave back; null for a hold';
	COMMENT ON COLUMN storecredit.allocation.created_at IS 'when';

	CREATE VIEW storecredit.credit WITH (security_invoker = true) AS
		SELECT c.account_id, c.seq, a.owner,
			c.amount + coalesce(l.adjusted, money_ccy_from_minor(0, a.currency)) AS amount,
			coalesce(o.remaining, money_ccy_from_minor(0, a.currency)) AS remaining,
			CASE WHEN l.adjustments > 0 THEN l.expires_at ELSE c.expires_at END AS expires_at,
			coalesce(l.category, c.category) AS category, coalesce(l.memo, c.memo) AS memo,
			c.reference, c.issuer, c.created_at
		FROM storecredit.transaction c
		JOIN storecredit.account a ON a.account_id = c.account_id
		LEFT JOIN storecredit.open_credit o ON o.account_id = c.account_id AND o.seq = c.seq
		CROSS JOIN LATERAL (
			SELECT count(*) AS adjustments, sum(t.amount) AS adjusted,
				(array_agg(t.expires_at ORDER BY t.seq DESC))[1] AS expires_at,
				(array_agg(t.category ORDER BY t.seq DESC) FILTER (WHERE t.category IS NOT NULL))[1] AS category,
				(array_agg(t.memo ORDER BY t.seq DESC) FILTER (WHERE t.memo IS NOT NULL))[1] AS memo
			FROM storecredit.transaction t
			WHERE t.account_id = c.account_id AND t.related_seq = c.seq AND t.kind = 'adjustment') l
		WHERE c.kind = 'credit';
	COMMENT ON VIEW storecredit.credit IS 'every credit as it is now, its edits counted';
	COMMENT ON COLUMN storecredit.credit.account_id IS 'the account';
	COMMENT ON COLUMN storecredit.credit.seq IS 'the credit''s seq in the account''s history';
	COMMENT ON COLUMN storecredit.credit.owner IS 'whose it is, in the application''s words';
	COMMENT ON COLUMN storecredit.credit.amount IS 'as issued and edited since';
	COMMENT ON COLUMN storecredit.credit.remaining IS 'what is left of it: not spent, held, expired or revoked';
	COMMENT ON COLUMN storecredit.credit.expires_at IS 'the first instant at which it is gone; null for never';
	COMMENT ON COLUMN storecredit.credit.category IS 'as issued, or as last edited';
	COMMENT ON COLUMN storecredit.credit.memo IS 'as issued, or as last edited';
	COMMENT ON COLUMN storecredit.credit.reference IS 'what it belongs to elsewhere';
	COMMENT ON COLUMN storecredit.credit.issuer IS 'who issued it';
	COMMENT ON COLUMN storecredit.credit.created_at IS 'when it was issued';

	CREATE VIEW storecredit.metrics AS
		SELECT m.name, jsonb_build_object('currency', a.currency) AS labels, m.value
		FROM (
			SELECT currency, count(*) AS accounts, sum(money_ccy_to_minor(balance)) AS balance,
				sum(money_ccy_to_minor(held)) AS held, money_ccy_amount(money_ccy_from_minor(1, currency)) AS unit
			FROM storecredit.account GROUP BY currency) a
		CROSS JOIN LATERAL (VALUES
			('storecredit_accounts', a.accounts::numeric),
			('storecredit_balance', a.balance * a.unit),
			('storecredit_held', a.held * a.unit)) m (name, value)
		UNION ALL
		SELECT m.name, '{}', m.value
		FROM (VALUES
			('storecredit_overdue_credits', (SELECT count(*) FROM storecredit.open_credit
				WHERE expires_at <= store_credit_clock() AND expires_at < 'infinity')::numeric),
			('storecredit_overdue_holds', (SELECT count(*) FROM storecredit.hold
				WHERE closed_at IS NULL AND expires_at <= store_credit_clock())),
			('storecredit_oldest_overdue_seconds', (SELECT coalesce(extract(epoch FROM store_credit_clock() - least(
				(SELECT min(expires_at) FROM storecredit.open_credit
					WHERE expires_at <= store_credit_clock() AND expires_at < 'infinity'),
				(SELECT min(expires_at) FROM storecredit.hold
					WHERE closed_at IS NULL AND expires_at <= store_credit_clock()))), 0))),
			('storecredit_open_holds', (SELECT count(*) FROM storecredit.hold WHERE closed_at IS NULL)),
			('storecredit_notifications', (SELECT count(*) FROM storecredit.notification))) m (name, value)
		UNION ALL
		SELECT m.name, '{}', m.value
		FROM storecredit.worker_status s
		CROSS JOIN LATERAL (VALUES
			('storecredit_worker_last_start_timestamp_seconds', extract(epoch FROM s.last_start)),
			('storecredit_worker_last_end_timestamp_seconds', extract(epoch FROM s.last_end)),
			('storecredit_worker_credits_expired_total', s.credits_expired),
			('storecredit_worker_holds_closed_total', s.holds_closed),
			('storecredit_worker_reminders_total', s.reminders),
			('storecredit_worker_backlog', s.backlog),
			('storecredit_worker_last_error_timestamp_seconds', extract(epoch FROM s.last_error_at))) m (name, value)
		WHERE m.value IS NOT NULL;
	COMMENT ON VIEW storecredit.metrics IS 'figures for a monitoring system, each with its name and labels; reads all accounts';
	COMMENT ON COLUMN storecredit.metrics.name IS 'what is measured, in the way of Prometheus: counters end in _total';
	COMMENT ON COLUMN storecredit.metrics.labels IS 'what it is measured of: a currency, or nothing';
	COMMENT ON COLUMN storecredit.metrics.value IS 'the figure: a number, an amount in the currency''s units, or seconds';

	PERFORM storecredit.create_ledger_reports();
	PERFORM storecredit.create_spree_tables();
END
$create_ledger$;
COMMENT ON FUNCTION create_ledger() IS 'makes the ledger as tables of the calling role in schema storecredit; a notice and nothing else if there is one';
