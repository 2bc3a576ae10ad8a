-- The outbox, for whoever tells customers: doc/notifications.md.

CREATE FUNCTION store_credit_notifications(max_notifications integer DEFAULT 100)
RETURNS TABLE (
	notification_id bigint, created_at timestamptz, event text, account_id bigint, seq bigint, owner text,
	amount money_ccy, balance_after money_ccy, expires_at timestamptz, category text, memo text, reference text
)
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000 ROWS 100 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION store_credit_notifications(integer) IS
	'takes notifications out of the outbox and returns them with what there is to tell, the oldest first, but for those that another transaction is taking; if this one is rolled back, they come back';

REVOKE EXECUTE ON FUNCTION store_credit_notifications(integer) FROM PUBLIC;
