ALTER TYPE store_credit_transaction ADD ATTRIBUTE channel text COLLATE "C" CASCADE;
COMMENT ON COLUMN store_credit_transaction.channel IS 'where it was spent';
