-- What follows a credit or a debit: refunds, holds, reverts, edits, revocations, expiry.

-- refund ---------------------------------------------------------------------------------------

CREATE FUNCTION refund_rows(
	owner text, amount money_ccy, bonus money_ccy, bonus_percent numeric, expires_at timestamptz, expires_on date,
	bonus_expires_at timestamptz, bonus_expires_on date, memo text, reference text, issuer text,
	idempotency_key text, notify boolean, metadata jsonb
) RETURNS store_credit_transaction[]
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'store_credit_refund_owner';
COMMENT ON FUNCTION refund_rows(text, money_ccy, money_ccy, numeric, timestamptz, date, timestamptz, date, text, text, text, text, boolean, jsonb) IS
	'store_credit_refund() as an array';

CREATE FUNCTION refund_rows(
	account_id bigint, amount money_ccy, bonus money_ccy, bonus_percent numeric, expires_at timestamptz, expires_on date,
	bonus_expires_at timestamptz, bonus_expires_on date, memo text, reference text, issuer text,
	idempotency_key text, notify boolean, metadata jsonb
) RETURNS store_credit_transaction[]
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'store_credit_refund_account';
COMMENT ON FUNCTION refund_rows(bigint, money_ccy, money_ccy, numeric, timestamptz, date, timestamptz, date, text, text, text, text, boolean, jsonb) IS
	'store_credit_refund() as an array';

-- Not SELECT * FROM: it would write the row's columns into the function, out of reach of ALTER TYPE ... ADD ATTRIBUTE.

CREATE FUNCTION store_credit_refund(
	owner text, amount money_ccy, bonus money_ccy DEFAULT NULL, bonus_percent numeric DEFAULT NULL,
	expires_at timestamptz DEFAULT NULL, expires_on date DEFAULT NULL,
	bonus_expires_at timestamptz DEFAULT NULL, bonus_expires_on date DEFAULT NULL,
	memo text DEFAULT NULL, reference text DEFAULT NULL, issuer text DEFAULT NULL,
	idempotency_key text DEFAULT NULL, notify boolean DEFAULT false, metadata jsonb DEFAULT NULL
) RETURNS SETOF store_credit_transaction
LANGUAGE SQL VOLATILE PARALLEL UNSAFE COST 1000 ROWS 2
BEGIN ATOMIC
	SELECT unnest(refund_rows(owner, amount, bonus, bonus_percent, expires_at, expires_on,
		bonus_expires_at, bonus_expires_on, memo, reference, issuer, idempotency_key, notify, metadata));
END;
COMMENT ON FUNCTION store_credit_refund(text, money_ccy, money_ccy, numeric, timestamptz, date, timestamptz, date, text, text, text, text, boolean, jsonb) IS
	'refunds to store credit, with a bonus if the call or storecredit.refund_bonus has one; returns the refund, then the bonus';

CREATE FUNCTION store_credit_refund(
	account_id bigint, amount money_ccy, bonus money_ccy DEFAULT NULL, bonus_percent numeric DEFAULT NULL,
	expires_at timestamptz DEFAULT NULL, expires_on date DEFAULT NULL,
	bonus_expires_at timestamptz DEFAULT NULL, bonus_expires_on date DEFAULT NULL,
	memo text DEFAULT NULL, reference text DEFAULT NULL, issuer text DEFAULT NULL,
	idempotency_key text DEFAULT NULL, notify boolean DEFAULT false, metadata jsonb DEFAULT NULL
) RETURNS SETOF store_credit_transaction
LANGUAGE SQL VOLATILE PARALLEL UNSAFE COST 1000 ROWS 2
BEGIN ATOMIC
	SELECT unnest(refund_rows(account_id, amount, bonus, bonus_percent, expires_at, expires_on,
		bonus_expires_at, bonus_expires_on, memo, reference, issuer, idempotency_key, notify, metadata));
END;
COMMENT ON FUNCTION store_credit_refund(bigint, money_ccy, money_ccy, numeric, timestamptz, date, timestamptz, date, text, text, text, text, boolean, jsonb) IS
	'refunds to store credit, with a bonus if the call or storecredit.refund_bonus has one; returns the refund, then the bonus';

CREATE FUNCTION store_credit_refund(
	owner text, amount numeric, currency text, bonus numeric DEFAULT NULL, bonus_percent numeric DEFAULT NULL,
	expires_at timestamptz DEFAULT NULL, expires_on date DEFAULT NULL,
	bonus_expires_at timestamptz DEFAULT NULL, bonus_expires_on date DEFAULT NULL,
	memo text DEFAULT NULL, reference text DEFAULT NULL, issuer text DEFAULT NULL,
	idempotency_key text DEFAULT NULL, notify boolean DEFAULT false, metadata jsonb DEFAULT NULL
) RETURNS SETOF store_credit_transaction
LANGUAGE SQL VOLATILE PARALLEL UNSAFE COST 1000 ROWS 2
BEGIN ATOMIC
	SELECT unnest(refund_rows(owner, money_ccy(amount, currency), money_ccy(bonus, currency), bonus_percent,
		expires_at, expires_on, bonus_expires_at, bonus_expires_on, memo, reference, issuer, idempotency_key, notify, metadata));
END;
COMMENT ON FUNCTION store_credit_refund(text, numeric, text, numeric, numeric, timestamptz, date, timestamptz, date, text, text, text, text, boolean, jsonb) IS
	'refunds to store credit, with a bonus if the call or storecredit.refund_bonus has one; returns the refund, then the bonus';

CREATE FUNCTION store_credit_refund(
	account_id bigint, amount numeric, currency text, bonus numeric DEFAULT NULL, bonus_percent numeric DEFAULT NULL,
	expires_at timestamptz DEFAULT NULL, expires_on date DEFAULT NULL,
	bonus_expires_at timestamptz DEFAULT NULL, bonus_expires_on date DEFAULT NULL,
	memo text DEFAULT NULL, reference text DEFAULT NULL, issuer text DEFAULT NULL,
	idempotency_key text DEFAULT NULL, notify boolean DEFAULT false, metadata jsonb DEFAULT NULL
) RETURNS SETOF store_credit_transaction
LANGUAGE SQL VOLATILE PARALLEL UNSAFE COST 1000 ROWS 2
BEGIN ATOMIC
	SELECT unnest(refund_rows(account_id, money_ccy(amount, currency), money_ccy(bonus, currency), bonus_percent,
		expires_at, expires_on, bonus_expires_at, bonus_expires_on, memo, reference, issuer, idempotency_key, notify, metadata));
END;
COMMENT ON FUNCTION store_credit_refund(bigint, numeric, text, numeric, numeric, timestamptz, date, timestamptz, date, text, text, text, text, boolean, jsonb) IS
	'refunds to store credit, with a bonus if the call or storecredit.refund_bonus has one; returns the refund, then the bonus';

-- holds ----------------------------------------------------------------------------------------

CREATE FUNCTION store_credit_authorize(
	owner text, amount money_ccy, allow_partial boolean DEFAULT false, expires_at timestamptz DEFAULT NULL,
	memo text DEFAULT NULL, reference text DEFAULT NULL, issuer text DEFAULT NULL,
	idempotency_key text DEFAULT NULL, metadata jsonb DEFAULT NULL
) RETURNS store_credit_hold
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'store_credit_authorize_owner';
COMMENT ON FUNCTION store_credit_authorize(text, money_ccy, boolean, timestamptz, text, text, text, text, jsonb) IS
	'sets money of an owner''s account aside for a checkout; returns the hold';

CREATE FUNCTION store_credit_authorize(
	account_id bigint, amount money_ccy, allow_partial boolean DEFAULT false, expires_at timestamptz DEFAULT NULL,
	memo text DEFAULT NULL, reference text DEFAULT NULL, issuer text DEFAULT NULL,
	idempotency_key text DEFAULT NULL, metadata jsonb DEFAULT NULL
) RETURNS store_credit_hold
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'store_credit_authorize_account';
COMMENT ON FUNCTION store_credit_authorize(bigint, money_ccy, boolean, timestamptz, text, text, text, text, jsonb) IS
	'sets money of an account aside for a checkout; returns the hold';

CREATE FUNCTION store_credit_authorize(
	owner text, amount numeric, currency text, allow_partial boolean DEFAULT false, expires_at timestamptz DEFAULT NULL,
	memo text DEFAULT NULL, reference text DEFAULT NULL, issuer text DEFAULT NULL,
	idempotency_key text DEFAULT NULL, metadata jsonb DEFAULT NULL
) RETURNS store_credit_hold
LANGUAGE SQL VOLATILE PARALLEL UNSAFE COST 1000
RETURN store_credit_authorize(owner, money_ccy(amount, currency), allow_partial, expires_at,
	memo, reference, issuer, idempotency_key, metadata);
COMMENT ON FUNCTION store_credit_authorize(text, numeric, text, boolean, timestamptz, text, text, text, text, jsonb) IS
	'sets money of an owner''s account aside for a checkout; returns the hold';

CREATE FUNCTION store_credit_authorize(
	account_id bigint, amount numeric, currency text, allow_partial boolean DEFAULT false, expires_at timestamptz DEFAULT NULL,
	memo text DEFAULT NULL, reference text DEFAULT NULL, issuer text DEFAULT NULL,
	idempotency_key text DEFAULT NULL, metadata jsonb DEFAULT NULL
) RETURNS store_credit_hold
LANGUAGE SQL VOLATILE PARALLEL UNSAFE COST 1000
RETURN store_credit_authorize(account_id, money_ccy(amount, currency), allow_partial, expires_at,
	memo, reference, issuer, idempotency_key, metadata);
COMMENT ON FUNCTION store_credit_authorize(bigint, numeric, text, boolean, timestamptz, text, text, text, text, jsonb) IS
	'sets money of an account aside for a checkout; returns the hold';

CREATE FUNCTION store_credit_capture(
	account_id bigint, hold_id bigint, amount money_ccy DEFAULT NULL, final boolean DEFAULT true,
	category text DEFAULT NULL, memo text DEFAULT NULL, reference text DEFAULT NULL, issuer text DEFAULT NULL,
	idempotency_key text DEFAULT NULL, notify boolean DEFAULT false, metadata jsonb DEFAULT NULL
) RETURNS store_credit_transaction
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION store_credit_capture(bigint, bigint, money_ccy, boolean, text, text, text, text, text, boolean, jsonb) IS
	'debits what a hold has set aside, or a part of it; the rest is released unless final is false; returns the transaction';

CREATE FUNCTION store_credit_void(account_id bigint, hold_id bigint, idempotency_key text DEFAULT NULL)
RETURNS store_credit_hold
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION store_credit_void(bigint, bigint, text) IS 'releases what a hold has set aside; returns the hold';

-- undoing and changing -------------------------------------------------------------------------

CREATE FUNCTION store_credit_revert(
	account_id bigint, seq bigint, amount money_ccy DEFAULT NULL, expired text DEFAULT NULL,
	category text DEFAULT NULL, memo text DEFAULT NULL, reference text DEFAULT NULL, issuer text DEFAULT NULL,
	idempotency_key text DEFAULT NULL, notify boolean DEFAULT false, metadata jsonb DEFAULT NULL
) RETURNS store_credit_transaction
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION store_credit_revert(bigint, bigint, money_ccy, text, text, text, text, text, text, boolean, jsonb) IS
	'gives a debit, or a part of it, back to the credits it drew on, the last drawn first; returns the transaction';

CREATE FUNCTION store_credit_edit(
	account_id bigint, seq bigint, amount money_ccy DEFAULT NULL,
	expires_at timestamptz DEFAULT NULL, expires_on date DEFAULT NULL,
	category text DEFAULT NULL, memo text DEFAULT NULL, reference text DEFAULT NULL, issuer text DEFAULT NULL,
	idempotency_key text DEFAULT NULL, notify boolean DEFAULT false, metadata jsonb DEFAULT NULL
) RETURNS store_credit_transaction
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION store_credit_edit(bigint, bigint, money_ccy, timestamptz, date, text, text, text, text, text, boolean, jsonb) IS
	'changes a credit''s amount, expiry (infinity: none), memo or category; returns the adjustment, which has them as they are now';

CREATE FUNCTION store_credit_revoke(
	account_id bigint, seq bigint,
	category text DEFAULT NULL, memo text DEFAULT NULL, reference text DEFAULT NULL, issuer text DEFAULT NULL,
	idempotency_key text DEFAULT NULL, notify boolean DEFAULT false, metadata jsonb DEFAULT NULL
) RETURNS store_credit_transaction
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION store_credit_revoke(bigint, bigint, text, text, text, text, text, boolean, jsonb) IS
	'takes back what is left of a credit; returns the transaction';

-- expiry ---------------------------------------------------------------------------------------

CREATE FUNCTION store_credit_expire(max_credits integer DEFAULT 1000) RETURNS bigint
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION store_credit_expire(integer) IS
	'books credits and holds that have expired, the longest overdue first, leaving out accounts that others have; returns how many: call it until that is 0';

CREATE FUNCTION store_credit_available(account_id bigint) RETURNS money_ccy
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 500 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION store_credit_available(bigint) IS 'what can be spent of an account now; null if there is no such account';

-- many at once ---------------------------------------------------------------------------------

CREATE FUNCTION store_credit_credit_many(credits jsonb, on_error text DEFAULT 'raise')
RETURNS TABLE (item bigint, account_id bigint, seq bigint, error text, sqlstate text, message text, detail text)
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000 ROWS 1000 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION store_credit_credit_many(jsonb, text) IS
	'issues many credits, an array of objects with the arguments of store_credit_credit(); returns a row for each, in their order: its transaction, or with on_error => skip its error';

CREATE FUNCTION store_credit_debit_many(debits jsonb, on_error text DEFAULT 'raise')
RETURNS TABLE (item bigint, account_id bigint, seq bigint, error text, sqlstate text, message text, detail text)
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000 ROWS 1000 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION store_credit_debit_many(jsonb, text) IS
	'makes many debits, an array of objects with the arguments of store_credit_debit(); returns a row for each, in their order: its transaction, or with on_error => skip its error';
