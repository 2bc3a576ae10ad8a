-- What is to be done from time to time, by the worker or by any scheduler: doc/worker.md.

CREATE FUNCTION store_credit_remind(max_credits integer DEFAULT 1000) RETURNS bigint
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION store_credit_remind(integer) IS
	'writes a row into the outbox for each credit that has come within an interval of storecredit.remind_before of its end; returns how many: call it until that is 0';

CREATE PROCEDURE run_maintenance()
LANGUAGE C AS 'MODULE_PATHNAME', 'storecredit_run_maintenance';
COMMENT ON PROCEDURE run_maintenance() IS
	'does one round of what the worker does: expires, reminds, says so in storecredit.worker_status, and notifies those who listen if something waits in the outbox; commits batch by batch, so it must not be called in a transaction block';

REVOKE EXECUTE ON FUNCTION store_credit_remind(integer) FROM PUBLIC;
REVOKE EXECUTE ON PROCEDURE run_maintenance() FROM PUBLIC;
