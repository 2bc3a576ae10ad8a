-- What applications call.  Each function comes by owner and by account; each of these with a money_ccy, and
-- with a numeric and a currency for clients whose driver knows no custom types.

-- credit ---------------------------------------------------------------------------------------

CREATE FUNCTION store_credit_credit(
	owner text, amount money_ccy,
	expires_at timestamptz DEFAULT NULL, expires_on date DEFAULT NULL,
	category text DEFAULT NULL, memo text DEFAULT NULL, reference text DEFAULT NULL, issuer text DEFAULT NULL,
	idempotency_key text DEFAULT NULL, notify boolean DEFAULT false, metadata jsonb DEFAULT NULL
) RETURNS store_credit_transaction
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'store_credit_credit_owner';
COMMENT ON FUNCTION store_credit_credit(text, money_ccy, timestamptz, date, text, text, text, text, text, boolean, jsonb) IS
	'issues a credit to an owner, opening the account if there is none; returns the transaction';

CREATE FUNCTION store_credit_credit(
	account_id bigint, amount money_ccy,
	expires_at timestamptz DEFAULT NULL, expires_on date DEFAULT NULL,
	category text DEFAULT NULL, memo text DEFAULT NULL, reference text DEFAULT NULL, issuer text DEFAULT NULL,
	idempotency_key text DEFAULT NULL, notify boolean DEFAULT false, metadata jsonb DEFAULT NULL
) RETURNS store_credit_transaction
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'store_credit_credit_account';
COMMENT ON FUNCTION store_credit_credit(bigint, money_ccy, timestamptz, date, text, text, text, text, text, boolean, jsonb) IS
	'issues a credit to an account; returns the transaction';

CREATE FUNCTION store_credit_credit(
	owner text, amount numeric, currency text,
	expires_at timestamptz DEFAULT NULL, expires_on date DEFAULT NULL,
	category text DEFAULT NULL, memo text DEFAULT NULL, reference text DEFAULT NULL, issuer text DEFAULT NULL,
	idempotency_key text DEFAULT NULL, notify boolean DEFAULT false, metadata jsonb DEFAULT NULL
) RETURNS store_credit_transaction
LANGUAGE SQL VOLATILE PARALLEL UNSAFE COST 1000
RETURN store_credit_credit(owner, money_ccy(amount, currency), expires_at, expires_on,
	category, memo, reference, issuer, idempotency_key, notify, metadata);
COMMENT ON FUNCTION store_credit_credit(text, numeric, text, timestamptz, date, text, text, text, text, text, boolean, jsonb) IS
	'issues a credit to an owner, opening the account if there is none; returns the transaction';

CREATE FUNCTION store_credit_credit(
	account_id bigint, amount numeric, currency text,
	expires_at timestamptz DEFAULT NULL, expires_on date DEFAULT NULL,
	category text DEFAULT NULL, memo text DEFAULT NULL, reference text DEFAULT NULL, issuer text DEFAULT NULL,
	idempotency_key text DEFAULT NULL, notify boolean DEFAULT false, metadata jsonb DEFAULT NULL
) RETURNS store_credit_transaction
LANGUAGE SQL VOLATILE PARALLEL UNSAFE COST 1000
RETURN store_credit_credit(account_id, money_ccy(amount, currency), expires_at, expires_on,
	category, memo, reference, issuer, idempotency_key, notify, metadata);
COMMENT ON FUNCTION store_credit_credit(bigint, numeric, text, timestamptz, date, text, text, text, text, text, boolean, jsonb) IS
	'issues a credit to an account; returns the transaction';

-- debit ----------------------------------------------------------------------------------------

CREATE FUNCTION store_credit_debit(
	owner text, amount money_ccy, allow_partial boolean DEFAULT false,
	category text DEFAULT NULL, memo text DEFAULT NULL, reference text DEFAULT NULL, issuer text DEFAULT NULL,
	idempotency_key text DEFAULT NULL, notify boolean DEFAULT false, metadata jsonb DEFAULT NULL
) RETURNS store_credit_transaction
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'store_credit_debit_owner';
COMMENT ON FUNCTION store_credit_debit(text, money_ccy, boolean, text, text, text, text, text, boolean, jsonb) IS
	'takes money from an owner''s account, from the credit that expires first on; returns the transaction';

CREATE FUNCTION store_credit_debit(
	account_id bigint, amount money_ccy, allow_partial boolean DEFAULT false,
	category text DEFAULT NULL, memo text DEFAULT NULL, reference text DEFAULT NULL, issuer text DEFAULT NULL,
	idempotency_key text DEFAULT NULL, notify boolean DEFAULT false, metadata jsonb DEFAULT NULL
) RETURNS store_credit_transaction
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'store_credit_debit_account';
COMMENT ON FUNCTION store_credit_debit(bigint, money_ccy, boolean, text, text, text, text, text, boolean, jsonb) IS
	'takes money from an account, from the credit that expires first on; returns the transaction';

CREATE FUNCTION store_credit_debit(
	owner text, amount numeric, currency text, allow_partial boolean DEFAULT false,
	category text DEFAULT NULL, memo text DEFAULT NULL, reference text DEFAULT NULL, issuer text DEFAULT NULL,
	idempotency_key text DEFAULT NULL, notify boolean DEFAULT false, metadata jsonb DEFAULT NULL
) RETURNS store_credit_transaction
LANGUAGE SQL VOLATILE PARALLEL UNSAFE COST 1000
RETURN store_credit_debit(owner, money_ccy(amount, currency), allow_partial,
	category, memo, reference, issuer, idempotency_key, notify, metadata);
COMMENT ON FUNCTION store_credit_debit(text, numeric, text, boolean, text, text, text, text, text, boolean, jsonb) IS
	'takes money from an owner''s account, from the credit that expires first on; returns the transaction';

CREATE FUNCTION store_credit_debit(
	account_id bigint, amount numeric, currency text, allow_partial boolean DEFAULT false,
	category text DEFAULT NULL, memo text DEFAULT NULL, reference text DEFAULT NULL, issuer text DEFAULT NULL,
	idempotency_key text DEFAULT NULL, notify boolean DEFAULT false, metadata jsonb DEFAULT NULL
) RETURNS store_credit_transaction
LANGUAGE SQL VOLATILE PARALLEL UNSAFE COST 1000
RETURN store_credit_debit(account_id, money_ccy(amount, currency), allow_partial,
	category, memo, reference, issuer, idempotency_key, notify, metadata);
COMMENT ON FUNCTION store_credit_debit(bigint, numeric, text, boolean, text, text, text, text, text, boolean, jsonb) IS
	'takes money from an account, from the credit that expires first on; returns the transaction';

-- balance and limits ---------------------------------------------------------------------------

CREATE FUNCTION store_credit_balance(owner text, currency text) RETURNS money_ccy
LANGUAGE C STABLE PARALLEL RESTRICTED COST 500 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION store_credit_balance(text, text) IS
	'what an owner can spend now; zero of that currency if there is no account';

CREATE FUNCTION store_credit_set_limit(
	currency text, max_balance money_ccy DEFAULT NULL, max_credit money_ccy DEFAULT NULL, max_debit money_ccy DEFAULT NULL
) RETURNS void
LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION store_credit_set_limit(text, money_ccy, money_ccy, money_ccy) IS
	'sets the limits of all accounts in a currency; null is no limit';

CREATE FUNCTION store_credit_set_account_limits(
	account_id bigint, max_balance money_ccy DEFAULT NULL, credit_line money_ccy DEFAULT NULL
) RETURNS void
LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION store_credit_set_account_limits(bigint, money_ccy, money_ccy) IS
	'sets an account''s own limit on its balance (null: its currency''s) and its credit line (null: none)';

-- JSON twins -----------------------------------------------------------------------------------

CREATE FUNCTION store_credit_account_credit(id text, credit_input jsonb) RETURNS jsonb
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION store_credit_account_credit(text, jsonb) IS
	'store_credit_credit in the shapes of Shopify''s storeCreditAccountCredit; refusals are answered in userErrors, not raised';

CREATE FUNCTION store_credit_account_debit(id text, debit_input jsonb) RETURNS jsonb
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION store_credit_account_debit(text, jsonb) IS
	'store_credit_debit in the shapes of Shopify''s storeCreditAccountDebit; refusals are answered in userErrors, not raised';
