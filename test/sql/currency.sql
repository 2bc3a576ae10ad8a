-- The currency table.  Stored amounts are in minor units: a scale that changed unseen would change their
-- meaning, so all of it is printed here.
SET search_path = public, storecredit;

SELECT * FROM currency;

-- codes without a minor unit are no currencies of payment, and are not listed
SELECT count(*) AS listed, count(*) FILTER (WHERE withdrawn) AS withdrawn FROM currency;
SELECT code
FROM unnest('{XAG,XAU,XBA,XBB,XBC,XBD,XDR,XPD,XPT,XSU,XTS,XUA,XXX}'::text[]) AS code
JOIN currency USING (code);

-- every listed code is found by its code in either case, is its own minor unit's scale, and reads back
SELECT code
FROM currency
WHERE money_ccy_from_minor(1, lower(code))::text <>
	CASE minor_units WHEN 0 THEN '1' ELSE '0.' || repeat('0', minor_units - 1) || '1' END || ' ' || code
	OR money_ccy_from_minor(1, code)::text::money_ccy <> money_ccy_from_minor(1, code)
	OR scale(money_ccy_amount(money_ccy_from_minor(1, code))) <> minor_units;

-- of all words of three letters, exactly the listed ones are taken
CREATE FUNCTION pg_temp.is_taken(code text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM storecredit.money_ccy_from_minor(1, code);
	RETURN true;
EXCEPTION WHEN invalid_text_representation THEN
	RETURN false;
END $$;
SELECT count(*) AS words,
	count(*) FILTER (WHERE pg_temp.is_taken(word)) AS taken,
	count(*) FILTER (WHERE pg_temp.is_taken(word) <> (word IN (SELECT code FROM currency))) AS wrong
FROM (SELECT chr(65 + n / 676) || chr(65 + n / 26 % 26) || chr(65 + n % 26) AS word
	FROM generate_series(0, 26 * 26 * 26 - 1) AS n) AS words;
