-- Trigger functions: on the ledger's own tables (create_ledger() puts them there), and for an application's.

CREATE FUNCTION guard_account() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION guard_account() IS 'trigger of storecredit.account: an account keeps its identity and its history, and its balance does not grow above its limit';

CREATE FUNCTION guard_transaction() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION guard_transaction() IS 'trigger of storecredit.transaction: history is never rewritten; memo and metadata may be set to null';

CREATE FUNCTION guard_hold() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION guard_hold() IS 'trigger of storecredit.hold: what a hold is for stays as it was authorized, and a closed hold stays closed';

CREATE FUNCTION guard_period() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION guard_period() IS 'trigger of storecredit.transaction and storecredit.hold: nothing is dated before storecredit.locked_until';

CREATE FUNCTION guard_truncate() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION guard_truncate() IS 'trigger of the ledger''s tables: they are never truncated';

CREATE FUNCTION guard_soundness() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION guard_soundness() IS 'deferred trigger of the ledger''s tables: at commit, an account agrees with its newest transaction, its open credits and its open holds';

CREATE FUNCTION announce_limits() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION announce_limits() IS 'trigger of storecredit.currency_limit: makes every session forget the limits that it remembers';

CREATE FUNCTION enforce_positive_amount() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION enforce_positive_amount() IS 'trigger for any table, AFTER INSERT OR UPDATE FOR EACH ROW, arguments ''amount_column'' ...: refuses an amount of zero or below (SC001)';

CREATE FUNCTION enforce_currency_limit() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION enforce_currency_limit() IS 'trigger for any table, AFTER INSERT OR UPDATE OR DELETE FOR EACH ROW, arguments ''owner_column'', ''amount_column'', ''-subtracted_column'' ..., ''currency_column'': refuses what raises an owner''s sum above the currency''s max_balance (SC002)';
