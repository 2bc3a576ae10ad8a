-- What the ledger's functions return.  The tables of create_ledger() are made OF these types, so that a
-- row of the table and the answer of a function are one thing, and ALTER TYPE ... CASCADE upgrades both.

CREATE TYPE store_credit_transaction AS (
	account_id      bigint,
	seq             bigint,
	amount          money_ccy,
	balance_after   money_ccy,
	created_at      timestamptz,
	expires_at      timestamptz,
	kind            text COLLATE "C",
	category        text,
	memo            text,
	reference       text,
	issuer          text,
	recorded_by     text,
	idempotency_key text COLLATE "C",
	related_seq     bigint,
	hold_id         bigint,
	metadata        jsonb,
	draws           bigint[],
	request_hash    bigint,
	hash            bytea,
	salt            bytea,
	memo_digest     bytea,
	metadata_digest bytea
);
COMMENT ON TYPE store_credit_transaction IS 'one entry in the history of a store credit account: a row of storecredit.transaction';
COMMENT ON COLUMN store_credit_transaction.account_id IS 'the account';
COMMENT ON COLUMN store_credit_transaction.seq IS 'position in the account''s history: 1, 2, 3 ... without gaps';
COMMENT ON COLUMN store_credit_transaction.kind IS 'credit, debit, debit_revert, expiration, adjustment or revocation';
COMMENT ON COLUMN store_credit_transaction.amount IS 'signed effect on the balance: a debit is negative';
COMMENT ON COLUMN store_credit_transaction.balance_after IS 'the account''s balance once this entry was booked';
COMMENT ON COLUMN store_credit_transaction.created_at IS 'when it was booked, by the clock read under the account''s lock';
COMMENT ON COLUMN store_credit_transaction.expires_at IS 'of a credit, and of an adjustment of one: the first instant at which it is gone, null for never; of an expiration: when it was due';
COMMENT ON COLUMN store_credit_transaction.category IS 'the application''s word for what it was for (refund, bonus, promotion ...)';
COMMENT ON COLUMN store_credit_transaction.memo IS 'why, for people to read; may be blanked later';
COMMENT ON COLUMN store_credit_transaction.reference IS 'what it belongs to elsewhere: an order, a return, a payment';
COMMENT ON COLUMN store_credit_transaction.issuer IS 'who did it, in the application''s words; the session user unless given';
COMMENT ON COLUMN store_credit_transaction.recorded_by IS 'the database session''s user; cannot be given';
COMMENT ON COLUMN store_credit_transaction.idempotency_key IS 'the key the call came with: once per account, forever';
COMMENT ON COLUMN store_credit_transaction.related_seq IS 'of an expiration, adjustment or revocation: the credit; of a debit_revert: the debit; of a bonus: the refund';
COMMENT ON COLUMN store_credit_transaction.hold_id IS 'of a captured debit: its hold';
COMMENT ON COLUMN store_credit_transaction.metadata IS 'anything else the application wants to keep; may be blanked later';
COMMENT ON COLUMN store_credit_transaction.draws IS 'pairs of credit seq and minor units: what a debit took from each credit, in the order drawn; what a debit_revert gave back to each; what a credit or an adjustment took from credits to pay back the credit line';
COMMENT ON COLUMN store_credit_transaction.request_hash IS 'digest of the arguments of a call with an idempotency key';
COMMENT ON COLUMN store_credit_transaction.hash IS 'SHA-256 over this entry and the hash of the one before it; null in an account without a chain of hashes';
COMMENT ON COLUMN store_credit_transaction.salt IS 'random bytes that the digests of memo and metadata begin with; null once both are blanked';
COMMENT ON COLUMN store_credit_transaction.memo_digest IS 'of a memo that was blanked: SHA-256 over salt and memo';
COMMENT ON COLUMN store_credit_transaction.metadata_digest IS 'of metadata that were blanked: SHA-256 over salt and metadata';

CREATE TYPE store_credit_hold AS (
	account_id      bigint,
	hold_id         bigint,
	amount          money_ccy,
	captured        money_ccy,
	status          text COLLATE "C",
	created_at      timestamptz,
	expires_at      timestamptz,
	closed_at       timestamptz,
	memo            text,
	reference       text,
	issuer          text,
	recorded_by     text,
	idempotency_key text COLLATE "C",
	metadata        jsonb,
	authorized      bigint[],
	draws           bigint[],
	request_hash    bigint,
	closing_key     text COLLATE "C",
	closing_hash    bigint
);
COMMENT ON TYPE store_credit_hold IS 'money set aside for a checkout: a row of storecredit.hold';
COMMENT ON COLUMN store_credit_hold.account_id IS 'the account';
COMMENT ON COLUMN store_credit_hold.hold_id IS '1, 2, 3 ... within the account';
COMMENT ON COLUMN store_credit_hold.amount IS 'what was set aside';
COMMENT ON COLUMN store_credit_hold.captured IS 'how much of it has become debits';
COMMENT ON COLUMN store_credit_hold.status IS 'open, captured, voided or expired';
COMMENT ON COLUMN store_credit_hold.created_at IS 'when it was authorized';
COMMENT ON COLUMN store_credit_hold.expires_at IS 'the first instant at which it counts no more; null for never';
COMMENT ON COLUMN store_credit_hold.closed_at IS 'when it was captured, voided or expired';
COMMENT ON COLUMN store_credit_hold.memo IS 'why, for people to read; may be blanked later';
COMMENT ON COLUMN store_credit_hold.reference IS 'what it belongs to elsewhere: a checkout, an order';
COMMENT ON COLUMN store_credit_hold.issuer IS 'who did it, in the application''s words; the session user unless given';
COMMENT ON COLUMN store_credit_hold.recorded_by IS 'the database session''s user; cannot be given';
COMMENT ON COLUMN store_credit_hold.idempotency_key IS 'the key the call came with: once per account, forever';
COMMENT ON COLUMN store_credit_hold.metadata IS 'anything else the application wants to keep; may be blanked later';
COMMENT ON COLUMN store_credit_hold.authorized IS 'pairs of credit seq and minor units, in the order drawn: what was set aside from each credit';
COMMENT ON COLUMN store_credit_hold.draws IS 'what of that is still set aside: neither captured nor released';
COMMENT ON COLUMN store_credit_hold.request_hash IS 'digest of the arguments of a call with an idempotency key';
COMMENT ON COLUMN store_credit_hold.closing_key IS 'idempotency key of the call that voided it: once per account, forever';
COMMENT ON COLUMN store_credit_hold.closing_hash IS 'digest of that call''s arguments';

CREATE FUNCTION store_credit_clock() RETURNS timestamptz
LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION store_credit_clock() IS 'the clock that expiry is judged by: the wall clock, or storecredit.test_clock where a superuser has set it';
