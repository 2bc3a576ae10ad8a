
	CREATE INDEX transaction_reference_idx ON storecredit.transaction (reference) WHERE reference IS NOT NULL;
	COMMENT ON INDEX storecredit.transaction_reference_idx IS 'what belongs to an order';
	CREATE VIEW storecredit.tier AS SELECT a.tier, count(*) AS accounts FROM storecredit.account a GROUP BY a.tier;
	COMMENT ON VIEW storecredit.tier IS 'how many accounts of each tier';
	CREATE TABLE storecredit.channel (
		channel   text COLLATE "C" NOT NULL,
		max_debit money_ccy,
		CONSTRAINT channel_pkey PRIMARY KEY (channel)
	);
	CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON storecredit.channel
		FOR EACH STATEMENT EXECUTE FUNCTION storecredit.guard_truncate();
	ALTER TABLE storecredit.channel ENABLE ALWAYS TRIGGER guard_truncate;
	COMMENT ON TABLE storecredit.channel IS 'where credit can be spent';
