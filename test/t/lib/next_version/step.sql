	IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'storecredit.account'::regclass AND attname = 'tier') THEN
		LOCK TABLE storecredit.account;
		ALTER TABLE storecredit.account ADD COLUMN tier text COLLATE "C" DEFAULT 'plain' NOT NULL,
			ADD CONSTRAINT account_tier_check CHECK (tier = ANY ('{plain,gold}'));
		COMMENT ON COLUMN storecredit.account.tier IS 'plain or gold';
		taken := taken || text 'account.tier';
	END IF;
	IF to_regclass('storecredit.transaction_reference_idx') IS NULL THEN
		LOCK TABLE storecredit.account;
		CREATE INDEX transaction_reference_idx ON storecredit.transaction (reference) WHERE reference IS NOT NULL;
		COMMENT ON INDEX storecredit.transaction_reference_idx IS 'what belongs to an order';
		ALTER TABLE storecredit.transaction ADD CONSTRAINT transaction_channel_check CHECK (channel <> '');
		taken := taken || text 'transaction_reference_idx';
	END IF;
	IF to_regclass('storecredit.tier') IS NULL THEN
		CREATE VIEW storecredit.tier AS SELECT a.tier, count(*) AS accounts FROM storecredit.account a GROUP BY a.tier;
		COMMENT ON VIEW storecredit.tier IS 'how many accounts of each tier';
		CREATE TABLE storecredit.channel (
			channel text COLLATE "C" NOT NULL CONSTRAINT channel_pkey PRIMARY KEY,
			max_debit money_ccy
		);
		CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON storecredit.channel
			FOR EACH STATEMENT EXECUTE FUNCTION storecredit.guard_truncate();
		ALTER TABLE storecredit.channel ENABLE ALWAYS TRIGGER guard_truncate;
		COMMENT ON TABLE storecredit.channel IS 'where credit can be spent';
		taken := taken || text 'tier';
	END IF;
