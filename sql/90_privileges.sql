-- The type is for everybody; the ledger is for nobody until somebody is granted it.

REVOKE EXECUTE ON FUNCTION create_ledger() FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION
	store_credit_credit(text, money_ccy, timestamptz, date, text, text, text, text, text, boolean, jsonb),
	store_credit_credit(bigint, money_ccy, timestamptz, date, text, text, text, text, text, boolean, jsonb),
	store_credit_credit(text, numeric, text, timestamptz, date, text, text, text, text, text, boolean, jsonb),
	store_credit_credit(bigint, numeric, text, timestamptz, date, text, text, text, text, text, boolean, jsonb),
	store_credit_debit(text, money_ccy, boolean, text, text, text, text, text, boolean, jsonb),
	store_credit_debit(bigint, money_ccy, boolean, text, text, text, text, text, boolean, jsonb),
	store_credit_debit(text, numeric, text, boolean, text, text, text, text, text, boolean, jsonb),
	store_credit_debit(bigint, numeric, text, boolean, text, text, text, text, text, boolean, jsonb),
	store_credit_balance(text, text),
	store_credit_set_limit(text, money_ccy, money_ccy, money_ccy),
	store_credit_set_account_limits(bigint, money_ccy, money_ccy),
	store_credit_account_credit(text, jsonb),
	store_credit_account_debit(text, jsonb)
FROM PUBLIC;
